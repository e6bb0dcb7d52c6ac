#include "tests/gui/synthetic.hh"

#include "tests/gui/synthetic_schema.hh"
#include "tests/gui/trace_writer.hh"

namespace wakepath::gui::test {

using trace::Context;
using trace::NoteKind;
using trace::ObjectId;
using trace::TaskId;
using trace::Trace;

namespace {

constexpr std::uint64_t kLoopback = 0x7F000001;
constexpr TaskId kServer = 1, kClient = 2;

struct Tcp {
  ObjectId file = 0, socket = 0, sock = 0, fd = 0;
};

/// The story, one verb a function.
struct Story {
  explicit Story(Trace& trace) : w(trace) {}
  TraceWriter w;
  ObjectId server = 0, client = 0, files = 0, softnet = 0, ep = 0, ep_file = 0, waiter = 0;

  ObjectId task(TaskId id, const char* name, std::uint64_t pid) {
    ObjectId t = w.create("task_struct");
    w.spawn(id, t);
    w.text(t, "comm", name);
    w.set(t, "pid", pid);
    w.set(t, "tgid", 4101);
    return t;
  }

  ObjectId open_file(const char* ops, ObjectId what, const char* part, std::uint64_t number, ObjectId& fd) {
    ObjectId file = w.create("file");
    w.symbol(file, "f_op", ops);
    w.set(file, "f_flags", 2);
    w.point(file, "private_data", what, part);
    w.set(file, "f_ref", 1);
    fd = w.create("fd");
    w.set(fd, "fd", number);
    w.point(fd, "file", file);
    w.push(files, "fd_array", fd);
    return file;
  }

  ObjectId make_sock(std::uint64_t state) {
    ObjectId sk = w.create("tcp_sock");
    w.symbol(sk, "sk_data_ready", "sock_def_readable");
    w.set(sk, "skc_state", state);
    return sk;
  }

  Tcp make_socket(std::uint64_t fd) {
    Tcp t;
    w.enter("__x64_sys_socket", "socket(AF_INET, SOCK_STREAM, 0)");
    w.call("__x64_sys_socket");
    w.call("__sys_socket");
    t.socket = w.create("socket_alloc");
    w.set(t.socket, "state", 1);
    w.symbol(t.socket, "ops", "inet_stream_ops");
    w.set(t.socket, "i_ino", 38200 + fd);
    t.sock = make_sock(7);
    join(t);
    w.call("sock_alloc_file", t.socket);
    t.file = open_file("socket_file_ops", t.socket, "socket", fd, t.fd);
    w.point(t.socket, "file", t.file);
    w.ret();
    w.ret();
    w.ret(static_cast<std::int64_t>(fd));
    w.leave(static_cast<std::int64_t>(fd));
    return t;
  }

  void join(const Tcp& t) {
    w.point(t.socket, "sk", t.sock, "inet_conn.icsk_inet.sk");
    w.point(t.sock, "sk_socket", t.socket, "socket");
    w.point(t.sock, "sk_wq", t.socket, "socket.wq");
  }

  void addresses(ObjectId sk, std::uint64_t local, std::uint64_t remote) {
    w.set(sk, "skc_rcv_saddr", kLoopback);
    w.set(sk, "skc_num", local);
    if (remote == 0) return;
    w.set(sk, "skc_daddr", kLoopback);
    w.set(sk, "skc_dport", remote);
  }

  void watch(const Tcp& t, std::uint64_t fd, std::uint64_t events) {
    w.enter("__x64_sys_epoll_ctl", "epoll_ctl(5, EPOLL_CTL_ADD, " + std::to_string(fd) + ", EPOLLIN)");
    w.call("do_epoll_ctl", ep);
    ObjectId item = w.create("epitem");
    w.set(item, "fd", fd);
    w.point(item, "file", t.file);
    w.point(item, "ep", ep);
    w.set(item, "events", events);
    w.push(ep, "rbr", item);
    w.call("tcp_poll", t.sock);
    w.call("ep_ptable_queue_proc", item);
    ObjectId entry = w.create("eppoll_entry");
    w.point(entry, "base", item);
    w.symbol(entry, "func", "ep_poll_callback");
    w.point(entry, "whead", t.socket, "socket.wq.wait");
    w.push(t.socket, "head", entry, "wait");
    w.ret();
    w.ret();
    w.ret();
    w.leave(0);
    items[t.sock] = {item, entry};
  }

