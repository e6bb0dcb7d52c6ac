// What only the modelled machine promises: the same run every time, a word about being stuck, an orderly end.
#include "src/os/model_os.hh"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <set>
#include <string>
#include <vector>

#include "sim/trace/trace.hh"
#include "src/os/mutex.hh"

namespace wakepath::os {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(ModelOs, TimeStandsStillUntilNobodyCanRun) {
  kernel::Kernel k;
  ModelOs os(k);
  EXPECT_EQ(os.monotonic_ns(), 0);
  int fds[2];
  ASSERT_EQ(os.pipe2(fds, 0), 0);
  EXPECT_EQ(os.monotonic_ns(), 0);
  EXPECT_EQ(os.sleep_ns(3'600'000'000'000), 0) << "an hour that nobody waits for";
  EXPECT_EQ(os.monotonic_ns(), 3'600'000'000'000);
}

TEST(ModelOs, SleepersWakeInOrderOfTheirTimes) {
  kernel::Kernel k;
  ModelOs os(k);
  std::vector<int> order;
  std::array<int, 4> threads{};
  for (int i = 0; i < 4; ++i)
    threads[static_cast<size_t>(i)] = os.thread_start("sleeper", [&os, &order, i] {
      os.sleep_ns(1'000 * (4 - i));
      order.push_back(i);
    });
  for (int thread : threads) os.thread_join(thread);
  EXPECT_THAT(order, ElementsAre(3, 2, 1, 0));
}

/// Some threads that race for a pipe and a lock; the order in which they came by.
std::vector<int> race(uint64_t seed) {
  kernel::Kernel k({.record = false});
  ModelOs os(k, {.schedule_seed = seed});
  Mutex lock(os);
  std::vector<int> order;
  std::array<int, 3> threads{};
  for (int i = 0; i < 3; ++i)
    threads[static_cast<size_t>(i)] = os.thread_start("racer", [&, i] {
      for (int round = 0; round < 3; ++round) {
        os.epoll_create1(0);
        Lock hold(lock);
        order.push_back(i);
      }
    });
  for (int thread : threads) os.thread_join(thread);
  EXPECT_EQ(os.problem(), "");
  return order;
}

TEST(ModelOs, WithoutASeedThreadsTakeTurns) { EXPECT_THAT(race(0), ElementsAre(0, 1, 2, 0, 1, 2, 0, 1, 2)); }

TEST(ModelOs, ASeedChoosesTheOrderAndTheSameSeedTheSameOne) {
  std::set<std::vector<int>> orders;
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    const std::vector<int> order = race(seed);
    EXPECT_EQ(order, race(seed)) << seed;
    orders.insert(order);
  }
  EXPECT_GT(orders.size(), 20U);
}

TEST(ModelOs, AProgramThatIsStuckIsToldWhoWaitsForWhat) {
  kernel::Kernel k;
  ModelOs os(k);
  int fds[2];
  ASSERT_EQ(os.pipe2(fds, 0), 0);
  std::atomic<uint32_t> word{0};
  int parked = 0;
  ssize_t got = 0;
  const int waiter = os.thread_start("waiter", [&] { parked = os.park(word, 0, -1); });
  const int reader = os.thread_start("reader", [&] {
    char byte = 0;
    got = os.read(fds[0], &byte, 1);
  });
  EXPECT_EQ(os.thread_join(waiter), 0);
  EXPECT_EQ(os.thread_join(reader), 0);
  EXPECT_EQ(parked, -ECANCELED);
  EXPECT_EQ(got, -ECANCELED);
  EXPECT_THAT(os.problem(), HasSubstr("nobody can run any more, and no timer is armed"));
  EXPECT_THAT(os.problem(), HasSubstr("main waits in thread_join(2)"));
  EXPECT_THAT(os.problem(), HasSubstr("waiter waits in park(0)"));
  EXPECT_THAT(os.problem(), HasSubstr("reader waits in read(" + std::to_string(fds[0]) + ")"));
}

TEST(ModelOs, AProgramThatOnlyLetsTimePassIsStuckToo) {
  kernel::Kernel k({.record = false});
  ModelOs os(k, {.time_limit_ns = 1'000'000'000});
  int ticks = 0;
  const int ticker = os.thread_start("ticker", [&] {
    while (os.sleep_ns(1'000'000) == 0) ++ticks;
  });
  EXPECT_EQ(os.thread_join(ticker), 0);
  EXPECT_EQ(ticks, 1000);
  EXPECT_THAT(os.problem(), HasSubstr("still waiting after 1 s of virtual time"));
}

TEST(ModelOs, ShutdownWakesWhoeverSleepsAndLetsNobodySleepAgain) {
  kernel::Kernel k;
  ModelOs os(k);
  int fds[2];
  ASSERT_EQ(os.pipe2(fds, 0), 0);
  std::vector<long> results;
  std::atomic<uint32_t> word{0};
  const int first = os.thread_start("first", [&] {
    results.push_back(os.park(word, 0, -1));
    results.push_back(os.park(word, 1, -1));
    results.push_back(os.sleep_ns(1'000'000'000));
  });
  const int second = os.thread_start("second", [&] {
    char byte = 0;
    results.push_back(os.read(fds[0], &byte, 1));
    results.push_back(os.write(fds[1], "x", 1));
    results.push_back(os.read(fds[0], &byte, 1));
  });
  os.sleep_ns(1);
  EXPECT_TRUE(results.empty());
  os.shutdown();
  EXPECT_EQ(os.thread_join(first), 0);
  EXPECT_EQ(os.thread_join(second), 0);
  const long cancelled = -ECANCELED;
  EXPECT_THAT(results, testing::UnorderedElementsAre(cancelled, -EAGAIN, cancelled, cancelled, 1, 1));
  EXPECT_EQ(os.problem(), "") << "it was asked for";
  EXPECT_LT(os.monotonic_ns(), 1'000'000'000);
}

TEST(ModelOs, ThreadsThatNobodyJoinedEndWithTheMachine) {
  kernel::Kernel k;
  long result = 0;
  {
    ModelOs os(k);
    os.thread_start("forgotten", [&] { result = os.sleep_ns(1'000'000'000'000); });
    os.sleep_ns(1);
  }
  EXPECT_EQ(result, -ECANCELED);
}

TEST(ModelOs, InSomebodyElsesKernelAllRunUntilNobodyCanAndNoTimePasses) {
  kernel::Kernel k;
  kernel::task_struct* other = k.spawn_process("other");
  ModelOs os(k, {.first_thread = "program", .call_is_step = false});
  int fds[2];
  ASSERT_EQ(os.pipe2(fds, 0), 0);
  std::string heard;
  const int reader = os.thread_start("reader", [&] {
    char byte = 0;
    os.read(fds[0], &byte, 1);
    heard += byte;
    os.sleep_ns(1'000'000);
    heard += '.';
  });
  int theirs[2];
  k.start(other, kernel::sys_pipe2(k, theirs, 0));
  os.run_until_quiet();
  EXPECT_TRUE(other->call_done()) << "a task that is no thread of the program";
  os.write(fds[1], "x", 1);
  os.run_until_quiet();
  EXPECT_EQ(heard, "x");
  EXPECT_EQ(os.monotonic_ns(), 0);
  k.scheduler.advance_to(1'000'000);  // the kernel's owner lets it run by himself
  os.run_until_quiet();
  EXPECT_EQ(heard, "x.");
  EXPECT_EQ(os.thread_join(reader), 0);
  const trace::Trace& trace = *k.trace();
  for (trace::Position at = 0; at < trace.size(); ++at) EXPECT_NE(trace[at].kind, trace::RecordKind::kStep);
}

TEST(ModelOs, KnowsWhichDescriptorsAreOpen) {
  kernel::Kernel k;
  ModelOs os(k);
  EXPECT_THAT(os.open_descriptors(), ElementsAre());
  int fds[2];
  ASSERT_EQ(os.pipe2(fds, 0), 0);
  EXPECT_THAT(os.open_descriptors(), ElementsAre(3, 4));
  os.close(3);
  EXPECT_THAT(os.open_descriptors(), ElementsAre(4));
}

TEST(ModelOs, ATraceHasAStepForEachCallAndNamesNoAddresses) {
  kernel::Kernel k;
  ModelOs os(k);
  std::atomic<uint32_t> word{0};
  const int waker = os.thread_start("waker", [&] {
    os.sleep_ns(1);
    word = 1;
    os.unpark(word, 1);
  });
  os.park(word, 0, -1);
  os.thread_join(waker);
  std::vector<std::string> calls;
  const trace::Trace& trace = *k.trace();
  for (trace::Position at = 0; at < trace.size(); ++at)
    if (trace[at].kind == trace::RecordKind::kSyscall) calls.emplace_back(trace.string(trace[at].object));
  EXPECT_THAT(calls, testing::Contains("futex(word1, FUTEX_WAIT_PRIVATE, 0, NULL)"));
  EXPECT_THAT(calls, testing::Contains("futex(word1, FUTEX_WAKE_PRIVATE, 1)"));
}

}  // namespace
}  // namespace wakepath::os
