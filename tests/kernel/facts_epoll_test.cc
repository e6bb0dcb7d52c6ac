// What was measured on Linux 6.18.44, fact by fact, asked of the model's trace: epoll.
#include "tests/kernel/machine.hh"

namespace wakepath::testing_kernel {
namespace {

using namespace kernel;  // NOLINT

constexpr u32 kEdge = static_cast<u32>(EPOLLET);

/// A connection: descriptor 3 of the client, 5 of the server, which has an epoll at 4.
void connection(Machine& m) {
  m.listen();
  m.watch_listener();
  EXPECT_EQ(m.connect(), 0);
  EXPECT_EQ(m.accept(), 5);
}

long ctl(Machine& m, int op, int fd, u32 mask) { return m.call(m.server, sys_epoll_ctl(m.k, 4, op, fd, {mask, 5})); }

TEST(Fact03, AddHangsAnEntryOnTheSocketsWaitQueue) {
  Machine m;
  m.listen();
  m.watch_listener();
  EXPECT_TRUE(
      contains_in_order(m.seen(), {"create epitem", "create epitems_head",
                                   "create eppoll_entry in ep_item_poll > sock_poll > tcp_poll > ep_ptable_queue_proc",
                                   "insert socket_alloc.wait.head in tcp_poll > ep_ptable_queue_proc"}));
  EXPECT_EQ(count_of(m.seen(), "insert eventpoll.rdllist"), 0u);
}

TEST(Fact03, AddOfAReadySocketQueuesTheItemAtOnce) {
  Machine m;
  connection(m);
  EXPECT_EQ(m.send(m.client, 3, "hello"), 5);
  EXPECT_EQ(ctl(m, EPOLL_CTL_ADD, 5, EPOLLIN), 0);
  EXPECT_TRUE(contains_in_order(m.seen(), {"call ep_ptable_queue_proc", "insert eventpoll.rdllist in do_epoll_ctl"}));
  EXPECT_EQ(count_of(m.seen(), "wake"), 0u);
}

TEST(Fact04, TheWakerTakesTheSleeperOffTheQueue) {
  Machine m;
  m.listen();
  m.watch_listener();
  EXPECT_EQ(m.epoll_wait(-1), kBlocked);
  EXPECT_TRUE(contains_in_order(m.seen(), {"insert eventpoll.wq.head in do_epoll_wait",
                                           "call do_epoll_wait > schedule_hrtimeout_range_clock > schedule"}));
  EXPECT_EQ(m.connect(), 0);
  EXPECT_TRUE(contains_in_order(m.seen(), {"call ep_poll_callback > ep_autoremove_wake_function > try_to_wake_up",
                                           "erase eventpoll.wq.head in ep_autoremove_wake_function"}));
  EXPECT_EQ(first_of(m.seen(), "erase eventpoll.wq.head").task, m.client->thread->id());
}

TEST(Fact10, TheCallbackQueuesThenWakes) {
  Machine m;
  connection(m);
  EXPECT_EQ(ctl(m, EPOLL_CTL_ADD, 5, EPOLLIN), 0);
  EXPECT_EQ(m.epoll_wait(-1), kBlocked);
  EXPECT_EQ(m.send(m.client, 3, "hello"), 5);
  EXPECT_TRUE(
      contains_in_order(m.seen(), {"insert eventpoll.rdllist in ep_poll_callback", "wake in ep_poll_callback"}));
}

/// epoll_wait() on a socket with five bytes queued.
Events scan(Machine& m, u32 mask) {
  connection(m);
  EXPECT_EQ(ctl(m, EPOLL_CTL_ADD, 5, mask), 0);
  EXPECT_EQ(m.send(m.client, 3, "hello"), 5);
  EXPECT_EQ(m.epoll_wait(-1), 1);
  return m.seen();
}

TEST(Fact10, LevelGoesBackToTheReadyListAndPaysAnEmptyScan) {
  Machine m;
  EXPECT_TRUE(contains_in_order(
      scan(m, EPOLLIN),
      {"erase eventpoll.rdllist in ep_send_events > ep_start_scan",
       "set eventpoll.ovflist EP_UNACTIVE_PTR -> NULL in ep_start_scan", "erase eventpoll.txlist in ep_send_events",
       "call ep_send_events > ep_item_poll > tcp_poll", "insert eventpoll.rdllist in ep_send_events",
       "set eventpoll.ovflist NULL -> EP_UNACTIVE_PTR in ep_done_scan"}));
  EXPECT_EQ(m.recv(m.server, 5), 5);
  EXPECT_EQ(m.epoll_wait(-1), kBlocked);
  EXPECT_TRUE(contains_in_order(
      m.seen(), {"erase eventpoll.rdllist in ep_start_scan", "call ep_send_events > ep_item_poll > tcp_poll",
                 "call ep_done_scan", "call schedule"}));
  EXPECT_EQ(count_of(m.seen(), "insert eventpoll.rdllist"), 0u);
}

TEST(Fact10, EdgeLeavesTheReadyList) {
  Machine m;
  auto seen = scan(m, EPOLLIN | kEdge);
  EXPECT_TRUE(contains_in_order(seen, {"erase eventpoll.rdllist in ep_start_scan", "call ep_send_events > ep_item_poll",
                                       "set eventpoll.ovflist NULL -> EP_UNACTIVE_PTR in ep_done_scan"}));
  EXPECT_EQ(count_of(seen, "insert eventpoll.rdllist"), 0u);
  EXPECT_EQ(m.recv(m.server, 5, 1), 1);
  EXPECT_EQ(m.epoll_wait(50), kBlocked) << "four bytes are left, but nothing new came";
}

TEST(Fact11, ModWithDataQueuedArmsAnEdgeItemAgain) {
  Machine m;
  EXPECT_EQ(count_of(scan(m, EPOLLIN | kEdge), "insert eventpoll.rdllist"), 0u);
  EXPECT_EQ(ctl(m, EPOLL_CTL_MOD, 5, EPOLLIN | kEdge), 0);
  EXPECT_TRUE(
      contains_in_order(m.seen(), {"call do_epoll_ctl > ep_item_poll", "insert eventpoll.rdllist in do_epoll_ctl"}));
  EXPECT_EQ(m.epoll_wait(0), 1);
}

TEST(Fact12, CloseOfAWatchedFileTellsEpollFirst) {
  Machine m;
  connection(m);
  EXPECT_EQ(ctl(m, EPOLL_CTL_ADD, 5, EPOLLIN), 0);
  EXPECT_EQ(m.send(m.client, 3, "hello"), 5);  // so that the item is on the ready list
  EXPECT_EQ(m.call(m.server, sys_close(m.k, 5)), 0);
  EXPECT_TRUE(contains_in_order(
      m.seen(), {"call __x64_sys_close > __fput > eventpoll_release_file",
                 "free eppoll_entry in eventpoll_release_file", "free epitems_head in eventpoll_release_file",
                 "erase eventpoll.rbr in eventpoll_release_file", "erase eventpoll.rdllist in eventpoll_release_file",
                 "free epitem in eventpoll_release_file", "call __fput > sock_close"}));
}

/// The server and a second thread of it sleep in epoll_wait(), in this order; then somebody connects.
task_struct* two_waiters(Machine& m, u32 mask) {
  m.listen();
  EXPECT_EQ(m.call(m.server, sys_epoll_create1(m.k, 0)), 4);
  EXPECT_EQ(ctl(m, EPOLL_CTL_ADD, 3, mask), 0);
  task_struct* second = m.k.spawn_thread("server-2", m.server);
  EXPECT_EQ(m.epoll_wait(-1), kBlocked);
  EXPECT_EQ(m.call(second, sys_epoll_wait(m.k, 4, m.events, 8, -1)), kBlocked);
  EXPECT_EQ(m.connect(), 0);
  return second;
}

/// A UDP socket of the server (descriptor 3) that an epoll (4) watches, and a thread of it that sleeps; one of the
/// client.
void watch_datagrams(Machine& m) {
  EXPECT_EQ(m.call(m.server, sys_socket(m.k, AF_INET, SOCK_DGRAM, 0)), 3);
  EXPECT_EQ(m.call(m.server, sys_bind(m.k, 3, {kLocalhost, kPort})), 0);
  m.watch_listener();
  EXPECT_EQ(m.call(m.client, sys_socket(m.k, AF_INET, SOCK_DGRAM, 0)), 3);
  EXPECT_EQ(m.epoll_wait(-1), kBlocked);
}
const std::string kDatagram = "hello";

TEST(Fact14, ADatagramIsQueuedThenCountedThenItsReaderWakes) {
  Machine m;
  watch_datagrams(m);
  EXPECT_EQ(m.call(m.client, sys_sendto(m.k, 3, kDatagram.data(), kDatagram.size(), 0, {kLocalhost, kPort})), 5);
  const std::string enqueue = " in udp_unicast_rcv_skb > udp_queue_rcv_one_skb > __udp_enqueue_schedule_skb";
  EXPECT_TRUE(contains_in_order(
      m.seen(), {"insert udp_sock.sk_receive_queue.list" + enqueue,
                 "set udp_sock.sk_receive_queue.qlen 0 -> 1" + enqueue, "set udp_sock.sk_rmem_alloc 0 -> 832" + enqueue,
                 "call __udp_enqueue_schedule_skb > sock_def_readable > ep_poll_callback",
                 "wake in ep_poll_callback > ep_autoremove_wake_function"}));
}

TEST(Fact14, ThePollInsideEpollWaitMovesTheDatagramToTheReadersQueue) {
  Machine m;
  watch_datagrams(m);
  EXPECT_EQ(m.call(m.client, sys_sendto(m.k, 3, kDatagram.data(), kDatagram.size(), 0, {kLocalhost, kPort})), 5);
  const std::string look = " in ep_send_events > ep_item_poll > udp_poll > first_packet_length";
  EXPECT_TRUE(contains_in_order(
      m.seen(), {"erase udp_sock.sk_receive_queue.list" + look, "set udp_sock.sk_receive_queue.qlen 1 -> 0" + look,
                 "insert udp_sock.reader_queue.list" + look, "set udp_sock.reader_queue.qlen 0 -> 1" + look}));
  EXPECT_EQ(m.recv(m.server, 3), 5);
  EXPECT_TRUE(contains_in_order(m.seen(), {"erase udp_sock.reader_queue.list in udp_recvmsg > __skb_recv_udp"}));
}

TEST(Fact16, OfTwoWaitersTheLastAloneIsWoken) {
  Machine m;
  EXPECT_TRUE(two_waiters(m, EPOLLIN | kEdge)->call_done());
  EXPECT_FALSE(m.server->call_done());
}

TEST(Fact16, WithALevelItemTheOneWokenWakesTheNext) {
  Machine m;
  EXPECT_TRUE(two_waiters(m, EPOLLIN)->call_done());
  EXPECT_TRUE(m.server->call_done());
  EXPECT_TRUE(contains_in_order(m.seen(), {"wake in sock_def_readable > ep_poll_callback",
                                           "wake in do_epoll_wait > ep_send_events > ep_done_scan > __wake_up"}));
}

TEST(Fact17, DataWakesSynchronouslyAStateChangeDoesNot) {
  Machine m;
  connection(m);
  EXPECT_EQ(ctl(m, EPOLL_CTL_ADD, 5, EPOLLIN | EPOLLRDHUP), 0);
  EXPECT_EQ(m.epoll_wait(-1), kBlocked);
  EXPECT_EQ(m.send(m.client, 3, "hello"), 5);
  EXPECT_TRUE(contains_in_order(
      m.seen(), {"call sock_def_readable > __wake_up_sync_key > __wake_up_common > ep_poll_callback > __wake_up_sync > "
                 "__wake_up_common > ep_autoremove_wake_function > try_to_wake_up"}));
  EXPECT_EQ(m.recv(m.server, 5), 5);
  EXPECT_EQ(m.epoll_wait(-1), kBlocked);
  EXPECT_EQ(m.call(m.client, sys_close(m.k, 3)), 0);
  EXPECT_TRUE(contains_in_order(
      m.seen(), {"call tcp_fin > sock_def_wakeup > __wake_up > __wake_up_common > ep_poll_callback > __wake_up > "
                 "__wake_up_common > ep_autoremove_wake_function > try_to_wake_up"}));
}

}  // namespace
}  // namespace wakepath::testing_kernel