  void sleep_in_epoll_wait() {
    w.enter("__x64_sys_epoll_wait", "epoll_wait(5, events, 64, -1)");
    w.call("do_epoll_wait", ep);
    waiter = w.create("wait_queue_entry");
    w.symbol(waiter, "func", "ep_autoremove_wake_function");
    w.point(waiter, "private", server);
    w.set(waiter, "flags", 1);
    w.push(ep, "wq/head", waiter);
    w.set(server, "__state", 1);
    w.call("schedule", server);
  }

  void rise_from_epoll_wait(const Tcp& ready) {
    w.run(kServer);
    w.ret();
    w.call("ep_send_events", ep);
    w.pull(ep, "rdllist", items[ready.sock].first);
    w.push(ep, "rdllist", items[ready.sock].first);
    w.ret();
    w.destroy(waiter);
    w.ret(1);
    w.leave(1);
  }

  void wake_epoll(const Tcp& from) {
    w.call("sock_def_readable", from.sock);
    w.call("__wake_up_common", from.socket);
    w.call("ep_poll_callback", items[from.sock].second);
    w.rule(1, items[from.sock].first);
    w.push(ep, "rdllist", items[from.sock].first);
    w.call("try_to_wake_up", server);
    w.wake(kServer);
    w.set(server, "__state", 0);
    w.ret();
    w.pull(ep, "wq/head", waiter);
    w.ret();
    w.ret();
    w.ret();
  }

  ObjectId packet(std::uint64_t length, std::uint64_t flags) {
    ObjectId skb = w.create("sk_buff");
    w.set(skb, "len", length);
    w.set(skb, "tcp_flags", flags);
    return skb;
  }

  void transmit(ObjectId sk, ObjectId skb) {
    w.call("__tcp_transmit_skb", sk);
    w.call("__ip_queue_xmit", skb);
    w.call("loopback_xmit", skb);
    w.call("enqueue_to_backlog", skb);
    w.push(softnet, "input_pkt_queue", skb);
    w.ret();
    w.ret();
  }

  void begin_softirq(ObjectId skb, ObjectId receiver) {
    w.context = Context::kSoftirq;
    w.call("net_rx_action");
    w.call("process_backlog", softnet);
    w.pull(softnet, "input_pkt_queue", skb);
    w.call("ip_rcv", skb);
    w.call("tcp_v4_rcv", receiver);
  }

  void end_softirq() {
    for (int i = 0; i < 4; ++i) w.ret();
    w.context = Context::kProcess;
    for (int i = 0; i < 2; ++i) w.ret();
  }

  std::map<ObjectId, std::pair<ObjectId, ObjectId>> items;

  void scene() {
    softnet = w.create("softnet_data");
    server = task(kServer, "server", 4101);
    client = task(kClient, "client", 4102);
    files = w.create("files_struct");
    w.point(server, "files", files);
    w.point(client, "files", files);
  }

  Tcp listen_and_poll() {
    w.run(kServer);
    w.step("server: socket(AF_INET, SOCK_STREAM), listen(4, 8)");
    Tcp listener = make_socket(4);
    ObjectId bucket = w.create("inet_bind_bucket");
    w.set(bucket, "port", 8080);
    w.push(bucket, "owners", listener.sock);
    w.enter("__x64_sys_listen", "listen(4, 8)");
    w.call("inet_listen", listener.sock);
    w.call("inet_csk_listen_start", listener.sock);
    addresses(listener.sock, 8080, 0);
    w.set(listener.sock, "sk_max_ack_backlog", 8);
    w.set(listener.sock, "skc_state", 10);
    w.ret();
    w.ret();
    w.leave(0);
    w.step_end();
    w.step("server: epoll_create1(0), epoll_ctl(5, ADD, 4)");
    w.enter("__x64_sys_epoll_create1", "epoll_create1(0)");
    w.call("do_epoll_create");
    ep = w.create("eventpoll");
    w.set(ep, "ovflist", trace::kUnactivePointer);
    ObjectId fd = 0;
    ep_file = open_file("eventpoll_fops", ep, "", 5, fd);
    w.point(ep, "file", ep_file);
    w.ret();
    w.leave(5);
    watch(listener, 4, 1);
    w.step_end();
    w.step("server: epoll_wait(5) sleeps");
    w.note(NoteKind::kSay, "Nothing is ready. The server hangs its wait entry on ep->wq and gives the CPU away.");
    sleep_in_epoll_wait();
    w.run(kClient);
    w.step_end();
    return listener;
  }

