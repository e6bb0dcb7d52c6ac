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
  EXPECT_EQ(errors, (Errors{-ENFILE, -ENOBUFS, -ENOMEM, -ENOMEM})) << "the inode, the sock, the dentry, the file";
  expect_all_freed(m);
}

TEST(FailingAllocation, OfAcceptLeavesTheConnectionOnTheQueue) {
  Machine m;
  m.listen();
  EXPECT_EQ(m.connect(), 0);
  auto errors = fail_each(m, m.server, [](Kernel& k) { return sys_accept4(k, 3, nullptr, 0); });
  EXPECT_EQ(errors, (Errors{-ENFILE, -ENOMEM, -ENOMEM})) << "the inode, the dentry, the file";
  expect_all_freed(m);
}

TEST(FailingAllocation, OfEpollCreateAndOfAdd) {
  Machine m;
  auto create = fail_each(m, m.server, [](Kernel& k) { return sys_epoll_create1(k, 0); });
  EXPECT_EQ(create, (Errors{-ENOMEM, -ENOMEM, -ENOMEM})) << "the eventpoll, the dentry, the file";
  EXPECT_EQ(m.call(m.server, sys_eventfd2(m.k, 0, 0)), 4);
  auto add = fail_each(m, m.server, [](Kernel& k) { return sys_epoll_ctl(k, 3, EPOLL_CTL_ADD, 4, {EPOLLIN, 0}); });
  EXPECT_EQ(add, (Errors{-ENOMEM, -ENOMEM, -ENOMEM})) << "the item, the file's list of watchers, the entry";
  expect_all_freed(m);
}

TEST(FailingAllocation, OfPipe) {
  Machine m;
  int fds[2] = {-1, -1};
  auto errors = fail_each(m, m.server, [&fds](Kernel& k) { return sys_pipe2(k, fds, 0); });
  EXPECT_EQ(errors, (Errors{-ENFILE, -ENFILE, -ENOMEM, -ENOMEM, -ENOMEM}))
      << "the inode, the pipe, the dentry, the two files";
  EXPECT_EQ(fds[0], 3);
  EXPECT_EQ(fds[1], 4);
  expect_all_freed(m);
}

TEST(FailingAllocation, OfEventfdTimerfdSignalfd) {
  Machine m;
  const Errors three = {-ENOMEM, -ENOMEM, -ENOMEM};  // the object, the dentry, the file
  EXPECT_EQ(fail_each(m, m.server, [](Kernel& k) { return sys_eventfd2(k, 0, 0); }), three);
  EXPECT_EQ(fail_each(m, m.server, [](Kernel& k) { return sys_timerfd_create(k, 0, 0); }), three);
  EXPECT_EQ(fail_each(m, m.server, [](Kernel& k) { return sys_signalfd4(k, NO_SIGNALS, 0); }), three);
  expect_all_freed(m);
}

TEST(FailingAllocation, OfAFileInMemory) {
  Machine m;
  auto errors = fail_each(m, m.server, [](Kernel& k) { return sys_memfd_create(k, "notes", 0); });
  EXPECT_EQ(errors, (Errors{-ENOSPC, -ENOMEM, -ENOMEM})) << "the inode, the dentry, the file";
  auto write = fail_each(m, m.server, [](Kernel& k) { return sys_write(k, 3, "hello", 5); });
  EXPECT_EQ(write, (Errors{-ENOMEM})) << "the page";
  expect_all_freed(m);
}

TEST(FailingAllocation, OfBindAndListenAndConnect) {
  Machine m;
  EXPECT_EQ(m.call(m.server, sys_socket(m.k, AF_INET, SOCK_STREAM, 0)), 3);
  auto bind = fail_each(m, m.server, [](Kernel& k) { return sys_bind(k, 3, {kLocalhost, kPort}); });
  EXPECT_EQ(bind, (Errors{-EADDRINUSE, -EADDRINUSE})) << "the port's bucket, the address's";
  EXPECT_EQ(m.call(m.server, sys_setsockopt(m.k, 3, SOL_SOCKET, SO_REUSEPORT, {1})), 0);
  EXPECT_EQ(fail_each(m, m.server, [](Kernel& k) { return sys_listen(k, 3, 8); }), (Errors{-ENOMEM})) << "the group";
  EXPECT_EQ(m.call(m.client, sys_socket(m.k, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)), 3);
  Errors connect;
  for (u64 n = 0; n < 3; ++n) {
    m.k.fail_allocation_after(n);
    connect.push_back(m.call(m.client, sys_connect(m.k, 3, {kLocalhost, kPort})));
  }
  EXPECT_EQ(connect, (Errors{-ENOMEM, -ENOMEM, -ENOBUFS})) << "the two buckets, the SYN";
  expect_all_freed(m);
}

