#include "src/proof/openings.hh"

#include <fmt/format.h>

#include <tuple>
#include <utility>

#include "src/proof/opening.hh"

namespace wakepath::proof {
void sleeping_accept(Opening& o) {
  const std::string l = o.listener("8");
  for (std::uint64_t i = 0; i <= o.w.random.below(3); ++i) {
    o.add(o.thread("a"), {o.w.fresh("s")}, "accept4", {l, "0"});
  }
  o.client(l, "b", true);
}

void exclusive(Opening& o) {
  const std::string fd = o.w.random.percent(50) ? o.listener("8") : o.ready_later();
  for (std::uint64_t i = 0; i < 2 + o.w.random.below(2); ++i) {
    const std::string p = o.epoll();
    o.watch(p, fd, o.w.random.percent(80) ? "EPOLLIN|EPOLLEXCLUSIVE" : "EPOLLIN|EPOLLET|EPOLLEXCLUSIVE");
    o.sleep(o.thread("a"), p);
  }
  if (o.wakers.empty()) {
    o.client(fd, "b", true);
    o.client(fd, "b", true);
  }
  o.wake(2);
}

void nested(Opening& o) {
  const std::string s = o.ready_later();
  const std::string inner = o.epoll(), outer = o.epoll();
  const std::string mask = o.w.random.percent(50) ? "EPOLLIN" : "EPOLLIN|EPOLLET";
  o.watch(inner, s, mask);
  o.watch(outer, inner, o.w.random.percent(50) ? "EPOLLIN" : "EPOLLIN|EPOLLET");
  if (o.w.random.percent(40)) {
    o.watch(outer, s, "EPOLLIN");
  }
  o.sleep(o.thread("a"), outer);
  if (o.w.random.percent(50)) {
    o.sleep(o.thread("a"), inner);
  }
  o.wake(3);
}

void beside_exclusive(Opening& o) {
  const std::string l = o.listener("8");
  for (int i = 0; i < 2; ++i) {
    o.add(o.thread("a"), {o.w.fresh("s")}, "accept4", {l, "0"});
  }
  const std::string p = o.epoll();
  o.watch(p, l, "EPOLLIN|EPOLLEXCLUSIVE");
  o.sleep(o.thread("a"), p);
  o.client(l, "b", true);
  o.client(l, "b", true);
}

void low_water(Opening& o) {
  const std::string l = o.listener("8");
  const std::string c = o.client(l, "b", true), s = o.w.fresh("s");
  o.add("a", {s}, "accept4", {l, "0"});
  o.add("a", {}, "setsockopt", {s, "SOL_SOCKET", "SO_RCVLOWAT", "5"});
  const std::string p = o.epoll();
  o.watch(p, s, "EPOLLIN");
  for (int i = 0; i < 3; ++i) {
    o.add("b", {}, "send", {c, "\"abc\""});
    o.add("a", {}, "epoll_wait", {p, "8", "0"});
  }
}

void undying_entry(Opening& o) {
  const std::string p = o.epoll();
  const std::string s = o.ready_later();
  const std::string d = o.w.fresh("d");
  o.watch(p, s, random_mask(o.w));
  o.add("a", {d}, "dup", {s});
  o.add("a", {}, "close", {s});
  o.wake(1);
  o.add("a", {}, "epoll_wait", {p, "8", "0"});
  o.add("a", {}, "epoll_ctl", {p, "EPOLL_CTL_DEL", s});
}

void flood(Opening& o) {
  const std::string l = o.listener("8");
  if (o.w.random.percent(60)) {
    o.add("a", {}, "setsockopt", {l, "SOL_SOCKET", "SO_RCVBUF", o.w.random.one_of({"0", "2000", "4096", "20000"})});
  }
  if (o.w.random.percent(25)) {
    o.add("a", {}, "setsockopt", {l, "IPPROTO_TCP", "TCP_MAXSEG", o.w.random.one_of({"536", "1460", "9000"})});
  }
  const std::string c = o.client(l, "b", true), s = o.accepted(l);
  if (o.w.random.percent(30)) {
    o.add("b", {}, "setsockopt", {c, "IPPROTO_TCP", "TCP_NODELAY", "1"});
  }
  if (o.w.random.percent(15)) {
    o.add("b", {}, "setsockopt", {c, "SOL_SOCKET", "SO_SNDBUF", o.w.random.one_of({"0", "5000", "30000", "100000"})});
  }
  const bool corks = o.w.random.percent(20);
  const std::string p = o.epoll();
  o.watch(p, s, random_mask(o.w));
  const bool small = o.w.random.percent(30);
  for (std::uint64_t i = 0; i < 3 + o.w.random.below(4); ++i) {
    const int bytes =
        small ? o.w.random.one_of({1, 20, 100, 600}) : o.w.random.one_of({600, 3000, 20000, 100000, 400000});
    if (corks) {
      o.add("b", {}, "setsockopt", {c, "IPPROTO_TCP", "TCP_CORK", o.w.random.percent(70) ? "1" : "0"});
    }
    const char* more = o.w.random.percent(15) ? "MSG_DONTWAIT|MSG_MORE" : "MSG_DONTWAIT";
    o.add("b", {}, "send", {c, fmt::format("\"f\"*{}", bytes), more});
    if (o.w.random.percent(small ? 25 : 60)) {
      o.add("a", {}, "recv", {s, o.w.random.one_of({"100", "1000", "5000", "20000", "100000"}), "MSG_DONTWAIT"});
    }
    if (o.w.random.percent(30)) {
      o.add("a", {}, "epoll_wait", {p, "8", "0"});
    }
    if (o.w.random.percent(30)) {
      o.add(o.w.random.percent(50) ? "a" : "b", {}, "ioctl", {"", ""});
      const bool reader = o.steps.back().actor == "a";
      o.steps.back().args = {reader ? s : c, reader ? "FIONREAD" : "SIOCOUTQ"};
    }
  }
}

namespace {

void several_waiters(Opening& o) {
  const std::string p = o.epoll();
  const std::string s = o.ready_later();
  o.watch(p, s, o.w.random.one_of({"EPOLLIN", "EPOLLIN|EPOLLET", "EPOLLIN|EPOLLONESHOT", "EPOLLIN|EPOLLRDHUP"}));
  for (std::uint64_t i = 0; i < 2 + o.w.random.below(2); ++i) {
    o.sleep(o.thread("a"), p);
  }
  o.wake(3);
}

void connected_pair(Opening& o) {
  const std::string l = o.listener(o.w.random.one_of({"1", "8"}));
  o.client(l, "b", o.w.random.percent(60));
  o.accepted(l);
}

void epoll_server(Opening& o) {
  const std::string l = o.listener("8");
  const std::string p = o.epoll();
  o.watch(p, l, random_mask(o.w));
  if (o.w.random.percent(50)) {
    o.sleep(o.thread("a"), p);
  }
  o.client(l, "b", true);
  o.watch(p, o.accepted(l), random_mask(o.w));
}

/// More is sent than the receiver's window takes; reading opens it bit by bit.
void small_window(Opening& o) {
  const std::string l = o.listener("8");
  o.add("a", {}, "setsockopt", {l, "SOL_SOCKET", "SO_RCVBUF", o.w.random.one_of({"0", "2000", "4096"})});
  const std::string c = o.client(l, "b", true), s = o.accepted(l);
  for (const char* much : {"\"w\"*3000", "\"v\"*1000", "\"u\"*6000"}) {
    o.add("b", {}, "send", {c, much, "MSG_DONTWAIT"});
    o.add("a", {}, o.w.random.one_of({"recv", "recv", "recvmsg"}), {s, o.w.random.one_of({"500", "5000"})});
  }
}

/// A byte out of band is an event of its own, until it is read.
void urgent(Opening& o) {
  const std::string l = o.listener("8");
  const std::string c = o.client(l, "b", true), s = o.accepted(l);
  const std::string p = o.epoll();
  o.watch(p, s, o.w.random.one_of({"EPOLLPRI", "EPOLLIN|EPOLLPRI", "EPOLLIN|EPOLLPRI|EPOLLET"}));
  if (o.w.random.percent(50)) {
    o.sleep(o.thread("a"), p);
  }
  o.add("b", {}, "send", {c, "\"ab\"", "MSG_OOB"});
  o.add("a", {}, "epoll_wait", {p, "8", "0"});
  o.add("a", {}, "recv", {s, "10", o.w.random.one_of({"MSG_OOB|MSG_DONTWAIT", "MSG_DONTWAIT"})});
  o.add("a", {}, "epoll_wait", {p, "8", "0"});
}

/// A socket that connects to itself goes through SYN_RECV, and closes both ends at once: CLOSING.
void self_connect(Opening& o) {
  const std::string c = o.w.fresh("c");
  const bool six = o.w.random.percent(25);
  const std::string ip = six ? o.w.random.one_of({"[::1]", "[::ffff:127.0.0.1]"}) : "127.0.0.1";
  const std::string address = fmt::format("{}:{}", ip, 5000 + o.w.random.below(2));
  o.add("b", {c}, "socket", {six ? "AF_INET6" : "AF_INET", "SOCK_STREAM", "0"});
  o.add("b", {}, "bind", {c, address});
  o.add("b", {}, "connect", {c, address});
  o.add("b", {}, "send", {c, "\"self\""});
  if (o.w.random.percent(70)) {
    o.add("b", {}, "recv", {c, "10"});
    o.add("b", {}, o.w.random.one_of({"shutdown"}), {c, "SHUT_WR"});
  }
}

void full_queue(Opening& o) {
  const std::string l = o.listener("0");
  for (int i = 0; i < 3; ++i) {
    o.client(l, "b", false);
  }
  if (o.w.random.percent(50)) {
    o.accepted(l);
  }
}

void closing_first(Opening& o) {
  const std::string l = o.listener("8");
  const std::string c = o.client(l, "b", true);
  const std::string s = o.accepted(l);
  const bool server_first = o.w.random.percent(50);
  const auto data = [&](const char* actor, const std::string& fd) {
    if (o.w.random.percent(50)) {
      o.add(actor, {}, "send", {fd, "\"bytes\""});
    }
  };
  data("a", s);
  data("b", c);
  if (o.w.random.percent(30)) {
    o.add("b", {}, "setsockopt", {c, "SOL_SOCKET", "SO_LINGER", "{1, 0}"});
  }
  o.add(server_first ? "a" : "b", {}, o.w.random.one_of({"close", "close", "shutdown"}), {server_first ? s : c});
  if (o.steps.back().function == "shutdown") {
    o.steps.back().args.push_back("SHUT_WR");
  }
  data(server_first ? "b" : "a", server_first ? c : s);
  o.add(server_first ? "b" : "a", {}, "close", {server_first ? c : s});
}

void reading_pipe(Opening& o) {
  const std::string r = o.w.fresh("r"), w = o.w.fresh("w");
  o.add("a", {r, w}, "pipe2", {o.w.random.one_of({"0", "O_NONBLOCK"})});
  if (o.w.random.percent(50)) {
    const std::string p = o.epoll();
    o.watch(p, r, random_mask(o.w));
    o.watch(p, w, random_mask(o.w));
    o.sleep(o.thread("a"), p);
  }
  o.add(o.thread("a"), {}, "read", {r, "10"});
  o.add("a", {}, "write", {w, "\"pipe\""});
}

/// Parent and child with one socket.
void forked_server(Opening& o) {
  connected_pair(o);
  const std::string child = o.w.new_actor_name("a");
  o.add("a", {}, "fork", {child});
  const std::string s = o.steps[5].targets.empty() ? "3" : o.steps[5].targets[0];
  o.add("a", {}, "close", {s});
  o.add(child, {}, o.w.random.one_of({"recv", "close", "recv"}), {s});
  if (o.steps.back().function == "recv") {
    o.steps.back().args.push_back("10");
  }
}

void counter(Opening& o) {
  const std::string e = o.w.fresh("e");
  o.add("a", {e}, "eventfd", {"0", o.w.random.one_of({"0", "EFD_NONBLOCK", "EFD_SEMAPHORE"})});
  const std::string p = o.epoll();
  o.watch(p, e, random_mask(o.w));
  o.sleep(o.thread("a"), p);
  o.add("a", {}, "write", {e, "u64(2)"});
  o.add("a", {}, "read", {e, "8"});
}

void unix_pair(Opening& o) {
  const std::string u = o.w.fresh("u"), v = o.w.fresh("v");
  o.add("a", {u, v}, "socketpair",
        {"AF_UNIX", o.w.random.one_of({"SOCK_STREAM", "SOCK_DGRAM", "SOCK_SEQPACKET"}), "0"});
  o.add(o.thread("a"), {}, "recv", {v, "10"});
  o.add("a", {}, "send", {u, "\"pair\""});
}

void unix_server(Opening& o) {
  o.domain = "AF_UNIX";
  o.any_address = "unix:@n" + std::to_string(o.w.random.below(4));
  o.w.random.percent(50) ? connected_pair(o) : epoll_server(o);
}

/// A client's family, and the address by which it reaches a port of this machine.
std::pair<std::string, std::string> some_client(Opening& o, std::uint64_t port) {
  const std::string ip = o.w.random.one_of({"127.0.0.1", "[::ffff:127.0.0.1]", "[::1]"});
  return {ip[0] == '[' ? "AF_INET6" : "AF_INET", fmt::format("{}:{}", ip, port)};
}

void ipv6_server(Opening& o) {
  o.domain = "AF_INET6";
  o.any_address = o.w.random.one_of({"[::1]:0", "[::]:0", "[::ffff:127.0.0.1]:0"});
  if (o.w.random.percent(60)) {
    const std::uint64_t port = 5000 + o.w.random.below(3);
    o.any_address = fmt::format("[::]:{}", port);
    std::tie(o.client_domain, o.client_to) = some_client(o, port);
  }
  o.w.random.one_of<WriteOpening>({sleeping_accept, epoll_server, closing_first, several_waiters, several_waiters})(o);
  if (!o.last_accepted.empty()) {
    o.add("a", {}, o.w.random.one_of({"getsockname", "getpeername"}), {o.last_accepted});
  }
}

/// One port in both families: who may bind beside whom, and whose the clients are.
void two_families(Opening& o) {
  const std::uint64_t port = 5000 + o.w.random.below(3);
  const bool stream = o.w.random.percent(65), six_first = o.w.random.percent(50), both_six = o.w.random.percent(15);
  const std::string p = o.epoll();
  for (const bool first : {true, false}) {
    const bool six = both_six || first == six_first;
    const std::string l = o.w.fresh("l");
    o.add("a", {l}, "socket", {six ? "AF_INET6" : "AF_INET", stream ? "SOCK_STREAM" : "SOCK_DGRAM|SOCK_NONBLOCK", "0"});
    if (six && o.w.random.percent(40)) {
      o.add("a", {}, "setsockopt", {l, "IPPROTO_IPV6", "IPV6_V6ONLY", "1"});
    }
    // two sockets of a family in one group: the kernel's choice among them is its secret
    for (const char* option : {"SO_REUSEADDR", both_six ? "SO_REUSEADDR" : "SO_REUSEPORT"}) {
      if (o.w.random.percent(40)) {
        o.add("a", {}, "setsockopt", {l, "SOL_SOCKET", option, "1"});
      }
    }
    const std::string ip = six ? o.w.random.one_of({"[::]", "[::]", "[::1]", "[::ffff:127.0.0.1]"})
                               : o.w.random.one_of({"0.0.0.0", "0.0.0.0", "127.0.0.1"});
    o.add("a", {}, "bind", {l, fmt::format("{}:{}", ip, port)});
    if (stream) {
      o.add("a", {}, "listen", {l, "8"});
    }
    o.watch(p, l, "EPOLLIN");
  }
  if (o.w.random.percent(75)) {
    o.sleep(o.thread("a"), p);
  }
  for (std::uint64_t i = 0; i <= o.w.random.below(3); ++i) {
    const std::string c = o.w.fresh("c");
    const auto [domain, to] = some_client(o, port);
    o.add("b", {c}, "socket", {domain, stream ? "SOCK_STREAM" : "SOCK_DGRAM", "0"});
    if (stream || o.w.random.percent(40)) {
      o.add("b", {}, "connect", {c, to});
    } else {
      o.add("b", {}, "sendto", {c, "\"datagram\"", "0", to});
    }
    o.add("a", {}, "epoll_wait", {p, "8", "0"});
  }
}

void datagrams(Opening& o) {
  const std::string r = o.w.fresh("u"), s = o.w.fresh("v");
  const bool six = o.w.random.percent(35);
  const std::uint64_t port = 5000 + o.w.random.below(3);
  std::string domain = six ? "AF_INET6" : "AF_INET", from = domain, to = "addr(a." + r + ")";
  std::string address = six ? "[::1]:0" : "127.0.0.1:0";
  if (six && o.w.random.percent(60)) {
    address = fmt::format("[::]:{}", port);
    std::tie(from, to) = some_client(o, port);
  }
  o.add("a", {r}, "socket", {domain, "SOCK_DGRAM", "0"});
  o.add("a", {}, "bind", {r, address});
  o.add("b", {s}, "socket", {from, "SOCK_DGRAM", "0"});
  if (o.w.random.percent(50)) {
    o.add("b", {}, "connect", {s, to});
  }
  o.add(o.thread("a"), {}, "recvfrom", {r, "10", "0"});
  o.add("b", {}, "sendto", {s, "\"datagram\"", "0", to});
}

void timers(Opening& o) {
  const std::string t = o.w.fresh("t");
  o.add("a", {t}, "timerfd_create", {"CLOCK_MONOTONIC", o.w.random.one_of({"0", "TFD_NONBLOCK"})});
  o.add("a", {}, "timerfd_settime", {t, "40ms", "0ms"});
  const std::string p = o.epoll();
  o.watch(p, t, random_mask(o.w));
  o.add("a", {}, "epoll_wait", {p, "8", "100"});
}

struct Row {
  int weight;
  WriteOpening write;
};

const std::vector<Row> kOpenings = {
    {8, connected_pair}, {16, sleeping_accept}, {14, epoll_server}, {23, several_waiters}, {13, exclusive},
    {11, nested},        {10, self_connect},    {4, full_queue},    {9, closing_first},    {9, reading_pipe},
    {5, forked_server},  {5, undying_entry},    {4, counter},       {4, unix_pair},        {5, unix_server},
    {11, ipv6_server},   {7, two_families},     {7, datagrams},     {4, timers},           {4, small_window},
    {4, urgent},         {7, beside_exclusive}, {5, low_water},     {4, port_again},       {4, closed_below},
};

}  // namespace

std::vector<ProgramStep> random_opening(World& world, const Focus* focus) {
  if (focus != nullptr && focus->open != nullptr) {
    Opening opening(world);
    focus->open(opening);
    return opening.steps;
  }
  if (world.floods && world.random.percent(80)) {
    Opening opening(world);
    flood(opening);
    return opening.steps;
  }
  int sum = 0;
  for (const Row& row : kOpenings) {
    sum += row.weight;
  }
  int at = static_cast<int>(world.random.below(static_cast<std::uint64_t>(sum)));
  for (const Row& row : kOpenings) {
    if ((at -= row.weight) < 0) {
      Opening opening(world);
      row.write(opening);
      return opening.steps;
    }
  }
  return {};
}

}  // namespace wakepath::proof
