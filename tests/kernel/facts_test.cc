// What was measured on Linux 6.18.44, fact by fact, asked of the model's trace: making sockets, connecting, data.
#include "tests/kernel/machine.hh"

namespace wakepath::testing_kernel {
namespace {

using namespace kernel;  // NOLINT

TEST(Fact01, SocketMakesItsHalvesInOrder) {
  Machine m;
  m.call(m.server, sys_socket(m.k, AF_INET, SOCK_STREAM, 0));
  EXPECT_TRUE(contains_in_order(m.seen(), {"create socket_alloc in __sock_create > sock_alloc",
                                           "create tcp_sock in __sock_create > inet_create > sk_alloc",
                                           "create file in sock_alloc_file > alloc_file_pseudo > alloc_empty_file"}));
}

TEST(Fact01, AcceptMakesTheFileBeforeItTakesTheConnection) {
  Machine m;
  m.listen();
  EXPECT_EQ(m.connect(), 0);
  EXPECT_EQ(first_of(m.seen(), "create tcp_sock in tcp_v4_rcv").context, trace::Context::kSoftirq)
      << "the child's sock is made in the softirq of the handshake's last ACK";
  EXPECT_EQ(m.accept(), 4);
  EXPECT_TRUE(contains_in_order(
      m.seen(), {"create socket_alloc in do_accept > sock_alloc", "create file in do_accept > sock_alloc_file",
                 "erase tcp_sock.rskq_accept_head in inet_accept > inet_csk_accept",
                 "free tcp_request_sock in inet_accept > inet_csk_accept"}));
  EXPECT_EQ(count_of(m.seen(), "create tcp_sock"), 0u);
}

TEST(Fact02, ListenChangesTheStateAndAllocatesNothing) {
  Machine m;
  m.listen();
  EXPECT_TRUE(contains_in_order(
      m.seen(), {"set tcp_sock.skc_state CLOSE -> LISTEN in inet_listen > __inet_listen_sk > inet_csk_listen_start"}));
  // the hash table's chains, which Linux makes at boot, are made at first use here
  EXPECT_EQ(count_of(m.seen(), "create"), count_of(m.seen(), "create inet_ehash_bucket"));
}

TEST(Fact05, ConnectHandlesItsSynWithinTheCall) {
  Machine m;
  m.listen();
  EXPECT_EQ(m.connect(), 0);
  auto seen = m.seen();
  EXPECT_TRUE(contains_in_order(
      seen, {"set tcp_sock.skc_state CLOSE -> SYN_SENT in tcp_v4_connect",
             "call tcp_connect > __tcp_transmit_skb > __ip_queue_xmit > __dev_queue_xmit > enqueue_to_backlog",
             "call __dev_queue_xmit > __local_bh_enable_ip > do_softirq > net_rx_action > process_backlog",
             "create tcp_request_sock in tcp_v4_rcv > tcp_v4_do_rcv > tcp_rcv_state_process > tcp_conn_request",
             "call tcp_conn_request > tcp_v4_send_synack > enqueue_to_backlog", "call tcp_v4_rcv > tcp_add_backlog",
             "call __inet_stream_connect > release_sock > __release_sock > tcp_v4_do_rcv > tcp_rcv_state_process",
             "set tcp_sock.skc_state SYN_SENT -> ESTABLISHED in __release_sock > tcp_finish_connect",
             "call __release_sock > __tcp_send_ack > __tcp_transmit_skb",
             "create tcp_sock in __tcp_send_ack > net_rx_action > tcp_v4_rcv > tcp_check_req > tcp_v4_syn_recv_sock",
             "set tcp_sock.skc_state LISTEN -> SYN_RECV in tcp_create_openreq_child > inet_csk_clone_lock",
             "insert tcp_sock.rskq_accept_head in tcp_check_req > inet_csk_complete_hashdance",
             "set tcp_sock.skc_state SYN_RECV -> ESTABLISHED in tcp_child_process > tcp_rcv_state_process",
             "call tcp_child_process > sock_def_readable"}));
  EXPECT_EQ(count_of(seen, "call process_backlog in tcp_connect"), 1u) << "the SYN-ACK comes in the same run";
  EXPECT_EQ(count_of(seen, "call schedule"), 0u) << "a blocking connect() on loopback never sleeps";
}

TEST(Fact05, NonBlockingConnectIsInProgressThoughItIsDone) {
  Machine m;
  m.listen();
  EXPECT_EQ(m.connect(SOCK_NONBLOCK), -EINPROGRESS);
  EXPECT_TRUE(contains_in_order(m.seen(),
                                {"call inet_stream_connect > release_sock > __release_sock",
                                 "set tcp_sock.skc_state SYN_SENT -> ESTABLISHED in inet_stream_connect > release_sock",
                                 "set tcp_sock.skc_state SYN_RECV -> ESTABLISHED"}));
  EXPECT_EQ(count_of(m.seen(), "call __inet_stream_connect > release_sock"), 0u);
  EXPECT_EQ(m.call(m.client, sys_epoll_create1(m.k, 0)), 4);
  EXPECT_EQ(m.call(m.client, sys_epoll_ctl(m.k, 4, EPOLL_CTL_ADD, 3, {EPOLLOUT | static_cast<u32>(EPOLLET), 3})), 0);
  EXPECT_EQ(m.call(m.client, sys_epoll_wait(m.k, 4, m.events, 8, -1)), 1);
  EXPECT_EQ(m.events[0].events, static_cast<u32>(EPOLLOUT));
  EXPECT_EQ(count_of(m.seen(), "wake"), 0u);
}

TEST(Fact06, TheAcceptQueueIsFilledAndEmptiedInOrder) {
  Machine m;
  m.listen();
  m.watch_listener();
  EXPECT_EQ(m.epoll_wait(-1), kBlocked);
  EXPECT_EQ(m.connect(), 0);
  EXPECT_TRUE(contains_in_order(m.seen(), {"set tcp_sock.icsk_accept_queue.qlen 1 -> 0 in inet_csk_complete_hashdance",
                                           "insert tcp_sock.rskq_accept_head in inet_csk_complete_hashdance",
                                           "set tcp_sock.sk_ack_backlog 0 -> 1 in inet_csk_complete_hashdance",
                                           "set tcp_sock.skc_state SYN_RECV -> ESTABLISHED in tcp_child_process",
                                           "wake in tcp_child_process > sock_def_readable"}));
  EXPECT_EQ(m.accept(), 5);
  EXPECT_TRUE(contains_in_order(m.seen(), {"set tcp_sock.sk_ack_backlog 1 -> 0 in inet_csk_accept",
                                           "erase tcp_sock.rskq_accept_head in inet_csk_accept"}));
}

/// A connection whose accepted end (descriptor 5 of the server) is watched by epoll 4, in which the server sleeps.
void watched_connection(Machine& m, u32 mask) {
  m.listen();
  m.watch_listener();
  EXPECT_EQ(m.connect(), 0);
  EXPECT_EQ(m.accept(), 5);
  EXPECT_EQ(m.call(m.server, sys_epoll_ctl(m.k, 4, EPOLL_CTL_ADD, 5, {mask, 5})), 0);
  EXPECT_EQ(m.epoll_wait(-1), kBlocked);
}

TEST(Fact07, TheFirstSegmentWakesBeforeItsAckTheNextAfter) {
  Machine m;
  watched_connection(m, EPOLLIN);
  EXPECT_EQ(m.send(m.client, 3, "hello"), 5);
  EXPECT_TRUE(contains_in_order(
      m.seen(), {"call tcp_v4_do_rcv > tcp_rcv_established > tcp_data_queue > sock_def_readable",
                 "wake in tcp_data_queue", "call tcp_v4_do_rcv > tcp_rcv_established > __tcp_send_ack"}));
  EXPECT_EQ(m.send(m.client, 3, "x"), 1);
  EXPECT_TRUE(contains_in_order(m.seen(), {"call tcp_v4_do_rcv > tcp_rcv_established > __tcp_send_ack",
                                           "call tcp_v4_do_rcv > tcp_rcv_established > sock_def_readable"}));
  EXPECT_EQ(count_of(m.seen(), "call tcp_data_queue in tcp_sendmsg > net_rx_action"), 0u) << "the fast path";
}

TEST(Fact08, ReceivingWritesInOrder) {
  Machine m;
  watched_connection(m, EPOLLIN);
  EXPECT_EQ(m.send(m.client, 3, "hello"), 5);
  EXPECT_TRUE(contains_in_order(
      m.seen(), {"set tcp_sock.rcv_nxt in tcp_queue_rcv", "set tcp_sock.sk_receive_queue.qlen 0 -> 1 in tcp_queue_rcv",
                 "set tcp_sock.sk_rmem_alloc in tcp_queue_rcv"}));
  EXPECT_EQ(m.recv(m.server, 5), 5);
  EXPECT_TRUE(contains_in_order(m.seen(), {"set tcp_sock.copied_seq in tcp_recvmsg_locked",
                                           "set tcp_sock.sk_receive_queue.qlen 1 -> 0 in tcp_recvmsg_locked",
                                           "set tcp_sock.sk_rmem_alloc in tcp_recvmsg_locked > sock_rfree"}));
}

TEST(Fact08, AFinStandsInTheReceiveQueueUntilItIsRead) {
  Machine m;
  watched_connection(m, EPOLLIN);
  EXPECT_EQ(m.call(m.client, sys_close(m.k, 3)), 0);
  EXPECT_TRUE(contains_in_order(m.seen(), {"set tcp_sock.sk_receive_queue.qlen 0 -> 1 in tcp_data_queue"}));
  EXPECT_EQ(m.recv(m.server, 5), 0);
  EXPECT_TRUE(contains_in_order(m.seen(), {"set tcp_sock.sk_receive_queue.qlen 1 -> 0 in tcp_recvmsg_locked"}));
}

TEST(Fact09, SendingWritesInOrder) {
  Machine m;
  watched_connection(m, EPOLLIN);
  EXPECT_EQ(m.send(m.client, 3, "hello"), 5);
  EXPECT_TRUE(contains_in_order(
      m.seen(),
      {"set tcp_sock.sk_wmem_queued in tcp_sendmsg_locked", "set tcp_sock.write_seq in tcp_sendmsg_locked",
       "call tcp_write_xmit > __tcp_transmit_skb", "wake in tcp_write_xmit > __tcp_transmit_skb",
       "insert tcp_sock.sk_backlog in tcp_v4_rcv > tcp_add_backlog",
       "set tcp_sock.snd_nxt in tcp_write_xmit > tcp_event_new_data_sent",
       "call release_sock > __release_sock > tcp_rcv_established > tcp_ack",
       "set tcp_sock.snd_una in release_sock > tcp_ack", "set tcp_sock.sk_wmem_queued in release_sock > tcp_ack"}));
}

TEST(Fact18, RecvIsWokenDirectly) {
  Machine m;
  m.listen();
  EXPECT_EQ(m.connect(), 0);
  EXPECT_EQ(m.accept(), 4);
  EXPECT_EQ(m.recv(m.client, 3), kBlocked);
  EXPECT_TRUE(contains_in_order(m.seen(),
                                {"call tcp_recvmsg_locked > sk_wait_data > wait_woken > schedule_timeout > schedule"}));
  EXPECT_EQ(m.send(m.server, 4, "abc"), 3);
  EXPECT_TRUE(contains_in_order(m.seen(), {"call sock_def_readable > __wake_up_sync_key > __wake_up_common > "
                                           "woken_wake_function > try_to_wake_up"}));
  EXPECT_EQ(m.client->call_result(), 3);
}

TEST(Fact18, AcceptIsWokenDirectly) {
  Machine m;
  m.listen();
  EXPECT_EQ(m.accept(), kBlocked);
  EXPECT_TRUE(contains_in_order(m.seen(), {"call inet_accept > inet_csk_accept > schedule_timeout > schedule"}));
  EXPECT_EQ(m.connect(), 0);
  EXPECT_TRUE(contains_in_order(m.seen(), {"call sock_def_readable > __wake_up_sync_key > __wake_up_common > "
                                           "autoremove_wake_function > try_to_wake_up"}));
  EXPECT_TRUE(m.server->call_done());
}

TEST(Fact19, AFullAcceptQueueSwallowsTheSyn) {
  Machine m;
  m.listen(1);
  EXPECT_EQ(m.connect(SOCK_NONBLOCK), -EINPROGRESS);
  EXPECT_EQ(m.connect(SOCK_NONBLOCK), -EINPROGRESS);
  EXPECT_EQ(m.connect(SOCK_NONBLOCK), -EINPROGRESS);
  auto seen = m.seen();
  EXPECT_TRUE(contains_in_order(
      seen, {"call tcp_rcv_state_process > tcp_conn_request", "call tcp_rcv_state_process > consume_skb"}));
  EXPECT_EQ(count_of(seen, "create tcp_request_sock"), 0u);
  EXPECT_EQ(count_of(seen, "set tcp_sock.skc_state SYN_SENT -> ESTABLISHED"), 0u);
  m.wait_ms(999);
  EXPECT_EQ(count_of(m.seen(), "call tcp_retransmit_skb"), 0u);
  m.wait_ms(2);
  EXPECT_EQ(count_of(m.seen(), "call tcp_write_timer > tcp_retransmit_skb"), 1u) << "after 250 jiffies, a second";
}

}  // namespace
}  // namespace wakepath::testing_kernel
