// Every order of a few calls: none goes wrong, and with the second look taken out one does, the shortest first.

#include <gtest/gtest.h>

#include "src/proof/explore.hh"
#include "src/scenario/parser.hh"

namespace wakepath::proof {
namespace {

scenario::Scenario lost_wake_up() {
  auto parsed = scenario::parse_file(WAKEPATH_SOURCE_DIR "/scenarios/museum-lost-wake-up.yaml");
  return std::get<scenario::Scenario>(parsed);
}

Explored explore_text(const std::string& steps, const ExploreOptions& options = {}) {
  auto parsed = scenario::parse("t.yaml", "wakepath: 1\ntitle: t\nsteps:\n" + steps);
  return explore(std::get<scenario::Scenario>(parsed), options);
}

TEST(Explore, FindsNothingWrongInAnyOrder) {
  const Explored found = explore(lost_wake_up(), {});
  EXPECT_TRUE(found.exhaustive) << found.error;
  EXPECT_EQ(found.orders, 3u) << "the data comes before the first look, between the two, and when it sleeps";
  EXPECT_EQ(found.bad, 0u);
}

TEST(Explore, TakesOrdersThatDifferOnlyInWhenACallBeginsForOne) {
  const Explored found = explore_text(
      "  - a: e = eventfd(0, EFD_NONBLOCK)\n"
      "  - a: fork(b)\n"
      "  - a: fork(c)\n"
      "  - mark: explore\n"
      "  - a: write(e, u64(1)) = ?\n"
      "  - b: read(e, 8) = ?\n"
      "  - c: read(e, 8) = ?\n");
  EXPECT_EQ(found.orders, 6u) << "three calls that do not sleep";
  EXPECT_EQ(found.results.size(), 3u) << "b reads, c reads, nobody does";
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
  const Explored found = explore(lost_wake_up(), {2, "", 0});
  EXPECT_EQ(found.orders, 2u);
  EXPECT_FALSE(found.exhaustive);
}

TEST(Explore, TriesOthersAtRandomBeyondTheBound) {
  const std::string steps =
      "  - a: e = eventfd(0, EFD_NONBLOCK)\n"
      "  - a: fork(b)\n"
      "  - a: fork(c)\n"
      "  - mark: explore\n"
      "  - a: write(e, u64(1)) = ?\n"
      "  - a: write(e, u64(2)) = ?\n"
      "  - b: read(e, 8) = ?\n"
      "  - b: read(e, 8) = ?\n"
      "  - c: read(e, 8) = ?\n"
      "  - c: read(e, 8) = ?\n";
  const Explored all = explore_text(steps);
  EXPECT_TRUE(all.exhaustive) << all.error;
  EXPECT_EQ(all.sampled, 0u);
  ASSERT_GT(all.orders, 20u);

  const std::uint64_t few = all.orders / 20;
  const Explored prefix = explore_text(steps, {few, "", 0});
  const Explored some = explore_text(steps, {few, "", 40});
  EXPECT_EQ(prefix.orders, few);
  EXPECT_EQ(some.orders, few + some.sampled);
  EXPECT_GT(some.sampled, 10u);
  EXPECT_FALSE(some.exhaustive);
  EXPECT_GT(some.results.size(), prefix.results.size()) << "those in turn have the first choices in common";
  EXPECT_EQ(some.results, explore_text(steps, {few, "", 40}).results) << "the same seed, the same orders";
}

TEST(Explore, CountsNoOrderTwice) {
  const Explored all = explore(lost_wake_up(), {});
  const Explored drawn = explore(lost_wake_up(), {1, "", 500});
  EXPECT_EQ(drawn.orders, all.orders) << "there are few, and all come up";
  EXPECT_EQ(drawn.results, all.results);
}

TEST(Explore, FindsAtRandomWhatLiesBeyondTheBound) {
  EXPECT_GT(explore(lost_wake_up(), {1, "no_second_look", 500}).bad, 0u);
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

class Sleeper : public testing::TestWithParam<std::string> {
 protected:
  scenario::Scenario file() const {
    auto parsed = scenario::parse_file(WAKEPATH_SOURCE_DIR "/tests/proof/orders/" + GetParam() + ".yaml");
    return std::get<scenario::Scenario>(parsed);
  }
};

TEST_P(Sleeper, IsWokenInEveryOrder) {
  const Explored found = explore(file(), {});
  EXPECT_EQ(found.error, "");
  EXPECT_TRUE(found.exhaustive);
  EXPECT_EQ(found.impossible, 0u);
  EXPECT_EQ(found.bad, 0u) << found.shortest.complaints.front();
}

TEST_P(Sleeper, SleepsForEverWithoutTheSecondLook) {
  const Explored found = explore(file(), {20000, "no_second_look"});
  ASSERT_GT(found.bad, 0u);
  ASSERT_EQ(found.shortest.turns.size(), 3u);
  EXPECT_EQ(found.shortest.turns[0].then, "is about to sleep; another may come between");
  EXPECT_EQ(found.shortest.turns[2].then, "sleeps");
  EXPECT_NE(found.shortest.complaints.front().find("sleeps in"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Of, Sleeper,
                         testing::Values("pipe", "full_pipe", "eventfd", "unix_stream", "unix_datagram", "udp", "poll"),
                         [](const auto& row) { return row.param; });

TEST(Explore, LooksAtTheHandshakeBothSidesSleepIn) {
  const Explored found = explore_text(
      "  - server: l = socket(AF_INET, SOCK_STREAM, 0)\n"
      "  - server: bind(l, 127.0.0.1:0) = 0\n"
      "  - server: listen(l, 8) = 0\n"
      "  - client: c = socket(AF_INET, SOCK_STREAM, 0)\n"
      "  - mark: explore\n"
      "  - server: s = accept4(l, 0)\n"
      "  - client: connect(c, addr(l)) = ?\n");
  EXPECT_EQ(found.error, "");
  EXPECT_TRUE(found.exhaustive);
  EXPECT_GT(found.orders, 2u);
  EXPECT_EQ(found.bad, 0u);
}

TEST(Explore, SaysWhichStepOfTheSetupIsWrong) {
  const Explored found = explore_text(
      "  - a: e = eventfd(0, EFD_NONBLOCK)\n"
      "  - a: read(e, 8) = 8\n"
      "  - mark: explore\n"
      "  - a: close(e) = ?\n");
  EXPECT_EQ(found.orders, 0u);
  EXPECT_NE(found.error.find("t.yaml: step 2: read(e, 8) gave -1 EAGAIN"), std::string::npos) << found.error;
}

TEST(Explore, SaysThatASetupBlocks) {
  const Explored found = explore_text(
      "  - a: e = eventfd(0, 0)\n"
      "  - a: read(e, 8) = ?\n"
      "  - a: close(e) = ?\n"
      "  - mark: explore\n"
      "  - b: p = epoll_create1(0)\n");
  EXPECT_EQ(found.orders, 0u);
  EXPECT_NE(found.error.find("is still blocked in"), std::string::npos) << found.error;
}

TEST(Explore, NeverCallsNoOrderAtAllFine) {
  const Explored none = explore(lost_wake_up(), {0, "", 0});
  EXPECT_EQ(none.orders, 0u);
  EXPECT_NE(none.error, "");
  EXPECT_NE(explore_text("  - a: e = eventfd(0, 0)\n  - mark: explore\n").error.find("nothing to explore"),
            std::string::npos);
}

}  // namespace
}  // namespace wakepath::proof