TEST(FailingAllocation, OfAMessage) {
  Machine m;
  EXPECT_EQ(m.call(m.server, sys_socket(m.k, AF_INET, SOCK_DGRAM, 0)), 3);
  EXPECT_EQ(m.call(m.server, sys_bind(m.k, 3, {kLocalhost, kPort})), 0);
  auto sendto = [](Kernel& k) { return sys_sendto(k, 3, "x", 1, 0, {kLocalhost, kPort}); };
  EXPECT_EQ(fail_each(m, m.server, sendto), (Errors{-ENOBUFS}));
  int pair[2] = {-1, -1};
  EXPECT_EQ(m.call(m.server, sys_socketpair(m.k, AF_UNIX, SOCK_STREAM, 0, pair)), 0);
  const std::vector<std::string> pieces = {"x"};
  const std::vector<int> rights = {3};
  auto sendmsg = [&](Kernel& k) { return sys_sendmsg(k, pair[0], pieces, rights, 0); };
  EXPECT_EQ(fail_each(m, m.server, sendmsg), (Errors{-ENOBUFS, -ENOMEM})) << "the buffer, the list of files";
  int fds[2] = {-1, -1};
  EXPECT_EQ(m.call(m.server, sys_pipe2(m.k, fds, 0)), 0);
  auto write = [&fds](Kernel& k) { return sys_write(k, fds[1], "x", 1); };
  EXPECT_EQ(fail_each(m, m.server, write), (Errors{-ENOMEM})) << "the page";
  expect_all_freed(m);
}

TEST(FailingAllocation, OfASegmentWaitsOrSaysSoAndWakesWhoWaitsForAnEdge) {
  Machine m;
  m.listen();
  EXPECT_EQ(m.connect(), 0);
  EXPECT_EQ(m.accept(), 4);
  m.k.fail_allocation_after(0);
  EXPECT_EQ(m.call(m.server, sys_send(m.k, 4, "x", 1, 0)), -EAGAIN);
  EXPECT_EQ(count_of(m.seen(), "call tcp_sendmsg_locked > sk_stream_write_space"), 1u);
  m.k.fail_allocation_after(0);
  EXPECT_EQ(m.call(m.client, sys_send(m.k, 3, "x", 1, 0)), kBlocked);
  m.wait_ms(10);
  EXPECT_TRUE(m.client->call_done());
  EXPECT_EQ(m.client->call_result(), 1);
}

/// A connection from socket() to its end, whatever comes of each call.
void converse(Machine& m) {
  auto any = [&m](task_struct* task, MaySleep<long> what) {
    if (!task->call_done()) m.wait_ms(3'000);
    if (task->call_done()) m.call(task, std::move(what));
    for (const std::string& complaint : check::check_invariants(m.k)) ADD_FAILURE() << complaint;
  };
  const std::string much(100'000, 'x');
  any(m.server, sys_socket(m.k, AF_INET, SOCK_STREAM, 0));
  any(m.server, sys_bind(m.k, 3, {kLocalhost, kPort}));
  any(m.server, sys_listen(m.k, 3, 8));
  any(m.client, sys_socket(m.k, AF_INET, SOCK_STREAM, 0));
  any(m.client, sys_connect(m.k, 3, {kLocalhost, kPort}));
  any(m.server, sys_accept4(m.k, 3, nullptr, SOCK_NONBLOCK));
  any(m.client, sys_send(m.k, 3, much.data(), much.size(), 0));
  any(m.server, sys_recv(m.k, 4, m.buffer, 64, 0));
  any(m.server, sys_send(m.k, 4, "y", 1, 0));
  any(m.server, sys_send(m.k, 4, "z", 1, MSG_OOB));
  any(m.client, sys_recv(m.k, 3, m.buffer, 64, MSG_DONTWAIT));
  any(m.client, sys_close(m.k, 3));
  any(m.server, sys_close(m.k, 4));
  m.wait_ms(3'000);
}

TEST(FailingAllocation, OfAConversationLeavesTheModelWhole) {
  u64 n = 0;
  for (;; ++n) {
    Machine m;
    m.k.fail_allocation_after(n);
    converse(m);
    bool all_succeeded = m.k.no_allocation_failed();
    expect_all_freed(m);
    if (all_succeeded || HasFailure()) break;
  }
  EXPECT_GT(n, 20u) << "so many allocations there are in a conversation";
}

}  // namespace
}  // namespace wakepath::testing_kernel
