// Why an epoll is quiet: each kind of file that it may watch, level and edge triggered, disarmed, and masked out.
#include <gmock/gmock.h>

#include "tests/export/why_story.hh"

namespace wakepath::exports {
namespace {

using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::Not;

const std::string kAsk = "s: epoll_wait(ep, 8, 0)";
const std::string kWait = "s: epoll_wait(ep, 8, -1)";

/// A kind of file `f`, what makes it ready, and what it lacks before.
struct Row {
  const char* name;
  std::string make;   ///< steps after which `f` is there and not ready
  std::string ready;  ///< steps that make it ready
  const char* lacks;
};

std::string watch(const std::string& events) { return steps({"s: epoll_ctl(ep, EPOLL_CTL_ADD, f, " + events + ")"}); }

const std::vector<Row>& rows() {
  static const std::vector<Row> kRows = {
      {"unix_stream", steps({"s: f, o = socketpair(AF_UNIX, SOCK_STREAM, 0)"}), steps({"s: write(o, \"hi\")"}),
       "item_nothing_queued"},
      {"unix_datagram", steps({"s: f, o = socketpair(AF_UNIX, SOCK_DGRAM, 0)"}), steps({"s: write(o, \"hi\")"}),
       "item_nothing_queued"},
      {"unix_listener",
       steps({"s: f = socket(AF_UNIX, SOCK_STREAM, 0)", "s: bind(f, unix:@here)", "s: listen(f, 8)",
              "s: o = socket(AF_UNIX, SOCK_STREAM, 0)"}),
       steps({"s: connect(o, unix:@here)"}), "item_accept_queue_empty"},
      {"timerfd", steps({"s: f = timerfd_create(CLOCK_MONOTONIC, 0)"}),
       steps({"s: timerfd_settime(f, 30ms, 0)"}) + "  - wait: 60ms\n", "item_timer_not_started"},
      {"signalfd", steps({"s: sigprocmask(SIG_BLOCK, [SIGUSR1])", "s: f = signalfd4([SIGUSR1], 0)"}),
       "  - signal: {to: s, name: SIGUSR1}\n", "item_no_signal"},
      {"eventfd", steps({"s: f = eventfd(0, 0)"}), steps({"s: write(f, u64(1))"}), "item_counter_is_zero"},
      {"pipe", steps({"s: f, o = pipe2(0)"}), steps({"s: write(o, \"hi\")"}), "item_nothing_queued"},
  };
  return kRows;
}

class WhyQuiet : public testing::TestWithParam<Row> {};

TEST_P(WhyQuiet, SaysWhatTheFileLacks) {
  const Story story(GetParam().make + watch("EPOLLIN") + steps({kWait}));
  EXPECT_THAT(story.blocked("s"), ElementsAreArray({GetParam().lacks}));
}

TEST_P(WhyQuiet, SaysThatNoNewEdgeHasCome) {
  const Story story(GetParam().make + watch("EPOLLIN|EPOLLET") + GetParam().ready + steps({kAsk, kWait}));
  EXPECT_THAT(story.blocked("s"), ElementsAreArray({"no_new_edge"}));
  EXPECT_THAT(why_text(story.about("s")), HasSubstr("EPOLLIN is there, but edge triggered"));
}

TEST_P(WhyQuiet, SaysThatOneShotHasDisarmedIt) {
  const Story story(GetParam().make + watch("EPOLLIN|EPOLLONESHOT") + GetParam().ready + steps({kAsk, kWait}));
  EXPECT_THAT(story.blocked("s"), ElementsAreArray({"oneshot_disarmed"}));
  EXPECT_THAT(why_text(story.about("s")), HasSubstr("although there is EPOLLIN"));
}

TEST_P(WhyQuiet, SaysThatWhatIsThereIsMaskedOut) {
  const Story story(GetParam().make + watch("EPOLLPRI") + GetParam().ready + steps({kWait}));
  EXPECT_EQ(story.blocked("s").front(), "masked_out");
  EXPECT_THAT(why_text(story.about("s")), HasSubstr("but the item watches for EPOLLPRI only: masked out"));
}

INSTANTIATE_TEST_SUITE_P(Of, WhyQuiet, testing::ValuesIn(rows()), [](const auto& row) { return row.param.name; });

TEST(WhyNever, TheReadEndOfAPipeIsNotWritable) {
  const std::string made = steps({"s: f, o = pipe2(0)"}) + watch("EPOLLOUT");
  const Story empty(made + steps({kWait}));
  EXPECT_THAT(empty.blocked("s"), ElementsAreArray({"never_of_reading_end"}));
  EXPECT_THAT(why_text(empty.about("s")), HasSubstr("the read end of a pipe never has EPOLLOUT, only EPOLLIN"));
  const Story full(made + steps({"s: write(o, \"hi\")", kWait}));
  EXPECT_THAT(full.blocked("s"), ElementsAreArray({"masked_out", "never_of_reading_end"}));
  const Story polled(steps({"s: f, o = pipe2(0)", "s: poll([{f, POLLOUT}], -1)"}));
  EXPECT_THAT(polled.blocked("s"), ElementsAreArray({"never_of_reading_end"}));
}

TEST(WhyNever, OfFilesThatAreForReadingOrWritingAlone) {
  const auto asked = [](const std::string& make, const std::string& events) {
    return Story(steps({make}) + watch(events) + steps({kWait})).blocked("s");
  };
  EXPECT_THAT(asked("s: o, f = pipe2(0)", "EPOLLIN"), ElementsAreArray({"never_of_writing_end"}));
  EXPECT_THAT(asked("s: f = timerfd_create(CLOCK_MONOTONIC, 0)", "EPOLLOUT"), ElementsAreArray({"never_of_timerfd"}));
  EXPECT_THAT(asked("s: f = signalfd4([SIGUSR1], 0)", "EPOLLOUT"), ElementsAreArray({"never_of_signalfd"}));
  EXPECT_THAT(asked("s: f = epoll_create1(0)", "EPOLLOUT"), ElementsAreArray({"never_of_epoll"}));
  EXPECT_THAT(asked("s: f = eventfd(0, 0)", "EPOLLRDHUP"), ElementsAreArray({"never_of_eventfd"}));
  EXPECT_THAT(asked("s: f = dup(l)", "EPOLLOUT"), ElementsAreArray({"never_of_listener"}));
}

TEST(WhyQuietFor, WritingToAFullPipeOrPeer) {
  const Story pipe(steps({"s: o, f = pipe2(O_NONBLOCK)", "s: write(f, \"x\"*70000)"}) + watch("EPOLLOUT") +
                   steps({kWait}));
  EXPECT_THAT(pipe.blocked("s"), ElementsAreArray({"item_pipe_is_full"}));
  const Story edge(steps({"s: f, o = socketpair(AF_UNIX, SOCK_STREAM, 0)"}) + watch("EPOLLOUT|EPOLLET") +
                   steps({kAsk, kWait}));
  EXPECT_THAT(edge.blocked("s"), ElementsAreArray({"no_new_edge"}));
  const Story counter(steps({"s: f = eventfd(0, 0)", "s: write(f, \"\\xfe\\xff\\xff\\xff\\xff\\xff\\xff\\xff\")"}) +
                      watch("EPOLLOUT") + steps({kWait}));
  EXPECT_THAT(counter.blocked("s"), ElementsAreArray({"masked_out"})) << "its counter is full, and can be read";
}

TEST(WhyQuietFor, AnEdgeAfterWhichOnlyMaskedThingsCame) {
  const Story story(steps({"s: epoll_ctl(ep, EPOLL_CTL_ADD, a, EPOLLOUT|EPOLLET)", kAsk, "s: thread(t)",
                           "t: epoll_wait(ep, 8, -1)", "c: send(k, \"hi\")"}));
  EXPECT_THAT(story.blocked("t", 1), ElementsAreArray({"no_new_edge"}));
  EXPECT_THAT(story.blocked("t"), ElementsAreArray({"no_new_edge_masked"}));
  EXPECT_THAT(why_text(story.about("t")), HasSubstr("Since then c's send("));
}

TEST(WhyQuietFor, WhatComesForADescriptorThatIsNotWatched) {
  const Story story(steps({"s: thread(t)", "t: epoll_wait(ep, 8, -1)", "c: send(k, \"hi\")", "c: send(k, \"ho\")"}));
  const std::vector<std::string> reasons = {"nothing_watched", "not_in_interest_list"};
  EXPECT_THAT(story.blocked("t", 1), ElementsAreArray(reasons));
  EXPECT_THAT(story.blocked("t"), ElementsAreArray(reasons)) << "the second joins the first one's buffer";
}

TEST(WhyQuietFor, ADisarmedItemOfWhichNothingIsThere) {
  const Story story(steps({"s: f, o = pipe2(0)"}) + watch("EPOLLIN|EPOLLONESHOT") +
                    steps({"s: write(o, \"hi\")", kAsk, "s: read(f, 9)", kWait}));
  EXPECT_THAT(story.blocked("s"), ElementsAreArray({"oneshot_disarmed_quiet"}));
  EXPECT_THAT(why_text(story.about("s")), Not(HasSubstr("there is 0")));
}

TEST(WhyQuietFor, FewerBytesThanTheMark) {
  const Story story(steps({"s: f = dup(a)", "s: setsockopt(a, SOL_SOCKET, SO_RCVLOWAT, 8)", "c: send(k, \"four\")"}) +
                    watch("EPOLLIN") + steps({kWait}));
  EXPECT_THAT(story.blocked("s"), ElementsAreArray({"item_too_little"}));
  EXPECT_THAT(why_text(story.about("s")), HasSubstr("4 bytes are queued, but SO_RCVLOWAT asks for 8"));
}

}  // namespace
}  // namespace wakepath::exports
