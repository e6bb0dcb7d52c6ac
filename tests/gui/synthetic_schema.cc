#include "tests/gui/synthetic_schema.hh"

namespace wakepath::gui::test {

using trace::FieldInfo;
using trace::FieldType;
using trace::Kind;
using trace::Layer;
using trace::Part;
using trace::Schema;

namespace {

constexpr auto kU = FieldType::kUnsigned;
constexpr auto kP = FieldType::kPointer;
constexpr auto kS = FieldType::kSymbol;
constexpr auto kL = FieldType::kList;

enum Enums : std::uint16_t { kTaskState, kSocketState, kTcpState, kTcpFlags, kEvents, kWaitFlags };

std::vector<Kind> user_and_file_kinds() {
  return {
      {"task_struct",
       Layer::kUser,
       true,
       "include/linux/sched.h",
       "A thread, as the kernel knows it.",
       {{"task_struct", ""}},
       {{"comm", 0, FieldType::kString},
        {"pid", 0, kU},
        {"tgid", 0, kU},
        {"__state", 0, FieldType::kEnum, kTaskState},
        {"files", 0, kP}}},
      {"files_struct",
       Layer::kVfs,
       false,
       "include/linux/fdtable.h",
       "The descriptors of a process.",
       {{"files_struct", ""}},
       {{"fd_array", 0, kL}}},
      {"fd",
       Layer::kVfs,
       false,
       "include/linux/fdtable.h",
       "One entry of the descriptor table.",
       {{"fd", ""}},
       {{"fd", 0, kU}, {"file", 0, kP}, {"close_on_exec", 0, FieldType::kBool}}},
      {"file",
       Layer::kVfs,
       false,
       "include/linux/fs.h",
       "An open file description: what descriptors point to.",
       {{"file", ""}},
       {{"f_op", 0, kS}, {"f_flags", 0, FieldType::kHex}, {"private_data", 0, kP}, {"f_ref", 0, kU}, {"f_ep", 0, kP}}},
  };
}

std::vector<Kind> socket_kinds() {
  return {
      {"socket_alloc",
       Layer::kSocket,
       false,
       "include/net/sock.h",
       "A socket and its inode in one allocation of sockfs.",
       {{"socket_alloc", ""},
        {"socket", "socket"},
        {"socket_wq", "socket.wq", 1},
        {"wait_queue_head", "socket.wq.wait", 2},
        {"inode", "vfs_inode"}},
       {{"state", 1, FieldType::kEnum, kSocketState},
        {"file", 1, kP},
        {"sk", 1, kP},
        {"ops", 1, kS},
        {"head", 3, kL},
        {"i_ino", 4, kU}}},
      {"tcp_sock",
       Layer::kTcp,
       false,
       "include/linux/tcp.h",
       "A TCP socket: sock, inet_sock and inet_connection_sock are inside it.",
       {{"tcp_sock", ""},
        {"inet_connection_sock", "inet_conn"},
        {"inet_sock", "inet_conn.icsk_inet", 1},
        {"sock", "inet_conn.icsk_inet.sk", 2},
        {"sock_common", "inet_conn.icsk_inet.sk.__sk_common", 3}},
       {{"skc_state", 4, FieldType::kEnum, kTcpState},
        {"skc_daddr", 4, FieldType::kIpv4},
        {"skc_rcv_saddr", 4, FieldType::kIpv4},
        {"skc_dport", 4, kU},
        {"skc_num", 4, kU},
        {"sk_wq", 3, kP},
        {"sk_socket", 3, kP},
        {"sk_data_ready", 3, kS},
        {"sk_ack_backlog", 3, kU},
        {"sk_max_ack_backlog", 3, kU},
        {"sk_rmem_alloc", 3, kU},
        {"sk_wmem_queued", 3, kU},
        {"sk_receive_queue", 3, kL},
        {"sk_write_queue", 3, kL},
        {"tcp_rtx_queue", 3, kL},
        {"sk_backlog", 3, kL},
        {"rskq_accept_head", 1, kL},
        {"rcv_nxt", 0, kU},
        {"snd_nxt", 0, kU},
        {"snd_una", 0, kU},
        {"copied_seq", 0, kU},
        {"write_seq", 0, kU}}},
      {"tcp_request_sock",
       Layer::kTcp,
       false,
       "include/linux/tcp.h",
       "A connection that is not finished yet.",
       {{"tcp_request_sock", ""}},
       {{"skc_dport", 0, kU}, {"rsk_listener", 0, kP}, {"sk", 0, kP}}},
      {"sk_buff",
       Layer::kTcp,
       false,
       "include/linux/skbuff.h",
       "One packet.",
       {{"sk_buff", ""}},
       {{"len", 0, kU},
        {"seq", 0, kU},
        {"end_seq", 0, kU},
        {"tcp_flags", 0, FieldType::kFlags, kTcpFlags},
        {"sk", 0, kP}}},
      {"inet_bind_bucket",
       Layer::kTcp,
       false,
       "include/net/inet_hashtables.h",
       "Who owns a port.",
       {{"inet_bind_bucket", ""}},
       {{"port", 0, kU}, {"owners", 0, kL}}},
      {"softnet_data",
       Layer::kSoftirq,
       false,
       "include/linux/netdevice.h",
       "The packets that one CPU has to receive.",
       {{"softnet_data", ""}},
       {{"input_pkt_queue", 0, kL}, {"received_rps", 0, kU}}},
  };
}

std::vector<Kind> epoll_kinds() {
  return {
      {"eventpoll",
       Layer::kEpoll,
       false,
       "fs/eventpoll.c",
       "An epoll instance: what it watches, what is ready, who waits.",
       {{"eventpoll", ""}, {"wait_queue_head", "wq"}, {"wait_queue_head", "poll_wait"}},
       {{"rbr", 0, kL},
        {"rdllist", 0, kL},
        {"ovflist", 0, kP},
        {"file", 0, kP},
        {"head", 1, kL},
        {"head", 2, kL},
        {"refcount", 0, kU}}},
      {"epitem",
       Layer::kEpoll,
       false,
       "fs/eventpoll.c",
       "One watched file.",
       {{"epitem", ""}, {"epoll_filefd", "ffd"}, {"epoll_event", "event"}},
       {{"fd", 1, kU}, {"file", 1, kP}, {"ep", 0, kP}, {"events", 2, FieldType::kFlags, kEvents}}},
      {"eppoll_entry",
       Layer::kEpoll,
       false,
       "fs/eventpoll.c",
       "The hook of an epitem on a wait queue.",
       {{"eppoll_entry", ""}, {"wait_queue_entry", "wait"}},
       {{"base", 0, kP}, {"whead", 0, kP}, {"func", 1, kS}, {"flags", 1, FieldType::kFlags, kWaitFlags}}},
      {"wait_queue_entry",
       Layer::kScheduler,
       false,
       "include/linux/wait.h",
       "A sleeping task on a wait queue.",
       {{"wait_queue_entry", ""}},
       {{"func", 0, kS}, {"private", 0, kP}, {"flags", 0, FieldType::kFlags, kWaitFlags}}},
  };
}

}  // namespace

Schema linux_schema() {
  Schema s;
  s.producer = "hand-written trace";
  for (auto&& group : {user_and_file_kinds(), socket_kinds(), epoll_kinds()})
    s.kinds.insert(s.kinds.end(), group.begin(), group.end());
  s.enums = {
      {"task state", {{0, "TASK_RUNNING"}, {1, "TASK_INTERRUPTIBLE"}}},
      {"socket_state", {{1, "SS_UNCONNECTED"}, {2, "SS_CONNECTING"}, {3, "SS_CONNECTED"}}},
      {"tcp state",
       {{1, "TCP_ESTABLISHED"}, {2, "TCP_SYN_SENT"}, {7, "TCP_CLOSE"}, {8, "TCP_CLOSE_WAIT"}, {10, "TCP_LISTEN"}}},
      {"tcp flags", {{1, "FIN"}, {2, "SYN"}, {8, "PSH"}, {16, "ACK"}}},
      {"epoll events", {{1, "EPOLLIN"}, {4, "EPOLLOUT"}, {1u << 31, "EPOLLET"}}},
      {"wait flags", {{1, "WQ_FLAG_EXCLUSIVE"}}}};
  s.symbols = {"NULL",
               "socket_file_ops",
               "eventpoll_fops",
               "inet_stream_ops",
               "sock_def_readable",
               "ep_poll_callback",
               "ep_autoremove_wake_function"};
  struct F {
    Layer layer;
    std::vector<const char*> names;
  };
  const F functions[] = {
      {Layer::kSyscall,
       {"__x64_sys_socket", "__x64_sys_listen", "__x64_sys_epoll_create1", "__x64_sys_epoll_ctl",
        "__x64_sys_epoll_wait", "__x64_sys_connect", "__x64_sys_accept4", "__x64_sys_sendto", "__x64_sys_recvfrom",
        "__x64_sys_close"}},
      {Layer::kVfs, {"sock_alloc_file", "__fput"}},
      {Layer::kSocket,
       {"__sys_socket", "inet_listen", "inet_stream_connect", "__sys_accept4", "sock_sendmsg", "sock_recvmsg",
        "sock_def_readable"}},
      {Layer::kEpoll,
       {"do_epoll_create", "do_epoll_ctl", "do_epoll_wait", "ep_poll_callback", "ep_send_events",
        "ep_ptable_queue_proc"}},
      {Layer::kTcp,
       {"inet_csk_listen_start", "tcp_v4_connect", "tcp_sendmsg_locked", "tcp_write_xmit", "__tcp_transmit_skb",
        "tcp_v4_rcv", "tcp_conn_request", "tcp_child_process", "tcp_rcv_established", "tcp_data_queue",
        "inet_csk_accept", "tcp_recvmsg_locked", "tcp_finish_connect", "release_sock", "tcp_poll"}},
      {Layer::kIp, {"__ip_queue_xmit", "ip_rcv"}},
      {Layer::kSoftirq, {"loopback_xmit", "enqueue_to_backlog", "net_rx_action", "process_backlog"}},
      {Layer::kScheduler, {"schedule", "__wake_up_common", "try_to_wake_up"}}};
  for (const F& f : functions)
    for (const char* name : f.names) s.functions.push_back({name, f.layer, "net/", "What it does, in our words."});
  s.rules = {{"accept_2", "Block waiting for a connection."},
             {"epoll_wake_1", "The callback on the wait queue links the item onto rdllist and wakes one waiter."}};
  return s;
}

}  // namespace wakepath::gui::test
