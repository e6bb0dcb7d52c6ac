// Every order of a few calls: none goes wrong, and with the second look taken out one does, the shortest first.

#include <gtest/gtest.h>

#include "src/proof/explore.hh"
#include "src/scenario/parser.hh"

namespace wakepath::proof {
namespace {

scenario::Scenario lost_wake_up() {
  auto parsed = scenario::parse_file(WAKEPATH_SOURCE_DIR "/tests/proof/lost-wake-up.yaml");
  return std::get<scenario::Scenario>(parsed);
}

TEST(Explore, FindsNothingWrongInAnyOrder) {
  const Explored found = explore(lost_wake_up(), {});
  EXPECT_TRUE(found.exhaustive) << found.error;
  EXPECT_GE(found.orders, 3u);
  EXPECT_EQ(found.bad, 0u);
}

TEST(Explore, FindsTheLostWakeUpWithoutTheSecondLook) {
  const Explored found = explore(lost_wake_up(), {20000, "no_second_look"});
  ASSERT_GT(found.bad, 0u);
  ASSERT_EQ(found.shortest.turns.size(), 3u);
  EXPECT_EQ(found.shortest.turns[0].actor, "server");
  EXPECT_EQ(found.shortest.turns[0].then, "is about to sleep; another may come between");
  EXPECT_EQ(found.shortest.turns[1].actor, "client");
  EXPECT_EQ(found.shortest.turns[2].actor, "server");
  EXPECT_EQ(found.shortest.turns[2].then, "sleeps");
  EXPECT_NE(found.shortest.complaints.front().find("somebody sleeps in epoll_wait()"), std::string::npos);
}

TEST(Explore, StopsAtTheBound) {
  const Explored found = explore(lost_wake_up(), {2, ""});
  EXPECT_EQ(found.orders, 2u);
  EXPECT_FALSE(found.exhaustive);
}

TEST(Explore, TakesEachActorsOwnOrder) {
  const auto parsed = scenario::parse("two.yaml",
                                      "wakepath: 1\n"
                                      "title: two\n"
                                      "steps:\n"
                                      "  - a: p = epoll_create1(0)\n"
                                      "  - a: close(p)\n"
                                      "  - b: q = epoll_create1(0)\n"
                                      "  - b: close(q)\n");
  const Explored found = explore(std::get<scenario::Scenario>(parsed), {});
  EXPECT_TRUE(found.exhaustive);
  EXPECT_EQ(found.results.size(), 1u);
  EXPECT_EQ(found.impossible, 0u);
}

}  // namespace
}  // namespace wakepath::proof
