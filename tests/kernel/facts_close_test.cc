// What was measured on Linux 6.18.44, fact by fact, asked of the model's trace: the end of a connection.
#include "sim/check/check.hh"
#include "tests/kernel/machine.hh"

namespace wakepath::testing_kernel {
namespace {

using namespace kernel;  // NOLINT

/// The server sleeps in an epoll that watches its end (5) of a connection with the client (3).
void watched_connection(Machine& m) {
  m.listen();
  m.watch_listener();
  EXPECT_EQ(m.connect(), 0);
  EXPECT_EQ(m.accept(), 5);
  EXPECT_EQ(m.call(m.server, sys_epoll_ctl(m.k, 4, EPOLL_CTL_ADD, 5, {EPOLLIN | EPOLLRDHUP, 5})), 0);
  EXPECT_EQ(m.epoll_wait(-1), kBlocked);
}

TEST(Fact13, TheFinWakesThroughTheStateChange) {
  Machine m;
  watched_connection(m);
  EXPECT_EQ(m.call(m.client, sys_close(m.k, 3)), 0);
  EXPECT_TRUE(contains_in_order(
      m.seen(), {"set tcp_sock.skc_state ESTABLISHED -> FIN_WAIT1 in __tcp_close", "call __tcp_close > tcp_send_fin",
                 "set tcp_sock.skc_state ESTABLISHED -> CLOSE_WAIT in tcp_data_queue > tcp_fin",
                 "wake in tcp_fin > sock_def_wakeup > __wake_up", "call tcp_data_queue > sock_def_readable"}));
  EXPECT_EQ(count_of(m.seen(), "wake"), 1u) << "sock_def_readable finds nobody to wake";
  EXPECT_EQ(count_of(m.seen(), "call __tcp_send_ack"), 0u) << "the ACK of the FIN is delayed";
}

TEST(Fact13, TheFinIsAcknowledgedByTheTimerAfter40Ms) {
  Machine m;
  watched_connection(m);
  EXPECT_EQ(m.send(m.client, 3, "hello"), 5);
  EXPECT_EQ(m.recv(m.server, 5), 5);
  EXPECT_EQ(m.call(m.client, sys_close(m.k, 3)), 0);
  m.wait_ms(39);
  EXPECT_EQ(count_of(m.seen(), "call __tcp_send_ack"), 0u);
  m.wait_ms(1);
  EXPECT_TRUE(contains_in_order(
      m.seen(), {"call tcp_delack_timer > __tcp_send_ack", "set tcp_sock.skc_state FIN_WAIT1 -> FIN_WAIT2",
                 "create tcp_timewait_sock", "set tcp_sock.skc_state FIN_WAIT2 -> CLOSE", "free tcp_sock"}));
}

TEST(Fact13, WithoutAnyDataBeforeTheFinIsAcknowledgedAtTheNextTick) {
  Machine m;
  watched_connection(m);
  EXPECT_EQ(m.call(m.client, sys_close(m.k, 3)), 0);
  EXPECT_EQ(count_of(m.seen(), "call __tcp_send_ack"), 0u);
  m.wait_ms(4);
  EXPECT_TRUE(contains_in_order(m.seen(), {"call tcp_delack_timer > __tcp_send_ack"}));
}

TEST(Fact13, ThePeersCloseBringsTheSmallTimeWaitSocket) {
  Machine m;
  watched_connection(m);
  EXPECT_EQ(m.call(m.client, sys_close(m.k, 3)), 0);
  EXPECT_EQ(m.recv(m.server, 5), 0);
  EXPECT_EQ(m.call(m.server, sys_close(m.k, 5)), 0);
  EXPECT_TRUE(contains_in_order(
      m.seen(),
      {"set tcp_sock.skc_state CLOSE_WAIT -> LAST_ACK in __tcp_close",
       "set tcp_sock.skc_state FIN_WAIT1 -> FIN_WAIT2 in tcp_v4_rcv", "create tcp_timewait_sock in tcp_v4_rcv",
       "set tcp_sock.skc_state FIN_WAIT2 -> CLOSE in tcp_v4_rcv", "free tcp_sock in tcp_v4_rcv",
       "set tcp_sock.skc_state LAST_ACK -> CLOSE in __tcp_close > __release_sock", "free tcp_sock"}));
  EXPECT_EQ(m.k.timewait_socks.live(), 1u);
  m.wait_ms(59'999);
  EXPECT_EQ(m.k.timewait_socks.live(), 1u);
  m.wait_ms(1);
  EXPECT_TRUE(contains_in_order(m.seen(), {"call tw_timer_handler", "free tcp_timewait_sock"}));
}

TEST(Fact20, CloseWithUnreadDataResetsThePeer) {
  Machine m;
  watched_connection(m);
  EXPECT_EQ(m.send(m.client, 3, "hello"), 5);
  EXPECT_EQ(m.call(m.server, sys_close(m.k, 5)), 0);
  EXPECT_TRUE(contains_in_order(
      m.seen(),
      {"set tcp_sock.skc_state ESTABLISHED -> CLOSE in __tcp_close", "call __tcp_close > tcp_send_active_reset",
       "call tcp_rcv_established > tcp_validate_incoming > tcp_reset > tcp_done_with_error > tcp_done",
       "set tcp_sock.skc_state ESTABLISHED -> CLOSE in tcp_reset"}));
  EXPECT_EQ(m.recv(m.client, 3), -ECONNRESET);
}

TEST(WholeLife, LeavesNothingBehind) {
  Machine m;
  watched_connection(m);
  EXPECT_EQ(m.send(m.client, 3, "hello"), 5);
  m.k.exit_task(m.server);
  m.k.exit_task(m.client);
  m.wait_ms(120'000);
  EXPECT_EQ(check::check_all_freed(m.k), check::Complaints{});
}

}  // namespace
}  // namespace wakepath::testing_kernel