  Tcp connect(const Tcp& listener, std::uint64_t port, std::uint64_t fd, Tcp& peer) {
    Tcp t = make_socket(fd);
    w.enter("__x64_sys_connect", "connect(" + std::to_string(fd) + ", 127.0.0.1:8080)");
    w.call("__x64_sys_connect");
    w.call("inet_stream_connect", t.socket);
    w.set(t.socket, "state", 2);
    w.call("tcp_v4_connect", t.sock);
    addresses(t.sock, port, 8080);
    w.set(t.sock, "skc_state", 2);
    ObjectId syn = packet(0, 2);
    transmit(t.sock, syn);
    begin_softirq(syn, listener.sock);
    w.call("tcp_conn_request", listener.sock);
    ObjectId request = w.create("tcp_request_sock");
    w.set(request, "skc_dport", port);
    w.point(request, "rsk_listener", listener.sock);
    w.ret();
    w.destroy(syn);
    end_softirq();
    w.set(t.sock, "skc_state", 1);
    w.call("tcp_finish_connect", t.sock);
    ObjectId ack = packet(0, 16);
    transmit(t.sock, ack);
    begin_softirq(ack, listener.sock);
    peer.sock = make_sock(1);
    addresses(peer.sock, 8080, port);
    w.point(request, "sk", peer.sock);
    w.call("tcp_child_process", listener.sock);
    w.push(listener.sock, "rskq_accept_head", request);
    w.set(listener.sock, "sk_ack_backlog", ++backlog);
    if (items.contains(listener.sock) && waiter != 0) wake_epoll(listener);
    w.ret();
    w.destroy(ack);
    end_softirq();
    w.ret();
    w.ret();
    w.set(t.socket, "state", 3);
    w.ret();
    w.ret();
    w.leave(0);
    requests.push_back(request);
    return t;
  }

  std::uint64_t backlog = 0;
  std::vector<ObjectId> requests;

  void accept(const Tcp& listener, Tcp& peer, std::uint64_t fd) {
    w.enter("__x64_sys_accept4", "accept4(4, NULL, NULL, SOCK_NONBLOCK)");
    w.call("__sys_accept4", listener.socket);
    peer.socket = w.create("socket_alloc");
    w.set(peer.socket, "state", 1);
    w.symbol(peer.socket, "ops", "inet_stream_ops");
    w.set(peer.socket, "i_ino", 38200 + fd);
    peer.file = open_file("socket_file_ops", peer.socket, "socket", fd, peer.fd);
    w.call("inet_csk_accept", listener.sock);
    w.set(listener.sock, "sk_ack_backlog", --backlog);
    w.pull(listener.sock, "rskq_accept_head", requests.front());
    w.destroy(requests.front());
    requests.erase(requests.begin());
    join(peer);
    w.set(peer.socket, "state", 3);
    w.ret();
    w.ret(static_cast<std::int64_t>(fd));
    w.leave(static_cast<std::int64_t>(fd));
  }

