// Services with all their threads (socket, workers, timer, monitor) inside the model, in many orders.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/check/check.hh"
#include "src/os/model_os.hh"
#include "src/service/echo.hh"
#include "src/service/http.hh"
#include "src/service/runtime.hh"
#include "tests/server/conversation.hh"

namespace wakepath::service {
namespace {

using server::TalkingClient;
using testing::ElementsAre;
using testing::StartsWith;

class ModelServices : public testing::TestWithParam<bool> {
 protected:
  /// An echo and an HTTP service, some clients of both at once; all is well afterwards.
  void run(uint64_t seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    kernel::Kernel k({.record = false});
    {
      os::ModelOs os(k, {.schedule_seed = seed, .preemptible = seed % 2 == 0});
      probe::Probe probe;
      {
        Runtime runtime(os, probe, {.workers = 2, .in_place = GetParam()});
        ASSERT_EQ(runtime.open(), 0);
        ASSERT_EQ(runtime.start(), 0);
        ASSERT_EQ(runtime.launch(std::make_unique<EchoService>(), "echo").error, 0);
        ASSERT_EQ(runtime.launch(std::make_unique<HttpService>(), "http").error, 0);
        const std::vector<os::SocketAddress> at = runtime.listening();
        ASSERT_EQ(at.size(), 2U);
        std::vector<int> threads;
        for (int i = 0; i < 4; ++i)
          threads.push_back(os.thread_start("client", [&, i] { i % 2 == 0 ? echo(os, at[0], i) : get(os, at[1]); }));
        for (int thread : threads) EXPECT_EQ(os.thread_join(thread), 0);
        runtime.stop();
        EXPECT_GT(runtime.handled(), 8U);
      }
      EXPECT_EQ(os.problem(), "");
      EXPECT_THAT(os.open_descriptors(), ElementsAre());
      calls_ = os.calls();
    }
    EXPECT_THAT(check::check_invariants(k), ElementsAre());
  }
  uint64_t calls_ = 0;

 private:
  static void echo(os::Os& os, const os::SocketAddress& at, int number) {
    TalkingClient client(os, at);
    ASSERT_TRUE(client.connected());
    for (int round = 0; round < 3; ++round) {
      const std::string text = server::words_of(number, round, 100);
      client.say(text);
      EXPECT_EQ(client.hear(text.size()), text);
    }
    client.finish();
    EXPECT_EQ(client.hear(1), "");
  }
  static void get(os::Os& os, const os::SocketAddress& at) {
    TalkingClient client(os, at);
    ASSERT_TRUE(client.connected());
    client.say("GET / HTTP/1.1\r\nHost: model\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(client.hear(100'000), StartsWith("HTTP/1.1 200 OK\r\n"));
  }
};

TEST_P(ModelServices, AnswerTheirClients) { run(0); }

TEST_P(ModelServices, MakeTheSameCallsEachTime) {
  run(3);
  const uint64_t before = calls_;
  run(3);
  EXPECT_EQ(calls_, before);
}

TEST_P(ModelServices, AnswerTheirClientsInAnyOrder) {
  for (uint64_t seed = 1; seed <= 60 && !HasFailure(); ++seed) run(seed);
}

INSTANTIATE_TEST_SUITE_P(Services, ModelServices, testing::Bool(),
                         [](const auto& tested) { return tested.param ? "InPlace" : "OnWorkers"; });

}  // namespace
}  // namespace wakepath::service
