// Another future of a scenario: one step changed, and where it parts from the first.
#include "src/scenario/fork.hh"

#include <gmock/gmock.h>

#include "sim/export/beside.hh"
#include "src/scenario/model_machine.hh"
#include "src/scenario/parser.hh"

namespace wakepath::scenario {
namespace {

using ::testing::HasSubstr;

const std::string kStory = R"yaml(wakepath: 1
title: Level or edge
steps:
  - server: a, b = socketpair(AF_UNIX, SOCK_STREAM, 0)
  - server: ep = epoll_create1(0)
  - server: epoll_ctl(ep, EPOLL_CTL_ADD, b, EPOLLIN) = 0   # level
  - say: {en: It is 'level'.}
  - server: 'send(a, "x: y") = 4'
  - server: epoll_wait(ep, 8, 0) = 1 [{EPOLLIN, b}]
  - server: "epoll_wait(ep, 8, 0) = 1 [{EPOLLIN, b}]"
  - wait: 50ms
)yaml";

std::string changed(int step, const std::string& words) {
  const auto text = with_step("story.yaml", kStory, step, words);
  if (const auto* problem = std::get_if<Problem>(&text)) return problem->text();
  return std::get<std::string>(text);
}
std::string source(int step) {
  const auto text = step_source("story.yaml", kStory, step);
  if (const auto* problem = std::get_if<Problem>(&text)) return problem->text();
  return std::get<std::string>(text);
}

std::shared_ptr<trace::Trace> story() {
  std::shared_ptr<trace::Trace> trace;
  const auto parsed = parse("story.yaml", kStory);
  run_on_model(std::get<Scenario>(parsed), {}, &trace);
  return trace;
}

TEST(Fork, GivesTheWordsOfAStepWhateverItsQuotes) {
  EXPECT_EQ(source(3), "epoll_ctl(ep, EPOLL_CTL_ADD, b, EPOLLIN) = 0");
  EXPECT_EQ(source(5), "send(a, \"x: y\") = 4");
  EXPECT_EQ(source(7), "epoll_wait(ep, 8, 0) = 1 [{EPOLLIN, b}]");
  EXPECT_EQ(source(8), "50ms");
  EXPECT_EQ(source(4),
            "story.yaml:7:5: found the step 'say', expected a call, returns, wait or expect: only those can "
            "be changed");
  EXPECT_EQ(source(9), "story.yaml: found step 9, expected one of the steps 1 to 8");
  EXPECT_THAT(source(0), HasSubstr("found step 0"));
}

TEST(Fork, ChangesThatStepAndNothingElse) {
  for (int step : {3, 5, 6, 7}) {
    const std::string text = changed(step, "send(a, \"it's: # 1\")");
    const auto parsed = parse("story.yaml", text);
    ASSERT_TRUE(std::holds_alternative<Scenario>(parsed)) << std::get<Problem>(parsed).text();
    EXPECT_EQ(std::get<Scenario>(parsed).steps.at(static_cast<size_t>(step) - 1).call.text, "send(a, \"it's: # 1\")");
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), std::count(kStory.begin(), kStory.end(), '\n'));
    EXPECT_THAT(text, HasSubstr("   # level\n")) << "a comment stays";
  }
}

TEST(Fork, SaysWhereTheChangedStepIsWrong) {
  EXPECT_THAT(changed(3, "epoll_ctl(ep, EPOLL_CTL_ADD, b, EPOLLOOPS)"), HasSubstr("story.yaml:6:"));
  EXPECT_THAT(changed(3, ""), HasSubstr("story.yaml:6:"));
  EXPECT_EQ(run_fork("story.yaml", kStory, 6, "epoll_weight(ep)").trace, nullptr);
}

TEST(Fork, AFutureThatCannotGoOnIsShownAsFarAsItWent) {
  const Fork fork = run_fork("story.yaml", kStory, 3, "recv(a, 9) = blocks");
  ASSERT_NE(fork.trace, nullptr);
  EXPECT_THAT(fork.message, HasSubstr("story.yaml:8:"));
}

TEST(Beside, FindsTheChangeAndWhereSomethingElseCameOutFirst) {
  const auto level = story();
  const Fork edge = run_fork("story.yaml", kStory, 3, "epoll_ctl(ep, EPOLL_CTL_ADD, b, EPOLLIN|EPOLLET) = 0");
  ASSERT_NE(edge.trace, nullptr) << edge.message;
  const exports::Beside found = exports::compare(*level, *edge.trace);
  ASSERT_TRUE(found.change && found.outcome);
  EXPECT_EQ(found.change->step, 3U);
  EXPECT_EQ(found.outcome->step, 7U) << "the first epoll_wait() gives the same";
  EXPECT_THAT(found.outcome->left, HasSubstr("server: epoll_wait("));
  EXPECT_THAT(found.outcome->left, HasSubstr("= 1 [{EPOLLIN"));
  EXPECT_THAT(found.outcome->right, ::testing::EndsWith(" = 0 []"));
}

TEST(Beside, OfTheSameTraceThereIsNone) {
  const exports::Beside found = exports::compare(*story(), *story());
  EXPECT_FALSE(found.change);
  EXPECT_FALSE(found.outcome);
}

TEST(Beside, AShorterFutureDiffersWhereItEnds) {
  const Fork blocked = run_fork("story.yaml", kStory, 6, "recv(a, 9) = blocks");
  ASSERT_NE(blocked.trace, nullptr);
  const exports::Beside found = exports::compare(*story(), *blocked.trace);
  ASSERT_TRUE(found.outcome);
  EXPECT_EQ(found.outcome->step, 6U);
  EXPECT_THAT(found.outcome->right, ::testing::EndsWith("…")) << "it waits";
}

}  // namespace
}  // namespace wakepath::scenario
