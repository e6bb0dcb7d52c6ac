// Reasons that name the one cause among several: of an errno that has many, of a readiness that came to nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/export/why_story.hh"

namespace wakepath::exports {
namespace {

using ::testing::Contains;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::Not;

// --- what was on the ready list and is not reported ---

TEST(WhyNotReported, WhatIsThereIsMaskedOut) {
  Story story(steps({"s: epoll_ctl(ep, EPOLL_CTL_ADD, a, EPOLLPRI)", "c: send(k, \"u\", MSG_OOB)",
                     "s: epoll_ctl(ep, EPOLL_CTL_MOD, a, EPOLLRDHUP)", "s: e = eventfd(1, 0)",
                     "s: epoll_ctl(ep, EPOLL_CTL_ADD, e, EPOLLIN)", "s: epoll_wait(ep, 8, 0)"}));
  const std::vector<std::string> reasons = story.returned("s");
  EXPECT_THAT(reasons, Contains("event_masked_out"));
  EXPECT_THAT(reasons, Contains("event_reported"));
  EXPECT_THAT(reasons, Not(Contains("event_gone")));
  EXPECT_THAT(why_text(story.about("s")), HasSubstr("it watches for nothing (EPOLLERR|EPOLLHUP|EPOLLRDHUP)"));
}

// --- who made it ready, when scans have moved it about since ---

TEST(WhyReady, AScanThatOnlyPutsItBackIsNotTheReason) {
  const std::string added = "It was ready when epoll_ctl() looked at it: s's epoll_ctl(";
  Story nested(steps({"s: e = eventfd(5, 0)", "s: epoll_ctl(ep, EPOLL_CTL_ADD, e, EPOLLIN|EPOLLET)",
                      "s: outer = epoll_create1(0)", "s: epoll_ctl(outer, EPOLL_CTL_ADD, ep, EPOLLIN)",
                      "s: poll([{ep, POLLIN}], 0)", "s: epoll_wait(ep, 8, 0)"}));
  EXPECT_THAT(why_text(nested.about("s")), HasSubstr(added));
  EXPECT_THAT(why_text(nested.about("s")), HasSubstr("EPOLLIN|EPOLLET) (step 9)"));
  Story full(
      steps({"s: e = eventfd(1, 0)", "s: f = eventfd(1, 0)", "s: epoll_ctl(ep, EPOLL_CTL_ADD, e, EPOLLIN)",
             "s: epoll_ctl(ep, EPOLL_CTL_ADD, f, EPOLLIN)", "s: epoll_wait(ep, 1, 0)", "s: epoll_wait(ep, 1, 0)"}));
  EXPECT_THAT(why_text(full.about("s")), HasSubstr(added));
}

// --- what a file's end brought, that came after the call or without one ---

TEST(WhyEnded, ByTheEndOfAThread) {
  Story story(steps({"s: fcntl(a, F_SETFL, 0)", "s: recv(a, 9)", "c: exit()"}));
  EXPECT_THAT(why_text(story.about("s")), HasSubstr("What woke it: the end of c (step 10)."));
  EXPECT_THAT(why_text(story.about("s")), HasSubstr("The reading side was ended by the end of c (step 10)."));
  Story pipe(steps({"c: r, w = pipe2(0)", "c: fork(d)", "c: close(w)", "c: read(r, 1)", "d: exit()"}));
  EXPECT_THAT(why_text(pipe.about("c")), HasSubstr("What woke it: the end of d (step 12)."));
}

TEST(WhyEnded, ByACloseWhoseWorkCameBehindItInLinux419) {
  Story story(steps({"s: fcntl(a, F_SETFL, 0)", "s: recv(a, 9)", "c: close(k)"}), "8", "profile: '4.19'\n");
  EXPECT_THAT(why_text(story.about("s")), HasSubstr("What woke it: c's close(3) (step 10)."));
  EXPECT_THAT(story.returned("c"), ElementsAreArray({"did_close_last"}));
  Story held(steps({"c: d = dup(k)", "c: close(k)"}), "8", "profile: '4.19'\n");
  EXPECT_THAT(held.returned("c"), ElementsAreArray({"did_close"}));
}

/// A thread that wakes, finds that another has taken the byte, and sleeps again.
std::vector<std::string> woken_in_vain(const std::vector<std::string>& more) {
  std::vector<std::string> out = {
      "s: fcntl(a, F_SETFL, 0)",  "s: thread(t)",  "s: thread(u)",     "s: epoll_ctl(ep, EPOLL_CTL_ADD, a, EPOLLIN)",
      "t: epoll_wait(ep, 8, -1)", "u: recv(a, 9)", "c: send(k, \"x\")"};
  out.insert(out.end(), more.begin(), more.end());
  return out;
}

TEST(WhyNotReported, WhatWasGoneInAnEarlierStepIsNotToldAgain) {
  Story asleep(steps(woken_in_vain({})));
  EXPECT_THAT(asleep.blocked("t"), Contains("woke_in_vain"));
  Story returned(steps(woken_in_vain({"c: send(k, \"y\")"})));
  EXPECT_THAT(returned.returned("t"), Contains("event_reported"));
  EXPECT_THAT(returned.returned("t"), Not(Contains("event_gone")));
}

// --- connect() ---

TEST(WhyConnecting, TheSynWasDropped) {
  const std::vector<std::string> full = {
      "s: listen(l, 0)",         "c: m = socket(AF_INET, SOCK_STREAM, 0)",
      "c: connect(m, addr(l))",  "c: n = socket(AF_INET, SOCK_STREAM|SOCK_NONBLOCK, 0)",
      "c: connect(n, addr(l))",  "c: connect(n, addr(l))",
      "c: q = epoll_create1(0)", "c: epoll_ctl(q, EPOLL_CTL_ADD, n, EPOLLOUT)",
      "c: epoll_wait(q, 8, 0)"};
  Story story(steps(full));
  EXPECT_THAT(story.returned("c", 4), ElementsAreArray({"connect_in_progress", "accept_queue_full_syn_dropped"}));
  EXPECT_THAT(story.returned("c", 3), ElementsAreArray({"connect_already", "accept_queue_full_syn_dropped"}));
  EXPECT_THAT(story.returned("c"),
              ElementsAreArray({"asked_only", "item_not_connected", "accept_queue_full_syn_dropped"}));
}

TEST(WhyConnecting, NothingWasDropped) {
  Story story(steps({"c: n = socket(AF_INET, SOCK_STREAM|SOCK_NONBLOCK, 0)", "c: connect(n, addr(l))"}));
  EXPECT_THAT(story.returned("c"), ElementsAreArray({"connect_in_progress"}));
}

// --- bind() ---

std::vector<std::string> port_again(const std::vector<std::string>& ends) {
  std::vector<std::string> out = {
      "s: o = socket(AF_INET, SOCK_STREAM, 0)", "s: bind(o, 127.0.0.1:5001)",    "s: listen(o, 8)",
      "c: m = socket(AF_INET, SOCK_STREAM, 0)", "c: connect(m, 127.0.0.1:5001)", "s: b = accept(o)"};
  out.insert(out.end(), ends.begin(), ends.end());
  out.emplace_back("s: w = socket(AF_INET, SOCK_STREAM, 0)");
  out.emplace_back("s: bind(w, 127.0.0.1:5001)");
  return out;
}

TEST(WhyAddressInUse, ByTimeWaitOrByTheLiving) {
  Story over(steps(port_again({"s: close(b)", "c: close(m)", "s: close(o)"})));
  EXPECT_THAT(over.returned("s"), ElementsAreArray({"port_in_time_wait"}));
  Story living(steps(port_again({})));
  EXPECT_THAT(living.returned("s"), ElementsAreArray({"port_in_use"}));
}

// --- ELOOP ---

TEST(WhyLoop, ACircleOrTooDeep) {
  Story circle(
      steps({"s: p = epoll_create1(0)", "s: q = epoll_create1(0)", "s: epoll_ctl(p, EPOLL_CTL_ADD, ep, EPOLLIN)",
             "s: epoll_ctl(q, EPOLL_CTL_ADD, p, EPOLLIN)", "s: epoll_ctl(ep, EPOLL_CTL_ADD, q, EPOLLIN)"}));
  EXPECT_THAT(circle.returned("s"), ElementsAreArray({"epoll_circle"}));
  std::vector<std::string> tower = {"s: p0 = epoll_create1(0)"};
  for (int i = 1; i <= 5; ++i) {
    tower.push_back("s: p" + std::to_string(i) + " = epoll_create1(0)");
    tower.push_back("s: epoll_ctl(p" + std::to_string(i) + ", EPOLL_CTL_ADD, p" + std::to_string(i - 1) + ", EPOLLIN)");
  }
  Story deep(steps(tower));
  EXPECT_THAT(deep.returned("s"), ElementsAreArray({"epoll_too_deep"}));
}

// --- EPIPE ---

TEST(WhyBrokenPipe, ByItsCause) {
  Story shut(steps({"c: shutdown(k, SHUT_WR)", "c: send(k, \"x\")"}));
  EXPECT_THAT(shut.returned("c"), ElementsAreArray({"send_ended", "ended_by"}));
  EXPECT_THAT(why_text(shut.about("c")), HasSubstr("ended by c's shutdown("));
  Story never(steps({"s: send(l, \"x\")"}));
  EXPECT_THAT(never.returned("s"), ElementsAreArray({"send_no_connection"}));
  Story reset(steps({"c: setsockopt(k, SOL_SOCKET, SO_LINGER, {1, 0})", "c: close(k)",
                     "s: getsockopt(a, SOL_SOCKET, SO_ERROR)", "s: send(a, \"x\")"}));
  EXPECT_THAT(reset.returned("s"), ElementsAreArray({"send_connection_over", "ended_by"}));
  EXPECT_THAT(why_text(reset.about("s")), HasSubstr("ended by c's close("));
  Story local(steps({"s: x, y = socketpair(AF_UNIX, SOCK_STREAM, 0)", "s: close(y)", "s: send(x, \"x\")"}));
  EXPECT_THAT(local.returned("s"), ElementsAreArray({"send_peer_deaf", "ended_by"}));
  Story pipe(steps({"s: r, w = pipe2(0)", "s: close(r)", "s: write(w, \"x\")"}));
  EXPECT_THAT(pipe.returned("s"), ElementsAreArray({"pipe_no_reader", "ended_by"}));
  EXPECT_THAT(why_text(pipe.about("s")), HasSubstr("ended by s's close("));
}

// --- what others have of a call is no reason of its result ---

TEST(WhyDone, WhatAnEpollMadeOfAWriteIsNoReason) {
  Story counter(steps({"s: e = eventfd(0, 0)", "s: epoll_ctl(ep, EPOLL_CTL_ADD, e, EPOLLIN)", "s: write(e, u64(1))"}));
  EXPECT_THAT(counter.returned("s"), ElementsAreArray({"counted_up"}));
  Story local(steps({"s: x, y = socketpair(AF_UNIX, SOCK_STREAM, 0)", "s: epoll_ctl(ep, EPOLL_CTL_ADD, y, EPOLLIN)",
                     "s: send(x, \"x\")", "s: shutdown(x, SHUT_WR)"}));
  EXPECT_THAT(local.returned("s", 1), ElementsAreArray({"unix_delivered"}));
  EXPECT_THAT(local.returned("s"), ElementsAreArray({"did_shutdown_sending"}));
  Story stream(steps({"s: epoll_ctl(ep, EPOLL_CTL_ADD, a, EPOLLIN)", "c: send(k, \"x\")", "c: shutdown(k, SHUT_WR)"}));
  EXPECT_THAT(stream.returned("c", 1), ElementsAreArray({"sent"}));
  EXPECT_THAT(stream.returned("c"), ElementsAreArray({"did_shutdown_sending"}));
}

}  // namespace
}  // namespace wakepath::exports