  void send(const Tcp& from, const Tcp& to, std::uint64_t fd) {
    w.enter("__x64_sys_sendto", "send(" + std::to_string(fd) + ", \"ping\", 4, 0)");
    w.call("__x64_sys_sendto");
    w.call("sock_sendmsg", from.socket);
    w.call("tcp_sendmsg_locked", from.sock);
    ObjectId skb = packet(4, 24);
    w.push(from.sock, "sk_write_queue", skb);
    w.set(from.sock, "sk_wmem_queued", 768);
    w.set(from.sock, "write_seq", 5);
    w.call("tcp_write_xmit", from.sock);
    w.pull(from.sock, "sk_write_queue", skb);
    w.push(from.sock, "tcp_rtx_queue", skb);
    ObjectId clone = packet(4, 24);
    transmit(from.sock, clone);
    begin_softirq(clone, to.sock);
    w.call("tcp_rcv_established", to.sock);
    w.call("tcp_data_queue", to.sock);
    w.set(to.sock, "rcv_nxt", 5);
    w.push(to.sock, "sk_receive_queue", clone);
    w.set(to.sock, "sk_rmem_alloc", 768);
    wake_epoll(to);
    w.ret();
    w.ret();
    end_softirq();
    w.set(from.sock, "snd_nxt", 5);
    w.ret();
    w.ret();
    w.ret();
    w.ret();
    w.leave(4);
  }
};

}  // namespace

std::unique_ptr<Trace> make_ping_trace() {
  auto trace = std::make_unique<Trace>(linux_schema());
  Story s(*trace);
  s.scene();
  Tcp listener = s.listen_and_poll();
  Tcp peer;
  s.w.clock(1000000);
  s.w.step("client: connect(6, 127.0.0.1:8080)");
  s.w.note(NoteKind::kSay,
           "The whole handshake runs inside connect(): the softirq borrows the client's stack, and its last act is to "
           "wake the server.");
  Tcp mine = s.connect(listener, 51334, 6, peer);
  s.w.step_end();
  s.w.clock(1200000);
  s.w.step("server: epoll_wait returns 1, accept4(4) = 7");
  s.rise_from_epoll_wait(listener);
  s.accept(listener, peer, 7);
  s.watch(peer, 7, 1);
  s.sleep_in_epoll_wait();
  s.w.step_end();
  s.w.run(kClient);
  s.w.clock(1284350);
  s.w.step("client: send(6, \"ping\", 4) = 4");
  s.w.note(NoteKind::kSay,
           "TCP queues 4 bytes on the receive queue of fd 7. Its sk_data_ready hook walks the wait queue, and the "
           "entry there belongs to epoll.");
  s.send(mine, peer, 6);
  s.w.note(NoteKind::kSay, "Level triggered: the server reads only 2 of the 4 bytes. Will the next epoll_wait block?");
  s.w.step_end();
  s.w.step("server: epoll_wait returns 1");
  s.rise_from_epoll_wait(peer);
  s.w.step_end();
  return trace;
}

std::unique_ptr<Trace> make_crowd_trace(int connections) {
  auto trace = std::make_unique<Trace>(linux_schema());
  Story s(*trace);
  s.scene();
  Tcp listener = s.listen_and_poll();
  for (int i = 0; i < connections; ++i) {
    auto n = static_cast<std::uint64_t>(i);
    Tcp peer;
    s.w.step("client " + std::to_string(i) + " connects");
    s.connect(listener, 50000 + n, 100 + 2 * n, peer);
    s.w.step_end();
    s.rise_from_epoll_wait(listener);
    s.accept(listener, peer, 101 + 2 * n);
    s.watch(peer, 101 + 2 * n, 1);
    s.sleep_in_epoll_wait();
    s.w.run(kClient);
  }
  return trace;
}

std::unique_ptr<Trace> make_long_trace(trace::Position records) {
  auto trace = std::make_unique<Trace>(linux_schema());
  Story s(*trace);
  s.scene();
  while (trace->size() < records) {
    for (TaskId id : {kServer, kClient}) {
      s.w.run(id);
      s.w.enter("__x64_sys_sendto", "send(3, \"x\", 1, 0)");
      for (const char* f :
           {"__x64_sys_sendto", "sock_sendmsg", "tcp_sendmsg_locked", "__ip_queue_xmit", "loopback_xmit"})
        s.w.call(f);
      s.w.set(s.server, "pid", trace->size());
      for (int i = 0; i < 5; ++i) s.w.ret();
      s.w.leave(1);
    }
  }
  return trace;
}

std::unique_ptr<Trace> make_unknown_trace() {
  trace::Schema schema = linux_schema();
  for (int layer = 0; layer < trace::kLayers; ++layer)
    schema.kinds.push_back({"strange_" + std::to_string(layer),
                            static_cast<trace::Layer>(layer),
                            false,
                            "nowhere.h",
                            "",
                            {{"strange", ""}},
                            {{"a", 0, trace::FieldType::kUnsigned},
                             {"b", 0, trace::FieldType::kList},
                             {"c", 0, trace::FieldType::kPointer}}});
  auto trace = std::make_unique<Trace>(std::move(schema));
  TraceWriter w(*trace);
  ObjectId last = 0;
  for (int layer = 0; layer < trace::kLayers; ++layer) {
    ObjectId object = w.create("strange_" + std::to_string(layer));
    w.set(object, "a", 7);
    // a pointer and a member of the list, of which the second stays when its object is gone
    w.set(object, "c", trace::Ref{last, 9}.packed());
    last = object;
  }
  w.destroy(2);
  return trace;
}

}  // namespace wakepath::gui::test
