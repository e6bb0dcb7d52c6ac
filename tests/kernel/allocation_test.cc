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
    if (result == kBlocked) {  // it waits for at most 10 ms
      m.wait_ms(20);
      result = task->call_result();
    }
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
  EXPECT_EQ(fail_each(m, m.server, sendmsg), (Errors{-ENOMEM, -ENOBUFS, -ENOMEM}))
      << "the list of files, the buffer, the buffer's own list";
  int others[2] = {-1, -1};
  EXPECT_EQ(m.call(m.server, sys_socketpair(m.k, AF_UNIX, SOCK_STREAM, 0, others)), 0);
  const std::vector<int> sockets = {others[0], others[1]};
  auto send_socket = [&](Kernel& k) { return sys_sendmsg(k, pair[0], pieces, sockets, 0); };
  EXPECT_EQ(fail_each(m, m.server, send_socket), (Errors{-ENOMEM, -ENOBUFS, -ENOMEM, -ENOMEM, -ENOMEM, -ENOMEM}))
      << "and what the collector needs: a vertex for each socket, the edges";
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

/// `count` descriptors of one eventfd that stays silent, from number 3 on.
void open_silent_files(Machine& m, int count) {
  ASSERT_EQ(m.call(m.server, sys_eventfd2(m.k, 0, 0)), 3);
  for (int fd = 4; fd < 3 + count; ++fd) ASSERT_EQ(m.call(m.server, sys_dup(m.k, 3)), fd);
}

TEST(FailingAllocation, OfWhatPollIsGivenAndOfWhatItLeavesOnTheFiles) {
  Machine m;
  open_silent_files(m, 31);
  std::vector<struct pollfd> asked;
  for (int fd = 3; fd < 12; ++fd) asked.push_back({fd, POLLIN, 0});
  auto poll = [&](Kernel& k) { return sys_poll(k, asked.data(), asked.size(), 10); };
  EXPECT_EQ(fail_each(m, m.server, poll), Errors{}) << "nine files: all on the stack";
  asked.push_back({12, POLLIN, 0});
  EXPECT_EQ(fail_each(m, m.server, poll), Errors{-ENOMEM}) << "the page of the tenth entry";
  for (int fd = 13; fd < 34; ++fd) asked.push_back({fd, POLLIN, 0});
  EXPECT_EQ(fail_each(m, m.server, poll), (Errors{-ENOMEM, -ENOMEM})) << "and one for the 31st pollfd";
  asked.back().events = POLLOUT;
  m.k.fail_allocation_after(1);
  EXPECT_EQ(m.call(m.server, sys_poll(m.k, asked.data(), asked.size(), -1)), 1) << "what is there counts first";
  expect_all_freed(m);
}

TEST(FailingAllocation, OfWhatSelectIsGivenAndOfWhatItLeavesOnTheFiles) {
  Machine m;
  open_silent_files(m, 400);
  SelectSets sets;
  auto ask = [&](int first, int behind) {
    sets = {};
    sets.in.resize(static_cast<std::size_t>(behind));
    for (int fd = first; fd < behind; ++fd) sets.in[static_cast<std::size_t>(fd)] = true;
    return [&sets, behind](Kernel& k) { return sys_select(k, behind, &sets, 10); };
  };
  EXPECT_EQ(fail_each(m, m.server, ask(3, 12)), Errors{});
  EXPECT_EQ(fail_each(m, m.server, ask(3, 13)), Errors{-ENOMEM}) << "the page of the tenth entry";
  EXPECT_EQ(fail_each(m, m.server, ask(312, 320)), Errors{}) << "six sets of 320 bits are on the stack";
  EXPECT_EQ(fail_each(m, m.server, ask(312, 321)), Errors{-ENOMEM}) << "those of 321 are not";
  expect_all_freed(m);
}

TEST(FailingAllocation, OfAChildsDescriptorTable) {
  Machine m;
  m.k.fail_allocation_after(0);
  EXPECT_EQ(m.k.spawn_fork("child", m.server), nullptr) << "ENOMEM";
  open_silent_files(m, 62);
  for (u64 n = 0; n < 4; ++n) {
    m.k.fail_allocation_after(n);
    EXPECT_EQ(m.k.spawn_fork("child", m.server), nullptr) << n << ": a table of more than 64 slots has three parts";
  }
  m.k.fail_allocation_after(4);
  task_struct* child = m.k.spawn_fork("child", m.server);
  ASSERT_NE(child, nullptr);
  EXPECT_TRUE(m.k.no_allocation_failed());
  m.k.exit_task(child);
  expect_all_freed(m);
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
