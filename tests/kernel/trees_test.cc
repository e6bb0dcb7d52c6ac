// The model runs the programs that were measured on Linux 6.18.44; the kernel's call trees must stand in the model's.
#include <set>

#include "tests/kernel/kernel_tree.hh"
#include "tests/kernel/machine.hh"

namespace wakepath::testing_kernel {
namespace {

using namespace kernel;  // NOLINT

const std::string kPaths = std::string(WAKEPATH_SOURCE_DIR) + "/tests/kernel/paths/";

std::vector<KernelCall> calls_in(const std::string& file) {
  return read_kernel_calls(kPaths + file, read_names(kPaths + "absent.txt"), read_names(kPaths + "objects.txt"));
}

/// Goes through a file's calls: each must stand in some later call of the same thread.
void expect_trees(const Machine& m, const std::string& file, const task_struct* second = nullptr) {
  auto calls_of = [&](const task_struct* task) { return model_calls(*m.k.trace(), task->thread->id()); };
  std::vector<FlatTree> calls[3] = {calls_of(m.server), calls_of(m.client)};
  if (second != nullptr) calls[2] = calls_of(second);
  std::size_t next[3] = {0, 0, 0};
  std::size_t checked = 0;
  for (const KernelCall& kernel : calls_in(file)) {
    if (kernel.tree.empty()) continue;
    int who = kernel.thread == 'C' ? 1 : kernel.thread == '2' ? 2 : 0;
    std::size_t at = next[who];
    std::string missing = "no such call";
    for (; at < calls[who].size(); ++at) {
      if (calls[who][at].front().name != kernel.tree.front().name) continue;
      std::string here = first_missing(kernel.tree, calls[who][at]);
      if (here.empty()) break;
      if (missing == "no such call") missing = here;
    }
    if (at == calls[who].size()) {
      ADD_FAILURE() << file << " [" << kernel.thread << "] " << kernel.title << " lacks " << missing;
      continue;
    }
    next[who] = at + 1;
    ++checked;
  }
  EXPECT_GT(checked, 0u);
}

long watch(Machine& m, int fd, u32 mask) {
  return m.call(m.server, sys_epoll_ctl(m.k, 4, EPOLL_CTL_ADD, fd, {mask, 0}));
}
long modify(Machine& m, int fd, u32 mask) {
  return m.call(m.server, sys_epoll_ctl(m.k, 4, EPOLL_CTL_MOD, fd, {mask, 0}));
}
long unwatch(Machine& m, int fd) { return m.call(m.server, sys_epoll_ctl(m.k, 4, EPOLL_CTL_DEL, fd, {})); }

TEST(KernelTrees, AWholeLife) {
  Machine m;
  m.listen();
  m.watch_listener();
  EXPECT_EQ(m.epoll_wait(-1), kBlocked);
  EXPECT_EQ(m.connect(), 0);
  EXPECT_EQ(m.accept(), 5);
  EXPECT_EQ(watch(m, 5, EPOLLIN | EPOLLRDHUP), 0);
  EXPECT_EQ(m.epoll_wait(-1), kBlocked);
  m.wait_ms(80);
  EXPECT_EQ(m.send(m.client, 3, "hello"), 5);
  EXPECT_EQ(m.recv(m.client, 3), kBlocked);
  EXPECT_EQ(m.recv(m.server, 5), 5);
  EXPECT_EQ(m.send(m.server, 5, "hello"), 5);
  EXPECT_EQ(m.epoll_wait(-1), kBlocked);
  m.wait_ms(1000);
  EXPECT_EQ(m.call(m.client, sys_close(m.k, 3)), 0);
  m.wait_ms(80);  // the delayed ACK makes FIN_WAIT2, then the time-wait socket
  EXPECT_EQ(m.recv(m.server, 5), 0);
  EXPECT_EQ(m.call(m.server, sys_close(m.k, 5)), 0);
  EXPECT_EQ(m.call(m.server, sys_close(m.k, 4)), 0);
  EXPECT_EQ(m.call(m.server, sys_close(m.k, 3)), 0);
  expect_trees(m, "tcp_life.txt");
}

long write_one(Machine& m, task_struct* task, int fd) {
  static const u64 kOne = 1;
  return m.call(task, sys_write(m.k, fd, reinterpret_cast<const char*>(&kOne), sizeof kOne));
}

TEST(KernelTrees, AnEventfd) {
  Machine m;
  EXPECT_EQ(m.call(m.server, sys_eventfd2(m.k, 0, 0)), 3);
  EXPECT_EQ(m.call(m.server, sys_epoll_create1(m.k, 0)), 4);
  EXPECT_EQ(watch(m, 3, EPOLLIN), 0);
  EXPECT_EQ(m.epoll_wait(-1), kBlocked);
  m.client = m.k.spawn_thread("writer", m.server);
  EXPECT_EQ(write_one(m, m.client, 3), 8);
  EXPECT_EQ(m.call(m.server, sys_read(m.k, 3, m.buffer, 8)), 8);
  EXPECT_EQ(m.call(m.server, sys_close(m.k, 3)), 0);
  EXPECT_EQ(m.call(m.server, sys_close(m.k, 4)), 0);
  expect_trees(m, "eventfd.txt");
}

TEST(KernelTrees, ANestedEpoll) {
  Machine m;
  EXPECT_EQ(m.call(m.server, sys_eventfd2(m.k, 0, 0)), 3);
  EXPECT_EQ(m.call(m.server, sys_epoll_create1(m.k, 0)), 4);
  EXPECT_EQ(watch(m, 3, EPOLLIN), 0);
  EXPECT_EQ(m.call(m.server, sys_epoll_create1(m.k, 0)), 5);
  EXPECT_EQ(m.call(m.server, sys_epoll_ctl(m.k, 5, EPOLL_CTL_ADD, 4, {EPOLLIN, 0})), 0);
  task_struct* second = m.k.spawn_thread("second", m.server);
  m.client = m.k.spawn_thread("writer", m.server);
  EXPECT_EQ(m.epoll_wait(400), kBlocked);
  EXPECT_EQ(m.call(second, sys_epoll_wait(m.k, 4, m.events + 4, 4, 300)), kBlocked);
  EXPECT_EQ(write_one(m, m.client, 3), 8);
  EXPECT_TRUE(second->call_done()) << "the last that came is woken first";
  expect_trees(m, "nested_epoll.txt", second);
}

TEST(KernelTrees, ABlockedRecv) {
  Machine m;
  m.listen();
  EXPECT_EQ(m.connect(), 0);
  EXPECT_EQ(m.accept(), 4);
  EXPECT_EQ(m.recv(m.client, 3), kBlocked);
  EXPECT_EQ(m.send(m.server, 4, "abc"), 3);
  EXPECT_EQ(m.call(m.server, sys_close(m.k, 4)), 0);
  expect_trees(m, "blocked_recv.txt");
}

TEST(KernelTrees, ABlockedAccept) {
  Machine m;
  m.listen();
  EXPECT_EQ(m.accept(), kBlocked);
  EXPECT_EQ(m.connect(), 0);
  expect_trees(m, "blocked_accept.txt");
}

TEST(KernelTrees, ANonBlockingConnect) {
  Machine m;
  m.listen();
  EXPECT_EQ(m.connect(SOCK_NONBLOCK), -EINPROGRESS);
  expect_trees(m, "nonblocking_connect.txt");
}

/// The program of both files: partial reads, a second segment while the server sleeps or not.
void partial_reads(Machine& m, u32 mask) {
  m.listen();
  m.watch_listener();
  EXPECT_EQ(m.connect(), 0);
  EXPECT_EQ(m.accept(), 5);
  EXPECT_EQ(watch(m, 5, mask), 0);
  EXPECT_EQ(unwatch(m, 3), 0);
  EXPECT_EQ(m.epoll_wait(-1), kBlocked);
  m.wait_ms(80);
  EXPECT_EQ(m.send(m.client, 3, "hello"), 5);
  EXPECT_EQ(m.recv(m.server, 5, 1), 1);
}

TEST(KernelTrees, LevelTriggered) {
  Machine m;
  partial_reads(m, EPOLLIN);
  EXPECT_EQ(m.epoll_wait(50), 1);
  m.wait_ms(20);
  EXPECT_EQ(m.send(m.client, 3, "x"), 1);
  EXPECT_EQ(m.epoll_wait(50), 1);
  EXPECT_EQ(modify(m, 5, EPOLLIN), 0);
  EXPECT_EQ(m.epoll_wait(50), 1);
  EXPECT_EQ(unwatch(m, 5), 0);
  expect_trees(m, "level_triggered.txt");
}

TEST(KernelTrees, EdgeTriggered) {
  Machine m;
  partial_reads(m, EPOLLIN | static_cast<u32>(EPOLLET));
  EXPECT_EQ(m.epoll_wait(50), kBlocked);
  m.wait_ms(50);
  EXPECT_EQ(m.epoll_wait(50), kBlocked);
  m.wait_ms(20);
  EXPECT_EQ(m.send(m.client, 3, "x"), 1);
  EXPECT_EQ(unwatch(m, 5), 0);
  expect_trees(m, "edge_triggered.txt");
}

TEST(KernelTrees, UnreadData) {
  Machine m;
  m.listen();
  EXPECT_EQ(m.call(m.server, sys_epoll_create1(m.k, 0)), 4);
  EXPECT_EQ(m.connect(), 0);
  EXPECT_EQ(m.accept(), 5);
  EXPECT_EQ(m.send(m.client, 3, "hello"), 5);
  EXPECT_EQ(watch(m, 5, EPOLLIN | EPOLLONESHOT), 0);
  EXPECT_EQ(m.epoll_wait(0), 1);
  EXPECT_EQ(m.epoll_wait(0), 0);
  EXPECT_EQ(modify(m, 5, EPOLLIN | EPOLLONESHOT), 0);
  EXPECT_EQ(m.epoll_wait(0), 1);
  EXPECT_EQ(m.call(m.server, sys_close(m.k, 5)), 0);
  EXPECT_EQ(m.call(m.server, sys_close(m.k, 3)), 0);
  EXPECT_EQ(m.call(m.server, sys_close(m.k, 4)), 0);
  EXPECT_EQ(m.recv(m.client, 3), -ECONNRESET);
  EXPECT_EQ(m.call(m.client, sys_close(m.k, 3)), 0);
  expect_trees(m, "unread_data_reset.txt");
}

TEST(KernelTrees, AFullAcceptQueue) {
  Machine m;
  m.listen(1);
  EXPECT_EQ(m.connect(SOCK_NONBLOCK), -EINPROGRESS);
  EXPECT_EQ(m.connect(SOCK_NONBLOCK), -EINPROGRESS);
  trace::Position from = m.k.trace()->size();
  EXPECT_EQ(m.connect(SOCK_NONBLOCK), -EINPROGRESS);
  EXPECT_GT(m.last.to, from);
  std::vector<FlatTree> calls = model_calls(*m.k.trace(), m.client->thread->id());
  auto kernel = calls_in("accept_queue_full.txt");
  EXPECT_EQ(first_missing(kernel.front().tree, calls.back()), "") << "the third connect()";
}

TEST(KernelTrees, ARefusedConnect) {
  Machine m;
  EXPECT_EQ(m.connect(), -ECONNREFUSED);
  EXPECT_EQ(m.call(m.client, sys_close(m.k, 3)), 0);
  expect_trees(m, "refused.txt");
}

Address on_ipv6(u16 port) {
  Address address{.port = port, .family = AF_INET6};
  address.ip6[15] = 1;  // ::1
  return address;
}

TEST(KernelTrees, ALifeOverIpv6) {
  Machine m;
  EXPECT_EQ(m.call(m.server, sys_socket(m.k, AF_INET6, SOCK_STREAM, 0)), 3);
  const Address to = on_ipv6(kPort), nobody = on_ipv6(kPort + 1);
  EXPECT_EQ(m.call(m.server, sys_bind(m.k, 3, to)), 0);
  EXPECT_EQ(m.call(m.server, sys_listen(m.k, 3, 8)), 0);
  EXPECT_EQ(m.call(m.client, sys_socket(m.k, AF_INET6, SOCK_STREAM, 0)), 3);
  EXPECT_EQ(m.call(m.client, sys_connect(m.k, 3, to)), 0);
  EXPECT_EQ(m.call(m.server, sys_accept4(m.k, 3, nullptr, SOCK_NONBLOCK)), 4);
  EXPECT_EQ(m.send(m.client, 3, "hello"), 5);
  EXPECT_EQ(m.recv(m.server, 4), 5);
  EXPECT_EQ(m.call(m.client, sys_close(m.k, 3)), 0);
  EXPECT_EQ(m.recv(m.server, 4), 0);
  EXPECT_EQ(m.call(m.server, sys_close(m.k, 4)), 0);
  EXPECT_EQ(m.call(m.client, sys_socket(m.k, AF_INET6, SOCK_STREAM, 0)), 3);
  EXPECT_EQ(m.call(m.client, sys_connect(m.k, 3, nobody)), -ECONNREFUSED);
  expect_trees(m, "tcp_v6.txt");
}

TEST(KernelTrees, DatagramsOverIpv6) {
  Machine m;
  const Address to = on_ipv6(kPort), nobody = on_ipv6(kPort + 1);
  const std::string hello = "hello";
  EXPECT_EQ(m.call(m.server, sys_socket(m.k, AF_INET6, SOCK_DGRAM, 0)), 3);
  EXPECT_EQ(m.call(m.server, sys_bind(m.k, 3, to)), 0);
  EXPECT_EQ(m.call(m.client, sys_socket(m.k, AF_INET6, SOCK_DGRAM, 0)), 3);
  EXPECT_EQ(m.call(m.client, sys_sendto(m.k, 3, hello.data(), hello.size(), 0, to)), 5);
  EXPECT_EQ(m.recv(m.server, 3), 5);
  EXPECT_EQ(m.call(m.client, sys_connect(m.k, 3, nobody)), 0);
  EXPECT_EQ(m.send(m.client, 3, "hello"), 5);
  expect_trees(m, "udp_v6.txt");
}

TEST(KernelTrees, ADatagram) {
  Machine m;
  const Address to{kLocalhost, kPort};
  const std::string hello = "hello";
  std::optional<Address> from;
  EXPECT_EQ(m.call(m.server, sys_socket(m.k, AF_INET, SOCK_DGRAM, 0)), 3);
  EXPECT_EQ(m.call(m.server, sys_bind(m.k, 3, to)), 0);
  m.watch_listener();
  EXPECT_EQ(m.epoll_wait(-1), kBlocked);
  EXPECT_EQ(m.call(m.client, sys_socket(m.k, AF_INET, SOCK_DGRAM, 0)), 3);
  EXPECT_EQ(m.call(m.client, sys_sendto(m.k, 3, hello.data(), hello.size(), 0, to)), 5);
  EXPECT_EQ(m.call(m.server, sys_recvfrom(m.k, 3, m.buffer, sizeof m.buffer, 0, &from)), 5);
  EXPECT_EQ(m.call(m.client, sys_close(m.k, 3)), 0);
  EXPECT_EQ(m.call(m.server, sys_close(m.k, 3)), 0);
  EXPECT_EQ(m.call(m.server, sys_close(m.k, 4)), 0);
  expect_trees(m, "udp.txt");
}

std::size_t objects_in(const std::vector<Node>& nodes, const std::string& kind) {
  std::size_t count = 0;
  for (const Node& node : nodes)
    count += (node.name.substr(0, 2 + kind.size()) == "+ " + kind ? 1 : 0) + objects_in(node.children, kind);
  return count;
}

TEST(KernelTrees, ObjectsOfTheSlabsAreCompared) {
  std::size_t buffers = 0, buckets = 0, all = 0;
  for (const char* file : {"tcp_life.txt", "udp.txt", "refused.txt", "blocked_recv.txt", "nonblocking_connect.txt"})
    for (const KernelCall& call : calls_in(file)) {
      buffers += objects_in(call.tree, "sk_buff");
      buckets += objects_in(call.tree, "inet_bind");
      all += objects_in(call.tree, "");
    }
  EXPECT_GT(buffers, 15u) << "also those that the kernel allocates in pairs";
  EXPECT_GT(buckets, 5u);
  EXPECT_GT(all, 60u);
}

TEST(KernelTrees, AnObjectThatIsNotMadeIsMissed) {
  const FlatTree model = {{"alloc", 2}, {"+ sk_buff", 2}, {"free", 3}};
  EXPECT_EQ(first_missing({{"alloc", false, {{"+ sk_buff", false, {}}}}}, model), "");
  EXPECT_EQ(first_missing({{"alloc", false, {{"+ sk_buff", false, {}}}}, {"free", false, {}}, {"- sk_buff", true, {}}},
                          model),
            "- sk_buff");
}

TEST(KernelTrees, WhatMattersIsNeverCalledAbsent) {
  Absent absent = read_names(kPaths + "absent.txt");
  EXPECT_GT(absent.size(), 10u);
  for (const char* name : {"tcp_v4_rcv", "tcp_rcv_state_process", "tcp_child_process", "sock_def_readable", "__wake_up",
                           "__wake_up_common", "__wake_up_sync", "__wake_up_sync_key", "ep_poll_callback",
                           "ep_autoremove_wake_function", "try_to_wake_up"})
    EXPECT_FALSE(absent.contains(name)) << name;
}

TEST(KernelTrees, TheComparisonSeesOrderAndNesting) {
  FlatTree model = {{"a", 4}, {"b", 3}, {"c", 3}, {"d", 4}};  // a > { b > c, d }
  EXPECT_EQ(first_missing({{"a", false, {{"c", false, {}}, {"d", false, {}}}}}, model), "");
  EXPECT_EQ(first_missing({{"a", false, {{"d", false, {}}, {"c", false, {}}}}}, model), "a > c");
  EXPECT_EQ(first_missing({{"a", false, {{"b", false, {}}, {"c", false, {}}}}}, model), "a > c");
  EXPECT_EQ(first_missing({{"a", false, {{"b", false, {}}, {"c", true, {}}}}}, model), "");
  EXPECT_EQ(first_missing({{"b", false, {{"d", false, {}}}}}, model), "b > d");
}

}  // namespace
}  // namespace wakepath::testing_kernel
