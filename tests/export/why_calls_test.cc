// Reasons of each kind of call, on each kind of file: who brought what was read, what a sleeper sleeps for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/export/why_story.hh"

namespace wakepath::exports {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::Not;

/// A datagram socket u of `s`, v of `c` and w of `d`.
std::vector<std::string> datagrams(std::vector<std::string> more) {
  std::vector<std::string> out = {"s: u = socket(AF_INET, SOCK_DGRAM, 0)", "s: bind(u, 127.0.0.1:0)",
                                  "c: v = socket(AF_INET, SOCK_DGRAM, 0)", "d: w = socket(AF_INET, SOCK_DGRAM, 0)"};
  out.insert(out.end(), more.begin(), more.end());
  return out;
}

/// A pair x, y of AF_UNIX of the type; `t` is a thread of `s`.
std::vector<std::string> pair_of(const std::string& type, std::vector<std::string> more) {
  std::vector<std::string> out = {"s: x, y = socketpair(AF_UNIX, " + type + ", 0)", "s: thread(t)"};
  out.insert(out.end(), more.begin(), more.end());
  return out;
}

// --- who still waits, although there is something ---

TEST(WhyBlocked, AnAcceptIsPassedOverWhereAnExclusiveItemTookTheWakeUp) {
  Story story(steps({"s: thread(t)", "s: thread(u)", "s: epoll_ctl(ep, EPOLL_CTL_ADD, l, EPOLLIN|EPOLLEXCLUSIVE)",
                     "t: accept(l)", "s: epoll_wait(ep, 1, -1)", "u: poll([{l, POLLIN}], -1)",
                     "c: m = socket(AF_INET, SOCK_STREAM, 0)", "c: connect(m, addr(l))"}));
  const std::string words = why_text(story.about("t"));
  EXPECT_THAT(words, HasSubstr("1 wait in the accept queue of tcp_sock#1, but this thread was not woken"));
  EXPECT_THAT(words, Not(HasSubstr("is empty")));
  EXPECT_THAT(words, Not(HasSubstr("instead: u"))) << "poll() ends no walk";
}

// --- who brought what was read ---

TEST(WhyRead, ADatagramByWhoSentThatOne) {
  Story story(steps(datagrams({"c: sendto(v, \"one\", 0, addr(u))", "d: sendto(w, \"two\", 0, addr(u))",
                               "s: recv(u, 9, MSG_PEEK)", "s: recv(u, 9)", "s: recvfrom(u, 9, 0)"})));
  for (std::size_t back : {2, 1}) {
    EXPECT_THAT(story.returned("s", back), ElementsAreArray({"datagram_came"}));
    EXPECT_THAT(why_text(story.about("s", back)), AllOf(HasSubstr("came by c's sendto("), Not(HasSubstr("d's"))));
  }
  EXPECT_THAT(story.returned("s"), ElementsAreArray({"datagram_came"}));
  EXPECT_THAT(why_text(story.about("s")), AllOf(HasSubstr("came by d's sendto("), Not(HasSubstr("c's"))));
}

TEST(WhyRead, AnEmptyDatagramIsNoEnd) {
  Story story(steps(datagrams({"c: sendto(v, \"\", 0, addr(u))", "s: recv(u, 9)"})));
  EXPECT_THAT(story.returned("s"), ElementsAreArray({"datagram_came"}));
}

TEST(WhyRead, BytesOfAStreamByWhoSentThese) {
  Story story(steps({"c: thread(t)", "c: send(k, \"one\")", "t: send(k, \"two\")", "s: recv(a, 3)", "s: recv(a, 1)",
                     "s: read(a, 9)"}));
  EXPECT_THAT(why_text(story.about("s", 2)), AllOf(HasSubstr("came by c's send("), Not(HasSubstr("t's"))));
  EXPECT_THAT(why_text(story.about("s", 1)), AllOf(HasSubstr("came by t's send("), Not(HasSubstr("c's"))));
  EXPECT_THAT(why_text(story.about("s")), AllOf(HasSubstr("came by t's send("), Not(HasSubstr("c's"))));
  Story both(steps({"c: thread(t)", "c: send(k, \"one\")", "t: send(k, \"two\")", "s: recv(a, 9)"}));
  EXPECT_THAT(both.returned("s"), ElementsAreArray({"bytes_came", "bytes_came"}));
}

TEST(WhyRead, BytesOfAUnixStreamAlsoWhenOnlyPartIsTaken) {
  Story story(steps(pair_of("SOCK_STREAM", {"s: send(x, \"one\")", "t: sendmsg(x, [\"two\"])", "s: recv(y, 2)",
                                            "s: readv(y, [1, 1])", "s: recvmsg(y, 9)"})));
  EXPECT_THAT(why_text(story.about("s", 2)), AllOf(HasSubstr("came by s's send("), Not(HasSubstr("t's"))));
  EXPECT_THAT(story.returned("s", 1), ElementsAreArray({"bytes_came", "bytes_came"}));
  EXPECT_THAT(why_text(story.about("s")), AllOf(HasSubstr("came by t's sendmsg("), Not(HasSubstr("s's send"))));
}

TEST(WhyRead, APipeByWhoWroteThatPart) {
  Story story(steps({"s: r, w = pipe2(0)", "s: thread(t)", "s: write(w, \"one\")", "t: writev(w, [\"two\"])",
                     "s: read(r, 3)", "s: read(r, 9)", "s: close(w)", "s: read(r, 9)"}));
  EXPECT_THAT(why_text(story.about("s", 3)), AllOf(HasSubstr("written by s's write("), Not(HasSubstr("t's"))));
  EXPECT_THAT(why_text(story.about("s", 2)), AllOf(HasSubstr("written by t's writev("), Not(HasSubstr("s's write"))));
  EXPECT_THAT(story.returned("s"), ElementsAreArray({"pipe_has_no_writer"}));
}

TEST(WhyRead, ACounterATimerAndASignal) {
  Story counter(steps({"s: e = eventfd(0, 0)", "s: write(e, u64(3))", "s: read(e, 8)"}));
  EXPECT_THAT(counter.returned("s", 1), ElementsAreArray({"counted_up"}));
  EXPECT_THAT(counter.returned("s"), ElementsAreArray({"counter_was_up"}));
  Story timer(steps({"s: m = timerfd_create(CLOCK_MONOTONIC, 0)", "s: timerfd_settime(m, 20ms, 0ms)"}) +
              "  - wait: 20ms\n" + steps({"s: read(m, 8)"}));
  EXPECT_THAT(timer.returned("s"), ElementsAreArray({"timer_had_run_out"}));
  EXPECT_THAT(why_text(timer.about("s")), HasSubstr("the timer timerfd_tmrproc"));
}

// --- poll and select ---

TEST(WhyPolled, WhatIsThereAndWhatIsNot) {
  const char* fds = "[{a, POLLIN}, {l, POLLIN}, {-1, POLLIN}]";
  Story quiet(steps({"s: poll([{a, POLLIN}, {l, POLLIN}], 0)", "s: ppoll([{a, POLLIN}], 30)",
                     "s: select([a], [], [], 0)", "s: select([], [], [], 30)"}));
  EXPECT_THAT(quiet.returned("s", 3),
              ElementsAreArray({"asked_only", "item_nothing_queued", "item_accept_queue_empty"}));
  EXPECT_THAT(quiet.returned("s", 2), ElementsAreArray({"timed_out", "item_nothing_queued"}));
  EXPECT_THAT(quiet.returned("s", 1), ElementsAreArray({"asked_only", "item_nothing_queued"}));
  EXPECT_THAT(quiet.returned("s"), ElementsAreArray({"timed_out", "nothing_polled"}));
  Story ready(steps({"c: send(k, \"abc\")", std::string("s: poll(") + fds + ", -1)", "s: select([a], [a], [], -1)",
                     "s: poll([{77, POLLIN}], -1)"}));
  EXPECT_THAT(ready.returned("s", 2), ElementsAreArray({"event_reported"}));
  EXPECT_THAT(why_text(ready.about("s", 2)), HasSubstr("poll() of its file said EPOLLIN"));
  EXPECT_THAT(ready.returned("s", 1), ElementsAreArray({"event_reported"}));
  EXPECT_THAT(ready.returned("s"), ElementsAreArray({"polled_not_open"}));
}

TEST(WhyPolled, TheTimeoutIsTheArgumentWhereverItStands) {
  Story story(steps({"s: epoll_pwait(ep, 8, 0, [])", "s: epoll_pwait(ep, 8, 30, [SIGUSR1])"}));
  EXPECT_THAT(story.returned("s", 1), ElementsAreArray({"asked_only", "nothing_watched"}));
  EXPECT_THAT(story.returned("s"), ElementsAreArray({"timed_out", "nothing_watched"}));
}

TEST(WhyPolled, ASleeperThatWatchesNothing) {
  EXPECT_THAT(Story(steps({"s: select([], [], [], -1)"})).blocked("s"), ElementsAreArray({"nothing_polled"}));
}

// --- what a sleeper sleeps for ---

TEST(WhySleeps, OnAUnixStream) {
  Story read(steps(pair_of("SOCK_STREAM", {"s: recv(x, 9)"})));
  EXPECT_THAT(read.blocked("s"), ElementsAreArray({"nothing_queued"}));
  Story rest(steps(pair_of("SOCK_STREAM", {"t: send(y, \"abc\")", "s: recv(x, 9, MSG_WAITALL)"})));
  EXPECT_THAT(rest.blocked("s"), ElementsAreArray({"more_is_wanted"}));
  Story full(steps(pair_of("SOCK_STREAM", {"s: send(x, \"x\"*4000000)"})));
  EXPECT_THAT(full.blocked("s"), ElementsAreArray({"buffer_full", "peer_has_not_read"}));
}

TEST(WhySleeps, InAcceptAndConnectOfAUnixListener) {
  std::vector<std::string> listener = {"s: m = socket(AF_UNIX, SOCK_STREAM, 0)", "s: bind(m, unix:@m)",
                                       "s: listen(m, 0)"};
  Story accepts(steps(listener) + steps({"s: accept(m)"}));
  EXPECT_THAT(accepts.blocked("s"), ElementsAreArray({"accept_queue_empty"}));
  Story connects(steps(listener) + steps({"c: x = socket(AF_UNIX, SOCK_STREAM, 0)", "c: connect(x, unix:@m)",
                                          "d: y = socket(AF_UNIX, SOCK_STREAM, 0)", "d: connect(y, unix:@m)"}));
  EXPECT_THAT(connects.returned("c", 2), ElementsAreArray({"unix_connection_queued"}));
  EXPECT_THAT(connects.blocked("d"), ElementsAreArray({"backlog_full"}));
  Story taken(steps(listener) +
              steps({"c: x = socket(AF_UNIX, SOCK_STREAM, 0)", "c: connect(x, unix:@m)", "s: accept(m)"}));
  EXPECT_THAT(taken.returned("s"), ElementsAreArray({"connection_came"}));
  EXPECT_THAT(why_text(taken.about("s")), HasSubstr("c's connect("));
}

TEST(WhySleeps, OnAReceiverWithTooManyDatagrams) {
  std::string text = steps({"s: u = socket(AF_UNIX, SOCK_DGRAM, 0)", "s: bind(u, unix:@u)",
                            "c: v = socket(AF_UNIX, SOCK_DGRAM, 0)", "c: connect(v, unix:@u)"});
  for (int i = 0; i < 12; ++i) text += steps({"c: send(v, \"x\")"});
  Story story(text);
  EXPECT_THAT(story.blocked("c"), ElementsAreArray({"peer_queue_full"}));
  EXPECT_THAT(why_text(story.about("c")), HasSubstr("11 datagrams wait in the receive queue"));
}

TEST(WhySleeps, OnATimerASignalACounterAndAPipe) {
  Story timer(steps({"s: m = timerfd_create(CLOCK_MONOTONIC, 0)", "s: thread(t)", "t: read(m, 8)"}));
  EXPECT_THAT(timer.blocked("t"), ElementsAreArray({"timer_not_started"}));
  Story runs(steps({"s: m = timerfd_create(CLOCK_MONOTONIC, 0)", "s: thread(t)", "t: read(m, 8)",
                    "s: timerfd_settime(m, 9000ms, 0ms)"}));
  EXPECT_THAT(runs.blocked("t"), ElementsAreArray({"timer_not_yet"}));
  Story signal(steps({"s: g = signalfd4([SIGUSR1], 0)", "s: read(g, 128)"}));
  EXPECT_THAT(signal.blocked("s"), ElementsAreArray({"no_signal_pending"}));
  Story counter(steps({"s: e = eventfd(0, 0)", "s: write(e, u64(9223372036854775807))",
                       "s: write(e, u64(9223372036854775807))", "s: write(e, u64(1))"}));
  EXPECT_THAT(counter.blocked("s"), ElementsAreArray({"counter_is_full"}));
}

// --- what a call has done ---

TEST(WhyDone, ConnectByWhatItMeansForTheSocket) {
  Story story(steps(datagrams({"c: connect(v, addr(u))", "c: send(v, \"x\")"})));
  EXPECT_THAT(story.returned("c", 1), ElementsAreArray({"peer_noted"}));
  EXPECT_THAT(story.returned("c"), ElementsAreArray({"datagram_sent"}));
}

TEST(WhyDone, WritesByWhereTheBytesAre) {
  Story unix_(steps(pair_of("SOCK_STREAM", {"s: sendmsg(x, [\"abc\"])"})));
  EXPECT_THAT(unix_.returned("s"), ElementsAreArray({"unix_delivered"}));
  Story pipe(steps({"s: r, w = pipe2(0)", "s: writev(w, [\"ab\", \"c\"])"}));
  EXPECT_THAT(pipe.returned("s"), ElementsAreArray({"pipe_had_room"}));
  EXPECT_THAT(Story(steps({"c: sendmsg(k, [\"abc\"])"})).returned("c"), ElementsAreArray({"sent"}));
}

TEST(WhyDone, NumbersAndOptionsAndCloses) {
  Story story(steps({"s: e = eventfd(0, 0)", "s: f = dup(e)", "s: close(e)", "s: close(f)",
                     "s: setsockopt(a, SOL_SOCKET, SO_RCVLOWAT, 3)", "s: shutdown(a, SHUT_WR)"}));
  EXPECT_THAT(story.returned("s", 5), ElementsAreArray({"lowest_number"}));
  EXPECT_THAT(story.returned("s", 3), ElementsAreArray({"did_close"}));
  EXPECT_THAT(story.returned("s", 2), ElementsAreArray({"did_close_last"}));
  EXPECT_THAT(story.returned("s", 1), ElementsAreArray({"did_setsockopt"}));
  EXPECT_THAT(story.returned("s"), Contains("did_shutdown_sending"));
}

}  // namespace
}  // namespace wakepath::exports
