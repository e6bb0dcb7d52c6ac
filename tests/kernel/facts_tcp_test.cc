// More of what was measured on Linux 6.18.44: references of open files (fact 21), and the wake of a writer, which is
// the same in whatever context the ACK comes (section 14 of the measurements).
#include <netinet/tcp.h>

#include "tests/kernel/machine.hh"

namespace wakepath::testing_kernel {
namespace {

using namespace kernel;  // NOLINT

TEST(Fact21, AcceptHoldsTheListenersFile) {
  Machine m;
  m.listen();
  EXPECT_EQ(m.connect(), 0);
  EXPECT_EQ(m.accept(), 4);
  EXPECT_TRUE(contains_in_order(m.seen(), {"set file.f_ref 1 -> 2 in __sys_accept4", "call __sys_accept4 > do_accept",
                                           "set file.f_ref 2 -> 1 in __sys_accept4"}));
}

TEST(Fact21, EpollHoldsTheFileWhileItPolls) {
  Machine m;
  m.listen();
  m.watch_listener();
  EXPECT_TRUE(contains_in_order(
      m.seen(), {"set file.f_ref in ep_item_poll", "call ep_item_poll > sock_poll", "set file.f_ref in ep_item_poll"}));
}

/// A client sleeps in epoll_wait for room to write: its peer (descriptor 4 of the server) has a small buffer.
void sleeping_writer(Machine& m) {
  EXPECT_EQ(m.call(m.server, sys_socket(m.k, AF_INET, SOCK_STREAM, 0)), 3);
  EXPECT_EQ(m.call(m.server, sys_bind(m.k, 3, {kLocalhost, kPort})), 0);
  EXPECT_EQ(m.call(m.server, sys_setsockopt(m.k, 3, SOL_SOCKET, SO_RCVBUF, {4000})), 0);
  EXPECT_EQ(m.call(m.server, sys_listen(m.k, 3, 8)), 0);
  EXPECT_EQ(m.connect(), 0);
  EXPECT_EQ(m.accept(), 4);
  EXPECT_EQ(m.call(m.client, sys_setsockopt(m.k, 3, SOL_SOCKET, SO_SNDBUF, {6000})), 0);
  std::string much(100'000, 'x');
  // more than once: what waits is put together into large segments, which leaves room again
  while (m.call(m.client, sys_send(m.k, 3, much.data(), much.size(), MSG_DONTWAIT)) > 0) {
  }
  EXPECT_EQ(m.call(m.client, sys_epoll_create1(m.k, 0)), 4);
  EXPECT_EQ(m.call(m.client, sys_epoll_ctl(m.k, 4, EPOLL_CTL_ADD, 3, {EPOLLOUT, 3})), 0);
  EXPECT_EQ(m.call(m.client, sys_epoll_wait(m.k, 4, m.events, 8, -1)), kBlocked);
}

const std::string kReceived =
    " > __netif_receive_skb_one_core > ip_local_deliver_finish > ip_protocol_deliver_rcu > tcp_v4_rcv > tcp_v4_do_rcv "
    "> tcp_rcv_established > tcp_check_space > sk_stream_write_space > __wake_up > ep_poll_callback > __wake_up > "
    "ep_autoremove_wake_function > try_to_wake_up";
const std::string kBacklog = "handle_softirqs > net_rx_action > __napi_poll > process_backlog";

// Of the four contexts that were measured these are two. The third, ksoftirqd, needs a network card: see nic_test.cc.
// The fourth is a softirq that waits until some call allows bottom halves again, after an interrupt that came while
// they were forbidden. In the model none comes then: lock_sock() does not even forbid them, which every call would pay
// for. What a call sends itself meanwhile has to wait in the same way, and wakes from the same place (the last test).

TEST(WriterWake, ComesOutOfAnotherThreadsCall) {
  const std::string wake = "call __dev_queue_xmit > __local_bh_enable_ip > do_softirq > " + kBacklog + kReceived;
  Machine m;
  sleeping_writer(m);
  std::vector<char> room(100'000);
  Events seen;
  for (int i = 0; i < 10 && !m.client->call_done(); ++i) {
    EXPECT_GT(m.call(m.server, sys_recv(m.k, 4, room.data(), room.size(), 0)), 0);
    seen = m.seen();
  }
  EXPECT_TRUE(m.client->call_done());
  EXPECT_TRUE(contains_in_order(seen, {wake}));
  EXPECT_EQ(first_of(seen, wake).task, m.server->thread->id());
}

TEST(WriterWake, ComesOutOfATimersInterrupt) {
  const std::string wake =
      "call asm_sysvec_apic_timer_interrupt > sysvec_apic_timer_interrupt > __irq_exit_rcu > " + kBacklog + kReceived;
  Machine m;
  sleeping_writer(m);
  // the reader makes room without telling (its buffer grows): the next probe of the window finds it
  EXPECT_EQ(m.call(m.server, sys_setsockopt(m.k, 4, SOL_SOCKET, SO_RCVBUF, {200'000})), 0);
  EXPECT_FALSE(m.client->call_done());
  m.wait_ms(2000);
  EXPECT_TRUE(m.client->call_done());
  EXPECT_TRUE(contains_in_order(m.seen(), {wake}));
  EXPECT_EQ(first_of(m.seen(), wake).task, 0u);
}

/// A reset that is sent by close() with bottom halves forbidden (TCP_LINGER2 below 0, in FIN_WAIT2): its softirq comes
/// when they are allowed again. Measured on 6.18.44 with sched_waking: tcp_close > __local_bh_enable_ip > do_softirq >
/// … > tcp_v4_do_rcv > … > sock_def_wakeup > … > ep_autoremove_wake_function > try_to_wake_up.
TEST(SleeperWake, ComesWhereACallAllowsBottomHalvesAgain) {
  const std::string wake = "call __tcp_close > __local_bh_enable_ip > do_softirq > " + kBacklog +
                           " > __netif_receive_skb_one_core > ip_local_deliver_finish > ip_protocol_deliver_rcu > "
                           "tcp_v4_rcv > tcp_v4_do_rcv > ep_poll_callback > __wake_up > ep_autoremove_wake_function > "
                           "try_to_wake_up";
  Machine m;
  m.listen();
  EXPECT_EQ(m.connect(), 0);
  EXPECT_EQ(m.accept(), 4);
  EXPECT_EQ(m.call(m.client, sys_epoll_create1(m.k, 0)), 4);
  EXPECT_EQ(m.call(m.server, sys_setsockopt(m.k, 4, IPPROTO_TCP, TCP_LINGER2, {-1})), 0);
  EXPECT_EQ(m.call(m.server, sys_shutdown(m.k, 4, SHUT_WR)), 0);
  m.wait_ms(100);  // the FIN is acknowledged: FIN_WAIT2
  EXPECT_EQ(m.call(m.client, sys_epoll_ctl(m.k, 4, EPOLL_CTL_ADD, 3, {0, 3})), 0);
  EXPECT_EQ(m.call(m.client, sys_epoll_wait(m.k, 4, m.events, 8, -1)), kBlocked);
  EXPECT_EQ(m.call(m.server, sys_close(m.k, 4)), 0);
  EXPECT_TRUE(m.client->call_done());
  EXPECT_TRUE(contains_in_order(m.seen(), {wake}));
  EXPECT_EQ(first_of(m.seen(), wake).task, m.server->thread->id());
}

}  // namespace
}  // namespace wakepath::testing_kernel
