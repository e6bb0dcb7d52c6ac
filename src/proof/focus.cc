// A focus is a row and, mostly, an opening of its own: the situation that matters, varied at random, and then any
// calls.

#include "src/proof/focus.hh"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "src/proof/opening.hh"

namespace wakepath::proof {
namespace {

struct Pair {
  std::string client, server;
};

/// A connection, its ends with `b` and with `a`.
Pair connection(Opening& o) {
  const std::string l = o.listener("8");
  const std::string c = o.client(l, "b", true);
  const std::string s = o.w.fresh("s");
  o.add("a", {s}, "accept4", {l, "0"});
  return {c, s};
}

void look(Opening& o, const std::string& p, const char* most = "8") { o.add("a", {}, "epoll_wait", {p, most, "0"}); }

/// What is ready stays so, and is asked for again and again, fewer than there are at a time.
void level(Opening& o) {
  const std::string p = o.epoll();
  for (int i = 0; i < 3; ++i) {
    const std::string e = o.w.fresh("e");
    o.add("a", {e}, "eventfd", {"1", "EFD_NONBLOCK"});
    o.watch(p, e, "EPOLLIN");
  }
  for (int i = 0; i < 4; ++i) {
    look(o, p, o.w.random.one_of({"1", "1", "2"}));
  }
}

void edge(Opening& o) {
  const std::string p = o.epoll(), e = o.w.fresh("e");
  o.add("a", {e}, "eventfd", {"1", "EFD_NONBLOCK"});
  o.watch(p, e, o.w.random.one_of({"EPOLLIN|EPOLLONESHOT", "EPOLLIN|EPOLLET|EPOLLONESHOT"}));
  const Pair pair = connection(o);
  o.watch(p, pair.server, o.w.random.one_of({"EPOLLIN|EPOLLET", "EPOLLIN|EPOLLRDHUP|EPOLLET"}));
  o.add("b", {}, "send", {pair.client, "\"edge\""});
  look(o, p);
  look(o, p);
  o.add("a", {}, "epoll_ctl", {p, "EPOLL_CTL_MOD", o.w.random.one_of({pair.server, e}), "EPOLLIN|EPOLLET"});
  look(o, p);
}

/// Whoever came last is woken first, and an edge wakes but one.
void sleepers(Opening& o) {
  const std::string e = o.w.fresh("e"), p = o.epoll();
  o.add("a", {e}, "eventfd", {"0", "EFD_NONBLOCK"});
  o.watch(p, e, "EPOLLIN|EPOLLET");
  for (std::uint64_t i = 0; i < 2 + o.w.random.below(2); ++i) {
    o.sleep(o.thread("a"), p);
  }
  o.add("a", {}, "write", {e, "u64(1)"});
  o.add("a", {}, "write", {e, "u64(1)"});
}

/// Somebody who sleeps until something happens to the server's end of a connection.
void sleeper_at(Opening& o, const std::string& p, const std::string& server) {
  if (o.w.random.percent(50)) {
    o.sleep(o.thread("a"), p);
  } else {
    o.add(o.thread("a"), {}, "recv", {server, "10"});
  }
}

/// First one end says that it has no more, then the other.
void fins(Opening& o) {
  const Pair pair = connection(o);
  const std::string p = o.epoll();
  o.watch(p, pair.server, o.w.random.one_of({"EPOLLIN|EPOLLRDHUP", "EPOLLRDHUP", "0"}));
  sleeper_at(o, p, pair.server);
  o.add("b", {}, "shutdown", {pair.client, "SHUT_WR"});
  look(o, p);
  o.add("a", {}, "shutdown", {pair.server, "SHUT_WR"});
  look(o, p);
}

void look_at_end(Opening& o, const std::string& p, const std::string& server) {
  look(o, p);
  for (int i = 0; i < 2; ++i) {
    if (o.w.random.percent(50)) {
      o.add("a", {}, "getsockopt", {server, "SOL_SOCKET", "SO_ERROR"});
    } else {
      o.add("a", {}, "recv", {server, "10", "MSG_DONTWAIT"});
    }
  }
}

/// A connection that is reset, and its error.
void resets(Opening& o) {
  const Pair pair = connection(o);
  const std::string p = o.epoll();
  o.watch(p, pair.server, o.w.random.one_of({"EPOLLIN", "EPOLLIN|EPOLLRDHUP", "0"}));
  sleeper_at(o, p, pair.server);
  o.add("b", {}, "setsockopt", {pair.client, "SOL_SOCKET", "SO_LINGER", "{1, 0}"});
  o.add("b", {}, "close", {pair.client});
  look_at_end(o, p, pair.server);
}

/// One end closes without having read everything.
void unread(Opening& o) {
  const Pair pair = connection(o);
  const std::string p = o.epoll();
  o.watch(p, pair.server, o.w.random.one_of({"EPOLLIN", "EPOLLIN|EPOLLRDHUP", "0"}));
  o.add("a", {}, "send", {pair.server, "\"unread\""});
  o.add("b", {}, "close", {pair.client});
  look_at_end(o, p, pair.server);
}

void full_accept_queue(Opening& o) {
  const std::string l = o.listener(o.w.random.one_of({"0", "1", "2"}));
  for (int i = 0; i < 4; ++i) {
    o.client(l, "b", false);
  }
  for (int i = 0; i < 4; ++i) {
    o.add("a", {o.w.fresh("s")}, "accept4", {l, "SOCK_NONBLOCK"});
  }
}

/// What an accepted socket has of its listener.
void inheritance(Opening& o) {
  const std::string l = o.w.fresh("l"), s = o.w.fresh("s");
  o.add("a", {l}, "socket", {"AF_INET", "SOCK_STREAM|SOCK_NONBLOCK", "0"});
  o.add("a", {}, "bind", {l, "127.0.0.1:0"});
  o.add("a", {}, "listen", {l, "8"});
  o.client(l, "b", true);
  o.add("a", {s}, "accept4", {l, "0"});
  o.add("a", {}, "fcntl", {s, "F_GETFL"});
}

/// Numbers that have become free.
void numbers(Opening& o) {
  const std::string e = o.w.fresh("e"), f = o.w.fresh("e");
  o.add("a", {e}, "eventfd", {"0", "0"});
  o.add("a", {f}, "eventfd", {"0", "0"});
  o.add("a", {}, "close", {e});
  o.add("a", {o.w.fresh("d")}, "dup", {f});
}

/// A process goes on as another program; somebody else, or a copy, still has what that one may not keep.
void new_program(Opening& o) {
  const std::string u = o.w.fresh("u"), v = o.w.fresh("v"), p = o.w.fresh("p");
  o.add("a", {p}, "epoll_create1", {o.w.random.one_of({"0", "EPOLL_CLOEXEC"})});
  o.add("a", {u, v}, "socketpair", {"AF_UNIX", "SOCK_STREAM|SOCK_CLOEXEC", "0"});
  o.watch(p, u, "EPOLLIN");
  if (o.w.random.percent(50)) o.add("a", {o.w.fresh("d")}, "dup", {o.w.random.one_of({u, v})});
  const std::string child = o.w.new_actor_name("a");
  o.add("a", {}, "fork", {child});
  o.add(child, {}, "close", {o.w.random.one_of({u, v})});
  if (o.w.random.percent(50)) o.sleep(child, p);
  o.add("a", {}, "execve", {});
  o.add("a", {}, "fcntl", {u, "F_GETFD"});
  look(o, p);
}

void pipe_ends(Opening& o) {
  const std::string r = o.w.fresh("r"), w = o.w.fresh("w"), p = o.epoll();
  o.add("a", {r, w}, "pipe2", {"O_NONBLOCK"});
  o.watch(p, r, o.w.random.one_of({"EPOLLIN", "0"}));
  o.watch(p, w, "0");
  if (o.w.random.percent(50)) {
    o.sleep(o.thread("a"), p);
  }
  o.add("a", {}, "close", {o.w.random.percent(70) ? w : r});
  look(o, p);
}

/// A reader who wants more than a stream holds, and the writer who was waiting for room: each makes what the other
/// waits for while that one is about to sleep.
void fill_and_empty(Opening& o) {
  const std::string u = o.w.fresh("u"), v = o.w.fresh("v");
  const std::string much = o.w.random.one_of({"400000", "600000", "900000"});
  o.add("a", {u, v}, "socketpair", {"AF_UNIX", "SOCK_STREAM", "0"});
  const std::string writer = o.w.random.percent(50) ? o.thread("a") : o.w.new_actor_name("a");
  if (o.steps.back().function != "thread") {
    o.add("a", {}, "fork", {writer});
  }
  o.add(writer, {}, "send", {u, "\"x\"*" + much});
  if (o.w.random.percent(30)) {
    o.add("a", {}, "recv", {v, "1000"});
    o.add("a", {}, "recv", {v, std::to_string(std::stol(much) - 1000), "MSG_WAITALL"});
  } else {
    o.add("a", {}, "recv", {v, much, "MSG_WAITALL"});
  }
}

}  // namespace

void port_again(Opening& o) {
  const std::string port = fmt::format("127.0.0.1:{}", 5000 + o.w.random.below(2));
  const std::string l = o.w.fresh("l");
  o.add("a", {l}, "socket", {"AF_INET", "SOCK_STREAM", "0"});
  o.add("a", {}, "bind", {l, port});
  o.add("a", {}, "listen", {l, "8"});
  const std::string c = o.client(l, "b", true), s = o.accepted(l);
  o.add("a", {}, "close", {s});
  o.add("b", {}, "close", {c});
  o.add("a", {}, "close", {l});
  const std::string again = o.w.fresh("l");
  o.add("a", {again}, "socket", {"AF_INET", "SOCK_STREAM", "0"});
  if (o.w.random.percent(20)) {
    o.add("a", {}, "setsockopt", {again, "SOL_SOCKET", "SO_REUSEADDR", "1"});
  }
  o.add("a", {}, "bind", {again, port});
}

void closed_below(Opening& o) {
  const std::string inner = o.epoll(), outer = o.epoll();
  const auto eventfd = [&o] {
    const std::string e = o.w.fresh("e");
    o.add("a", {e}, "eventfd", {"0", "EFD_NONBLOCK"});
    return e;
  };
  const std::string gone = eventfd(), below = eventfd(), beside = eventfd();
  o.watch(inner, gone, o.w.random.one_of({"EPOLLIN", "EPOLLIN|EPOLLET", "0"}));
  o.watch(inner, below, "EPOLLIN");
  o.watch(outer, inner, o.w.random.one_of({"EPOLLIN", "EPOLLIN|EPOLLET"}));
  o.watch(outer, beside, "EPOLLIN");
  o.add("a", {}, "close", {gone});
  o.add("a", {}, "write", {beside, "u64(1)"});
  o.add("a", {}, "write", {below, "u64(1)"});
  look(o, outer, o.w.random.one_of({"1", "8"}));
  look(o, outer);
}

bool Focus::favours(std::string_view function) const {
  return std::find(favoured.begin(), favoured.end(), function) != favoured.end();
}

const std::vector<Focus>& focuses() {
  static const std::vector<Focus> all = {
      {"level", "ready descriptors, reported again and again, a few at a time", level, {"epoll_wait", "epoll_ctl"}},
      {"edge", "EPOLLET and EPOLLONESHOT", edge, {"epoll_wait", "epoll_ctl"}},
      {"sleepers", "several threads in epoll_wait() on one epoll", sleepers, {"epoll_wait"}},
      {"exclusive", "EPOLLEXCLUSIVE", exclusive, {"epoll_ctl"}},
      {"beside-exclusive", "accept() beside EPOLLEXCLUSIVE", beside_exclusive, {"accept4"}},
      {"nested", "epolls in epolls", nested, {"epoll_wait"}},
      {"accept", "threads that sleep in accept()", sleeping_accept, {"accept", "accept4", "connect"}},
      {"fins", "ends of connections, and who hears of them", fins, {"shutdown", "poll"}},
      {"resets", "connections that are reset, and their error", resets, {"close", "getsockopt"}},
      {"unread", "close() with unread data", unread, {"close", "send"}},
      {"low-water", "SO_RCVLOWAT", low_water, {"recv", "epoll_wait"}},
      {"port-again", "a port with a connection in TIME_WAIT", port_again, {"bind", "socket"}},
      {"full-queue", "a full accept queue", full_accept_queue, {"accept4", "connect"}},
      {"inheritance", "what an accepted socket has of its listener", inheritance, {"fcntl", "accept"}},
      {"numbers", "descriptors that are free again", numbers, {"close", "dup", "fcntl"}},
      {"new-program", "what execve() closes, and what it leaves", new_program, {"execve", "fork", "fcntl"}},
      {"closed-below", "a file that ends below an epoll in an epoll", closed_below, {"epoll_wait", "write"}},
      {"two-cpus", "who fills and empties a stream, on two CPUs of the model", fill_and_empty, {}, 2},
      {"duplicates", "a watched descriptor with a duplicate", undying_entry, {"dup", "close"}},
      {"pipe-ends", "a pipe that loses one of its ends", pipe_ends, {"pipe2", "close", "poll"}},
      {"flood", "more data than TCP's buffers and windows take", flood, {"send", "recv"}, 1, true},
  };
  return all;
}

const Focus* focus_by_name(std::string_view name) {
  if (name.empty()) {
    return nullptr;
  }
  for (const Focus& focus : focuses()) {
    if (focus.name == name) {
      return &focus;
    }
  }
  throw std::invalid_argument(fmt::format("no focus has the name {}", name));
}

}  // namespace wakepath::proof
