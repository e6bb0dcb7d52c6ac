// One quick run: its shape, and that every answer was right. Not its speed.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "src/bench/bench.hh"

namespace wakepath::bench {
namespace {

nlohmann::json run(const ServerOptions& options) {
  const Report report = bench_server(options);
  return nlohmann::json::parse(as_json(report.figures, report.notes));
}

TEST(ServerBench, EveryPartHasItsFiguresAndEveryAnswerIsRight) {
  const nlohmann::json found =
      run({.quick = true, .rounds = 1, .kinds = {"service", "coroutine"}, .connections = {1, 20}, .depths = {1, 3}});
  for (const char* key : {"raw_20_depth1_per_s",
                          "raw_20_depth1_busy",
                          "service_1_depth1_vs_raw",
                          "service_20_depth3_vs_raw",
                          "service_20_depth1_vs_raw",
                          "service_20_depth1_cpu_vs_raw",
                          "coroutine_1_depth3_vs_raw",
                          "service_20_depth1_p50_us",
                          "service_20_depth1_p99_us",
                          "service_sequential_vs_raw",
                          "service_sequential_p99_vs_raw",
                          "service_concurrent_vs_raw",
                          "service_large_vs_raw",
                          "service_small_beside_vs_raw",
                          "service_paced_p99_vs_raw",
                          "service_calls_per_request",
                          "service_idle_bytes",
                          "service_idle_wakeups_per_s",
                          "service_never_read_mb",
                          "mirror_off_per_s",
                          "mirror_on_per_s",
                          "mirror_ring_vs_off",
                          "mirror_on_vs_off",
                          "mirror_lost"})
    EXPECT_TRUE(found.contains(key)) << key;
  EXPECT_GT(found["raw_20_depth1_per_s"], 0);
  EXPECT_GT(found["service_sequential_per_s"], 0);
  EXPECT_GT(found["service_calls_per_request"], 0);
  EXPECT_GT(found["replies_checked"], 100);
  EXPECT_EQ(found["replies_wrong"], 0);
}

TEST(ServerBench, AServerThatIsLeftOutIsNotMeasured) {
  const nlohmann::json found =
      run({.quick = true, .rounds = 1, .kinds = {"echo"}, .connections = {2}, .depths = {1}, .parts = {"echo"}});
  EXPECT_TRUE(found.contains("echo_2_depth1_vs_raw"));
  EXPECT_FALSE(found.contains("service_2_depth1_vs_raw"));
  EXPECT_FALSE(found.contains("echo_sequential_vs_raw"));
}

TEST(ServerBench, MoreConnectionsThanDescriptorsAreANoteAndNotAFailure) {
  const nlohmann::json found = run({.quick = true,
                                    .rounds = 1,
                                    .kinds = {"echo"},
                                    .connections = {1'000'000'000},
                                    .depths = {1},
                                    .parts = {"echo"}});
  EXPECT_EQ(found["replies_checked"], 0);
  EXPECT_NE(found["notes"].dump().find("too many"), std::string::npos);
}

// Those of Debian's packages, as far as they were there when this was built.
TEST(ServerBench, TheOthersAnswerRightToo) {
  const nlohmann::json found = run({.quick = true,
                                    .rounds = 1,
                                    .kinds = {"libevent", "libuv", "asio", "lua"},
                                    .connections = {5},
                                    .depths = {2},
                                    .parts = {"echo", "short", "large"}});
  EXPECT_EQ(found["replies_wrong"], 0);
  EXPECT_GT(found["replies_checked"], 100);
  for (const std::string kind : {"libevent", "libuv", "asio"}) {
    const bool measured = found.contains(kind + "_5_depth2_vs_raw");
    const bool missing = found["notes"].dump().find(kind + " is missing: install") != std::string::npos;
    EXPECT_NE(measured, missing) << kind;
  }
}

}  // namespace
}  // namespace wakepath::bench
