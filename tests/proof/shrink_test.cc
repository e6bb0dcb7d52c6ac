// A program in which one thing matters is cut down to that thing.

#include <gtest/gtest.h>

#include <algorithm>

#include "src/proof/shrink.hh"

namespace wakepath::proof {
namespace {

ProgramStep by_a(const std::string& function, std::vector<std::string> targets, std::vector<std::string> args) {
  return {"a", std::move(targets), function, std::move(args), "", "", false};
}

bool calls(const Program& program, const std::string& function) {
  return std::any_of(program.steps.begin(), program.steps.end(),
                     [&](const ProgramStep& s) { return s.function == function; });
}

TEST(Shrink, KeepsWhatTheFailureNeedsAndNothingElse) {
  Program program;
  for (int i = 0; i < 20; ++i) {
    program.steps.push_back(by_a("socket", {"s" + std::to_string(i)}, {"AF_INET", "SOCK_STREAM|SOCK_NONBLOCK", "0"}));
  }
  program.steps.push_back(by_a("listen", {}, {"s7", "8"}));
  program.steps.push_back(by_a("close", {}, {"s3"}));

  const auto still_shows = [](const Program& p) { return calls(p, "listen") && calls(p, "socket"); };
  const Program small = shrink(program, still_shows, 1000);

  ASSERT_EQ(small.steps.size(), 2u);
  EXPECT_EQ(small.steps[0].call(), "s7 = socket(AF_INET, SOCK_NONBLOCK, 0)");
  EXPECT_EQ(small.steps[1].call(), "listen(s7, 8)");
}

TEST(Shrink, StopsWhenItHasAskedOftenEnough) {
  Program program;
  program.steps.assign(64, step("close", {}, {"-1"}));
  int asked = 0;
  shrink(
      program, [&](const Program&) { return ++asked > 0; }, 3);
  EXPECT_EQ(asked, 3);
}

TEST(Shrink, KnowsWhichArgumentsMentionAName) {
  EXPECT_TRUE(mentions("addr(a.l1)", "l1"));
  EXPECT_TRUE(mentions("[{s3, POLLIN}, {l1, 0}]", "l1"));
  EXPECT_FALSE(mentions("l10", "l1"));
  EXPECT_FALSE(mentions("\"l1\"", "l1"));
}

}  // namespace
}  // namespace wakepath::proof
