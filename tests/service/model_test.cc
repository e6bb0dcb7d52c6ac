// Services with all their threads (socket, workers, timer, monitor) inside the model, in many orders.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/check/check.hh"
#include "src/os/model_os.hh"
#include "src/service/echo.hh"
#include "src/service/http.hh"
#include "src/service/lua_service.hh"
#include "src/service/runtime.hh"
#include "tests/os/recording.hh"
#include "tests/server/conversation.hh"

namespace wakepath::service {
namespace {

using server::TalkingClient;
using testing::ElementsAre;
using testing::StartsWith;

/// Answers each line in capitals, after a while.
constexpr const char* kUpper = R"(
  local listener = socket.listen('127.0.0.1', 0)
  socket.start(listener, function(id, address)
    socket.start(id)
    local line = socket.readline(id)
    while line do
      wakepath.sleep(0.01)
      socket.write(id, string.upper(line) .. '\n')
      line = socket.readline(id)
    end
    socket.close(id)
  end)
)";

class ModelServices : public testing::TestWithParam<bool> {
 protected:
  /// An echo, an HTTP and a Lua service, some clients of each at once; all is well afterwards.
  void run(uint64_t seed, bool record = false) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    kernel::Kernel k({.record = record});
    {
      os::ModelOs os(k, {.schedule_seed = seed, .preemptible = seed % 2 == 0});
      probe::Probe probe;
      {
        Runtime runtime(os, probe, {.workers = 2, .in_place = GetParam()});
        ASSERT_EQ(runtime.open(), 0);
        ASSERT_EQ(runtime.start(), 0);
        ASSERT_EQ(runtime.launch(std::make_unique<EchoService>(), "echo").error, 0);
        ASSERT_EQ(runtime.launch(std::make_unique<HttpService>(), "http").error, 0);
        auto lua = std::make_unique<LuaService>(LuaService::Options{.name = "upper.lua", .source = kUpper});
        ASSERT_EQ(runtime.launch(std::move(lua)).error, 0);
        const std::vector<os::SocketAddress> at = runtime.listening();
        ASSERT_EQ(at.size(), 3U);
        std::vector<int> threads;
        for (int i = 0; i < 2; ++i) {
          threads.push_back(os.thread_start("echo client", [&, i] { echo(os, at[0], i); }));
          threads.push_back(os.thread_start("http client", [&] { get(os, at[1]); }));
          threads.push_back(os.thread_start("lua client", [&] { shout(os, at[2]); }));
        }
        for (int thread : threads) EXPECT_EQ(os.thread_join(thread), 0);
        runtime.stop();
        EXPECT_GT(runtime.handled(), 8U);
      }
      EXPECT_EQ(os.problem(), "");
      EXPECT_THAT(os.open_descriptors(), ElementsAre());
    }
    if (record) recording_ = os::everything(*k.trace());
    EXPECT_THAT(check::check_invariants(k), ElementsAre());
  }
  std::vector<std::string> recording_;

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
  static void shout(os::Os& os, const os::SocketAddress& at) {
    TalkingClient client(os, at);
    ASSERT_TRUE(client.connected());
    client.say("one\ntwo\n");
    EXPECT_EQ(client.hear(8), "ONE\nTWO\n");
  }
  static void get(os::Os& os, const os::SocketAddress& at) {
    TalkingClient client(os, at);
    ASSERT_TRUE(client.connected());
    client.say("GET / HTTP/1.1\r\nHost: model\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(client.hear(100'000), StartsWith("HTTP/1.1 200 OK\r\n"));
  }
};

TEST_P(ModelServices, AnswerTheirClients) { run(0); }

TEST_P(ModelServices, LeaveTheSameTraceEachTime) {
  run(3, true);
  const std::vector<std::string> before = std::move(recording_);
  EXPECT_GT(before.size(), 10'000U);
  run(3, true);
  EXPECT_TRUE(recording_ == before);
}

TEST_P(ModelServices, AnswerTheirClientsInAnyOrder) {
  for (uint64_t seed = 1; seed <= 60 && !HasFailure(); ++seed) run(seed);
}

INSTANTIATE_TEST_SUITE_P(Services, ModelServices, testing::Bool(),
                         [](const auto& tested) { return tested.param ? "InPlace" : "OnWorkers"; });

}  // namespace
}  // namespace wakepath::service
