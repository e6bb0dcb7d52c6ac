// Several modelled CPUs: where the softirq runs, where the woken task runs, and who makes it runnable.
#include <gmock/gmock.h>

#include "sim/check/check.hh"
#include "tests/kernel/machine.hh"

namespace wakepath::testing_kernel {
namespace {

using namespace kernel;  // NOLINT

Config with_cpus(unsigned cpus) {
  Config config;
  config.cpus = cpus;
  return config;
}

/// The server, on CPU 0, sleeps in epoll_wait() with a connection that the client, on CPU 1, sends to.
struct Sleeping : Machine {
  explicit Sleeping(unsigned cpus) : Machine(with_cpus(cpus)) {
    listen();
    watch_listener();
    EXPECT_EQ(connect(), 0);
    EXPECT_EQ(accept(), 5);
    EXPECT_EQ(call(server, sys_epoll_ctl(k, 4, EPOLL_CTL_ADD, 5, {EPOLLIN, 5})), 0);
    EXPECT_EQ(epoll_wait(-1), kBlocked);
  }
};

TEST(SeveralCpus, AnIdleOneIsInterruptedAndMakesTheWokenTaskRunnableItself) {
  Sleeping m(2);
  EXPECT_EQ(m.send(m.client, 3, "hello"), 5);
  EXPECT_TRUE(
      contains_in_order(m.seen(), {"call ep_autoremove_wake_function > try_to_wake_up > select_task_rq_fair",
                                   "call try_to_wake_up > ttwu_queue_wakelist > send_call_function_single_ipi",
                                   "call sysvec_call_function_single > sched_ttwu_pending > ttwu_do_activate"}));
  EXPECT_EQ(m.server->cpu, 0u);
  EXPECT_THAT(check::check_invariants(m.k), ::testing::IsEmpty());
}

TEST(SeveralCpus, TheSoftirqRunsOnTheCpuThatSent) {
  Sleeping m(2);
  auto before = m.k.softnet_of_cpu[0]->processed.get();
  auto sent = m.k.softnet_of_cpu[1]->processed.get();
  EXPECT_EQ(m.send(m.client, 3, "hello"), 5);
  EXPECT_EQ(m.k.softnet_of_cpu[0]->processed, before);
  EXPECT_GT(m.k.softnet_of_cpu[1]->processed, sent);
}

TEST(SeveralCpus, AWokenTaskWhoseCpuIsBusyMovesToAnIdleOne) {
  Machine m(with_cpus(2));
  task_struct* reader = m.k.spawn_thread("reader", m.server);  // the third to be born: on CPU 0, as the server
  int fds[2];
  EXPECT_EQ(m.call(m.server, sys_pipe2(m.k, fds, 0)), 0);
  EXPECT_EQ(m.call(reader, sys_read(m.k, fds[0], m.buffer, 8)), kBlocked);
  EXPECT_EQ(reader->cpu, 0u);
  EXPECT_EQ(m.call(m.server, sys_write(m.k, fds[1], "x", 1)), 1);
  EXPECT_TRUE(reader->call_done());
  EXPECT_EQ(reader->cpu, 1u);
}

TEST(SeveralCpus, BetweenCallsNobodyIsOnARunQueue) {
  Sleeping m(3);
  for (const rq* rq : m.k.runqueues) {
    EXPECT_TRUE(rq->cfs_tasks.empty());
    EXPECT_EQ(rq->curr, nullptr);
  }
}

TEST(SeveralCpus, WithOneThereAreNoRunQueuesAndNoInterrupts) {
  Sleeping m(1);
  EXPECT_TRUE(m.k.runqueues.empty());
  EXPECT_EQ(m.send(m.client, 3, "hello"), 5);
  EXPECT_EQ(count_of(m.seen(), "call sysvec_call_function_single"), 0u);
}

}  // namespace
}  // namespace wakepath::testing_kernel
