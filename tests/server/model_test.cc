// The socket-server inside the model: what it answers, the same run twice, other orders.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "sim/check/check.hh"
#include "src/os/linux_os.hh"
#include "src/os/model_os.hh"
#include "tests/os/recording.hh"
#include "tests/server/conversation.hh"

namespace wakepath::server {
namespace {

/// Everything that the trace of a run says.
std::vector<std::string> recorded(const Talk& how, uint64_t seed) {
  kernel::Kernel k;
  {
    os::ModelOs os(k, {.schedule_seed = seed});
    converse(os, os, how);
    EXPECT_EQ(os.problem(), "");
  }
  return os::everything(*k.trace());
}

TEST(ModelServer, AnswersTheSameBytesAsOnTheRunningKernel) {
  for (const PollerKind poller : {PollerKind::epoll_level, PollerKind::epoll_edge}) {
    const Talk how{.clients = 4, .rounds = 3, .size = 3000, .poller = poller};
    os::LinuxOs real;
    const Heard on_linux = converse(real, real, how);
    kernel::Kernel k;
    os::ModelOs os(k);
    const Heard on_model = converse(os, os, how);
    EXPECT_EQ(os.problem(), "");
    EXPECT_EQ(on_linux.error, 0);
    EXPECT_TRUE(on_linux.served_afterwards && on_model.served_afterwards);
    EXPECT_EQ(on_model.said, on_linux.said);
    EXPECT_EQ(on_model.answers, on_linux.answers);
    EXPECT_EQ(on_model.answers, on_model.said);
    EXPECT_THAT(os.open_descriptors(), testing::ElementsAre());
  }
}

TEST(ModelServer, TheSameRunGivesTheSameTrace) {
  for (uint64_t seed : {0, 5}) {
    const std::vector<std::string> first = recorded({}, seed);
    EXPECT_GT(first.size(), 10'000U);
    EXPECT_TRUE(first == recorded({}, seed)) << "seed " << seed;
  }
}

TEST(ModelServer, AnotherSeedIsAnotherOrderAndTheSameAnswers) {
  std::set<uint64_t> runs;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    kernel::Kernel k({.record = false});
    os::ModelOs os(k, {.schedule_seed = seed, .preemptible = seed % 2 == 0});
    const Heard heard = converse(os, os, {.last_is_rude = seed % 3 == 0});
    ASSERT_EQ(os.problem(), "") << "seed " << seed;
    ASSERT_TRUE(heard.served_afterwards) << "seed " << seed;
    for (size_t i = 0; i < heard.said.size(); ++i) {
      const bool rude = seed % 3 == 0 && i + 1 == heard.said.size();
      if (rude) continue;
      ASSERT_EQ(heard.answers[i], heard.said[i]) << "seed " << seed << ", client " << i;
    }
    ASSERT_THAT(os.open_descriptors(), testing::ElementsAre()) << "seed " << seed;
    ASSERT_THAT(check::check_invariants(k), testing::ElementsAre()) << "seed " << seed;
    runs.insert(os.calls());
  }
  EXPECT_GT(runs.size(), 5U) << "not only the order of the same calls";
}

TEST(ModelServer, StoppingTheMachineStopsTheServerAndItsClients) {
  kernel::Kernel k({.record = false});
  os::ModelOs os(k);
  const int killer = os.thread_start("killer", [&] {
    os.sleep_ns(1'000'000);
    os.shutdown();
  });
  probe::Probe probe;
  {
    SocketServer server(os, probe);
    ASSERT_EQ(server.open(), 0);
    const Opened listening = server.listen(1, os::Endpoint{});
    server.start(1, listening.id);
    const int client = os.thread_start("client", [&] {
      TalkingClient waits(os, listening.address);
      EXPECT_EQ(waits.hear(1), "");
    });
    for (Message message = server.poll(); message.type != MessageType::exit;) message = server.poll();
    EXPECT_EQ(os.thread_join(client), 0);
  }
  EXPECT_EQ(os.thread_join(killer), 0);
  EXPECT_THAT(os.open_descriptors(), testing::ElementsAre());
}

}  // namespace
}  // namespace wakepath::server
