#include "tests/export/story.hh"

namespace wakepath::exports::story {

using trace::Context;
using trace::FieldType;
using trace::Layer;
using trace::ObjectId;
using trace::TaskId;

namespace {

std::vector<trace::Kind> kinds() {
  constexpr std::uint16_t kTcpStates = 0, kTaskStates = 1, kEvents = 2;
  return {
      {"task_struct",
       Layer::kUser,
       true,
       "include/linux/sched.h",
       "A thread.",
       {{"task_struct", ""}},
       {{"comm", 0, FieldType::kString},
        {"__state", 0, FieldType::kEnum, kTaskStates},
        {"files", 0, FieldType::kList}}},
      {"file",
       Layer::kVfs,
       false,
       "include/linux/fs.h",
       "An open file.",
       {{"file", ""}},
       {{"f_ref", 0, FieldType::kUnsigned},
        {"f_op", 0, FieldType::kSymbol},
        {"private_data", 0, FieldType::kPointer},
        {"f_ep", 0, FieldType::kList}}},
      {"socket_alloc",
       Layer::kSocket,
       false,
       "include/net/sock.h",
       "A socket with its inode.",
       {{"socket_alloc", ""},
        {"socket", "socket", 0, 0, 128},
        {"socket_wq", "socket.wq", 1, 64, 64},
        {"inode", "vfs_inode", 0, 128, 640}},
       {{"state", 1, FieldType::kUnsigned},
        {"file", 1, FieldType::kPointer},
        {"sk", 1, FieldType::kPointer},
        {"wait", 2, FieldType::kList},
        {"i_ino", 3, FieldType::kUnsigned}}},
      {"tcp_sock",
       Layer::kTcp,
       false,
       "include/linux/tcp.h",
       "A TCP connection.",
       {{"tcp_sock", ""},
        {"inet_connection_sock", "inet_conn", 0},
        {"inet_sock", "inet_conn.icsk_inet", 1},
        {"sock", "inet_conn.icsk_inet.sk", 2}},
       {{"rcv_nxt", 0, FieldType::kUnsigned},
        {"icsk_accept_queue", 1, FieldType::kList},
        {"inet_sport", 2, FieldType::kUnsigned},
        {"inet_saddr", 2, FieldType::kIpv4},
        {"sk_state", 3, FieldType::kEnum, kTcpStates},
        {"sk_wq", 3, FieldType::kPointer},
        {"sk_socket", 3, FieldType::kPointer},
        {"sk_ack_backlog", 3, FieldType::kUnsigned},
        {"sk_max_ack_backlog", 3, FieldType::kUnsigned},
        {"sk_receive_queue", 3, FieldType::kList},
        {"sk_data_ready", 3, FieldType::kSymbol}}},
      {"tcp_request_sock",
       Layer::kTcp,
       false,
       "include/linux/tcp.h",
       "A connection in the making.",
       {{"tcp_request_sock", ""}},
       {{"rsk_listener", 0, FieldType::kPointer}, {"sk", 0, FieldType::kPointer}}},
      {"sk_buff",
       Layer::kSoftirq,
       false,
       "include/linux/skbuff.h",
       "A packet.",
       {{"sk_buff", ""}},
       {{"len", 0, FieldType::kUnsigned}, {"sk", 0, FieldType::kPointer}}},
      {"eventpoll",
       Layer::kEpoll,
       false,
       "fs/eventpoll.c",
       "An epoll instance.",
       {{"eventpoll", ""}},
       {{"wq", 0, FieldType::kList},
        {"rdllist", 0, FieldType::kList},
        {"rbr", 0, FieldType::kList},
        {"ovflist", 0, FieldType::kPointer},
        {"file", 0, FieldType::kPointer}}},
      {"epitem",
       Layer::kEpoll,
       false,
       "fs/eventpoll.c",
       "A watched file.",
       {{"epitem", ""}},
       {{"ffd.file", 0, FieldType::kPointer},
        {"ffd.fd", 0, FieldType::kSigned},
        {"ep", 0, FieldType::kPointer},
        {"pwqlist", 0, FieldType::kPointer},
        {"events", 0, FieldType::kFlags, kEvents}}},
      {"eppoll_entry",
       Layer::kEpoll,
       false,
       "fs/eventpoll.c",
       "Its hook in a wait queue.",
       {{"eppoll_entry", ""}, {"wait_queue_entry", "wait", 0}},
       {{"base", 0, FieldType::kPointer}, {"whead", 0, FieldType::kPointer}, {"func", 1, FieldType::kSymbol}}},
      {"wait_queue_entry",
       Layer::kScheduler,
       false,
       "include/linux/wait.h",
       "A sleeper's entry.",
       {{"wait_queue_entry", ""}},
       {{"private", 0, FieldType::kPointer}, {"func", 0, FieldType::kSymbol}}},
  };
}

}  // namespace

trace::Schema schema() {
  trace::Schema s;
  s.producer = "a story for tests";
  s.enums = {{"tcp_state",
              {{1, "TCP_ESTABLISHED"}, {2, "TCP_SYN_SENT"}, {3, "TCP_SYN_RECV"}, {7, "TCP_CLOSE"}, {10, "TCP_LISTEN"}}},
             {"task_state", {{0, "TASK_RUNNING"}, {1, "TASK_INTERRUPTIBLE"}}},
             {"epoll_events", {{1, "EPOLLIN"}, {4, "EPOLLOUT"}, {0x80000000u, "EPOLLET"}}}};
  s.kinds = kinds();
  auto add = [&](Layer layer, std::initializer_list<const char*> names) {
    for (const char* name : names) s.functions.push_back({name, layer, "", ""});
  };
  add(Layer::kSyscall, {"__x64_sys_socket", "__x64_sys_listen", "__x64_sys_epoll_create1", "__x64_sys_epoll_ctl",
                        "__x64_sys_epoll_wait", "__x64_sys_connect", "__x64_sys_accept4"});
  add(Layer::kSocket,
      {"__sys_socket", "__sock_create", "sock_alloc", "__sys_listen", "inet_listen", "__sys_connect",
       "inet_stream_connect", "__inet_stream_connect", "sock_poll", "do_accept", "inet_accept", "sock_def_readable"});
  add(Layer::kVfs, {"sock_alloc_file", "alloc_empty_file", "anon_inode_getfile"});
  add(Layer::kTcp,
      {"inet_create", "sk_alloc", "inet_csk_listen_start", "tcp_poll", "tcp_v4_connect", "tcp_connect", "tcp_v4_rcv",
       "tcp_conn_request", "tcp_check_req", "inet_csk_complete_hashdance", "tcp_child_process", "inet_csk_accept"});
  add(Layer::kIp, {"ip_output", "__dev_queue_xmit", "ip_local_deliver_finish"});
  add(Layer::kSoftirq, {"loopback_xmit", "__local_bh_enable_ip", "do_softirq", "net_rx_action", "process_backlog"});
  add(Layer::kEpoll, {"do_epoll_create", "do_epoll_ctl", "ep_item_poll", "ep_ptable_queue_proc", "do_epoll_wait",
                      "ep_poll_callback", "ep_send_events"});
  add(Layer::kScheduler,
      {"schedule", "__wake_up_sync_key", "__wake_up_common", "ep_autoremove_wake_function", "try_to_wake_up"});
  s.symbols = {"NULL",
               "socket_file_ops",
               "eventpoll_fops",
               "sock_def_readable",
               "ep_poll_callback",
               "ep_autoremove_wake_function"};
  s.rules = {{"wake_1", "The waker takes the sleeper off the queue"}};
  return s;
}

namespace {

constexpr std::uint64_t kEstablished = 1, kSynSent = 2, kSynRecv = 3, kClose = 7, kListen = 10;

/// The objects that later steps need again.
struct Cast {
  TaskId server = 0, client = 0;
  ObjectId server_task = 0, client_task = 0;
  ObjectId socket = 0, listener = 0, file = 0;
  ObjectId ep = 0, ep_file = 0, item = 0, hook = 0, sleeper = 0;
  ObjectId client_socket = 0, client_sock = 0, child = 0;
};

ObjectId make_file(Writer& w, ObjectId task, std::uint64_t operations, trace::Ref behind) {
  w.call("alloc_empty_file");
  ObjectId file = w.create("file");
  w.set(file, "f_ref", 1);
  w.set(file, "f_op", operations);
  w.set(file, "private_data", behind);
  w.leave();
  w.push(task, "files", {file, 0});
  return file;
}

ObjectId make_socket(Writer& w, ObjectId task, ObjectId& socket, ObjectId& sock) {
  w.syscall("__x64_sys_socket", "socket(AF_INET, SOCK_STREAM, 0)");
  w.call("__sys_socket");
  w.call("__sock_create");
  w.call("sock_alloc");
  socket = w.create("socket_alloc");
  w.leave();
  w.call("inet_create", socket);
  w.call("sk_alloc");
  sock = w.create("tcp_sock");
  w.leave();
  w.set(sock, "sk_state", kClose);
  w.set(socket, "sk", w.part(sock, "sock"));
  w.set(sock, "sk_socket", w.part(socket, "socket"));
  w.set(sock, "sk_wq", w.part(socket, "socket_wq"));
  w.set(sock, "sk_data_ready", 3);
  w.leave();
  w.leave();
  w.call("sock_alloc_file", socket);
  ObjectId file = make_file(w, task, 1, w.part(socket, "socket"));
  w.set(socket, "file", {file, 0});
  w.leave();
  w.leave();
  w.leave_syscall(3, "3");
  return file;
}

void set_up(Writer& w, Cast& c) {
  w.step("server: socket, listen, epoll_create1, epoll_ctl");
  w.run(c.server);
  c.file = make_socket(w, c.server_task, c.socket, c.listener);
  w.syscall("__x64_sys_listen", "listen(3, 8)");
  w.call("__sys_listen");
  w.call("inet_listen", c.socket);
  w.call("inet_csk_listen_start", c.listener);
  w.set(c.listener, "sk_max_ack_backlog", 8);
  w.set(c.listener, "sk_state", kListen);
  w.leave();
  w.leave();
  w.leave();
  w.leave_syscall(0, "0");
  w.syscall("__x64_sys_epoll_create1", "epoll_create1(0)");
  w.call("do_epoll_create");
  c.ep = w.create("eventpoll");
  w.set(c.ep, "ovflist", trace::kUnactivePointer);
  w.call("anon_inode_getfile");
  c.ep_file = make_file(w, c.server_task, 2, {c.ep, 0});
  w.leave();
  w.set(c.ep, "file", {c.ep_file, 0});
  w.leave();
  w.leave_syscall(4, "4");
  w.syscall("__x64_sys_epoll_ctl", "epoll_ctl(4, EPOLL_CTL_ADD, 3, {EPOLLIN})");
  w.call("do_epoll_ctl", c.ep);
  c.item = w.create("epitem");
  w.set(c.item, "ep", {c.ep, 0});
  w.set(c.item, "ffd.fd", 3);
  w.set(c.item, "events", 1);
  w.push(c.ep, "rbr", {c.item, 0});
  w.call("ep_item_poll", c.item);
  w.call("sock_poll", c.socket);
  w.call("tcp_poll", c.listener);
  w.call("ep_ptable_queue_proc", c.item);
  c.hook = w.create("eppoll_entry");
  w.set(c.hook, "func", 4);
  w.set(c.hook, "base", {c.item, 0});
  w.set(c.hook, "whead", w.part(c.socket, "socket_wq"));
  w.set(c.item, "pwqlist", {c.hook, 0});
  w.push(c.socket, "wait", w.part(c.hook, "wait_queue_entry"));
  for (int i = 0; i < 5; ++i) w.leave();
  w.leave_syscall(0, "0");
  w.step_end();
}

void wait(Writer& w, Cast& c) {
  w.step("server: epoll_wait(4) and nothing is ready");
  w.syscall("__x64_sys_epoll_wait", "epoll_wait(4, 8 events, -1)");
  w.call("do_epoll_wait", c.ep);
  c.sleeper = w.create("wait_queue_entry");
  w.set(c.sleeper, "private", {c.server_task, 0});
  w.set(c.sleeper, "func", 5);
  w.push(c.ep, "wq", {c.sleeper, 0});
  w.set(c.server_task, "__state", 1);
  w.call("schedule");
  w.run(0);
  w.step_end();
  w.mark("asleep");
  w.clock(5'000'000);
}

void softirq(Writer& w, ObjectId skb) {
  w.call("__local_bh_enable_ip");
  w.call("do_softirq");
  w.context = Context::kSoftirq;
  w.call("net_rx_action");
  w.call("process_backlog");
  w.call("ip_local_deliver_finish", skb);
  w.call("tcp_v4_rcv", skb);
}

void end_softirq(Writer& w) {
  for (int i = 0; i < 4; ++i) w.leave();
  w.context = Context::kProcess;
  w.leave();
  w.leave();
}

void wake(Writer& w, Cast& c) {
  w.call("tcp_child_process", c.child);
  w.set(c.child, "sk_state", kEstablished);
  w.call("sock_def_readable", c.listener);
  w.call("__wake_up_sync_key", c.socket);
  w.call("__wake_up_common");
  w.call("ep_poll_callback", c.item);
  w.push(c.ep, "rdllist", {c.item, 0});
  w.call("ep_autoremove_wake_function");
  w.call("try_to_wake_up", c.server_task);
  w.wake(c.server);
  w.leave();
  w.rule(0);
  w.pull(c.ep, "wq", {c.sleeper, 0});
  for (int i = 0; i < 6; ++i) w.leave();
}

void connect(Writer& w, Cast& c) {
  w.step("client: connect(3, 127.0.0.1:7000)");
  w.run(c.client);
  make_socket(w, c.client_task, c.client_socket, c.client_sock);
  w.syscall("__x64_sys_connect", "connect(3, 127.0.0.1:7000)");
  w.call("__sys_connect");
  w.call("inet_stream_connect", c.client_socket);
  w.call("__inet_stream_connect");
  w.call("tcp_v4_connect", c.client_sock);
  w.set(c.client_sock, "sk_state", kSynSent);
  w.set(c.client_sock, "inet_saddr", 0x7F000001);
  w.set(c.client_sock, "inet_sport", 40000);
  w.call("tcp_connect");
  ObjectId skb = w.create("sk_buff");
  w.set(skb, "len", 60);
  w.set(skb, "sk", w.part(c.client_sock, "sock"));
  w.call("ip_output", skb);
  w.call("__dev_queue_xmit");
  w.call("loopback_xmit");
  w.leave();
  softirq(w, skb);
  w.call("tcp_check_req", c.listener);
  c.child = w.create("tcp_sock");
  w.set(c.child, "sk_state", kSynRecv);
  ObjectId request = w.create("tcp_request_sock");
  w.set(request, "rsk_listener", w.part(c.listener, "sock"));
  w.set(request, "sk", w.part(c.child, "sock"));
  w.call("inet_csk_complete_hashdance", c.listener);
  w.push(c.listener, "icsk_accept_queue", {request, 0});
  w.set(c.listener, "sk_ack_backlog", 1);
  w.leave();
  w.leave();
  wake(w, c);
  w.destroy(skb);
  end_softirq(w);
  for (int i = 0; i < 3; ++i) w.leave();
  w.set(c.client_sock, "sk_state", kEstablished);
  for (int i = 0; i < 4; ++i) w.leave();
  w.leave_syscall(0, "0");
  w.run(c.server);
  w.leave();
  w.call("ep_send_events", c.ep);
  w.leave();
  w.leave();
  w.leave_syscall(1, "1 [{EPOLLIN, fd 3}]");
  w.step_end();
}

void accept(Writer& w, Cast& c) {
  w.step("server: accept4(3, SOCK_NONBLOCK), nothing more to take");
  w.syscall("__x64_sys_accept4", "accept4(3, SOCK_NONBLOCK)");
  w.call("do_accept", c.file);
  w.call("inet_accept", c.socket);
  w.call("inet_csk_accept", c.listener);
  w.set(c.listener, "sk_ack_backlog", 0);
  w.leave(-11);
  w.leave(-11);
  w.leave(-11);
  w.leave_syscall(-11, "-1 EAGAIN");
  w.step_end();
}

}  // namespace

void tell(Writer& w) {
  Cast c;
  c.server = w.spawn("server");
  c.client = w.spawn("client");
  c.server_task = 1;
  c.client_task = 2;
  set_up(w, c);
  wait(w, c);
  connect(w, c);
  accept(w, c);
}

}  // namespace wakepath::exports::story
