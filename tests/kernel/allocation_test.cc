// Each allocation of a call fails in turn: the call gives the kernel's error, and nothing of it is left.
#include <functional>
#include <set>

#include "sim/check/check.hh"
#include "tests/kernel/machine.hh"

namespace wakepath::testing_kernel {
namespace {

using namespace kernel;  // NOLINT

using MakeCall = std::function<MaySleep<long>(Kernel&)>;

/// Lets the 1st, 2nd, … allocation of the call fail until all succeed. The errors, in order; the last call's result.
std::vector<long> fail_each(Machine& m, task_struct* task, const MakeCall& make) {
  std::vector<long> errors;
  for (u64 n = 0; n < 20; ++n) {
    m.k.fail_allocation_after(n);
    long result = m.call(task, make(m.k));
    bool all_succeeded = m.k.no_allocation_failed();
    for (const std::string& complaint : check::check_invariants(m.k)) ADD_FAILURE() << n << ": " << complaint;
    if (all_succeeded) {
      EXPECT_GE(result, 0) << "no allocation failed, so the call must succeed";
      return errors;
    }
    EXPECT_LT(result, 0) << "allocation " << n << " failed, but the call did not";
    errors.push_back(result);
  }
  ADD_FAILURE() << "more than 20 allocations";
  return errors;
}

void expect_all_freed(Machine& m) {
  m.k.exit_task(m.server);
  m.k.exit_task(m.client);
  m.wait_ms(120'000);
  for (const std::string& complaint : check::check_all_freed(m.k)) ADD_FAILURE() << complaint;
}

using Errors = std::vector<long>;

TEST(FailingAllocation, OfSocket) {
  Machine m;
  auto errors = fail_each(m, m.server, [](Kernel& k) { return sys_socket(k, AF_INET, SOCK_STREAM, 0); });
  EXPECT_EQ(errors, (Errors{-ENFILE, -ENOBUFS, -ENOMEM})) << "the inode, the sock, the file";
  expect_all_freed(m);
}

TEST(FailingAllocation, OfAcceptLeavesTheConnectionOnTheQueue) {
  Machine m;
  m.listen();
  EXPECT_EQ(m.connect(), 0);
  auto errors = fail_each(m, m.server, [](Kernel& k) { return sys_accept4(k, 3, nullptr, 0); });
  EXPECT_EQ(errors, (Errors{-ENFILE, -ENOMEM})) << "the inode, the file";
  expect_all_freed(m);
}

TEST(FailingAllocation, OfEpollCreateAndOfAdd) {
  Machine m;
  auto create = fail_each(m, m.server, [](Kernel& k) { return sys_epoll_create1(k, 0); });
  EXPECT_EQ(create, (Errors{-ENOMEM, -ENOMEM})) << "the eventpoll, the file";
  EXPECT_EQ(m.call(m.server, sys_eventfd2(m.k, 0, 0)), 4);
  auto add = fail_each(m, m.server, [](Kernel& k) { return sys_epoll_ctl(k, 3, EPOLL_CTL_ADD, 4, {EPOLLIN, 0}); });
  EXPECT_EQ(add, (Errors{-ENOMEM, -ENOMEM, -ENOMEM})) << "the item, the file's list of watchers, the entry";
  expect_all_freed(m);
}

TEST(FailingAllocation, OfPipe) {
  Machine m;
  int fds[2] = {-1, -1};
  auto errors = fail_each(m, m.server, [&fds](Kernel& k) { return sys_pipe2(k, fds, 0); });
  EXPECT_EQ(errors, (Errors{-ENFILE, -ENOMEM, -ENOMEM})) << "the pipe, the two files";
  EXPECT_EQ(fds[0], 3);
  EXPECT_EQ(fds[1], 4);
  expect_all_freed(m);
}

TEST(FailingAllocation, OfEventfdTimerfdSignalfd) {
  Machine m;
  const Errors two = {-ENOMEM, -ENOMEM};
  EXPECT_EQ(fail_each(m, m.server, [](Kernel& k) { return sys_eventfd2(k, 0, 0); }), two);
  EXPECT_EQ(fail_each(m, m.server, [](Kernel& k) { return sys_timerfd_create(k, 0, 0); }), two);
  EXPECT_EQ(fail_each(m, m.server, [](Kernel& k) { return sys_signalfd4(k, NO_SIGNALS, 0); }), two);
  expect_all_freed(m);
}

}  // namespace
}  // namespace wakepath::testing_kernel
