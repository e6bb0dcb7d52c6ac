// Programs in which somebody sleeps are worth most when somebody else wakes the sleeper.

#include "src/proof/kinds.hh"

namespace wakepath::proof {
namespace {

/// One call by `process` that makes the object ready.
bool make_ready(World& w, int object, const std::string& process, ProgramStep& s, int depth);

std::optional<Descriptor> own(World& w, int object, const std::string& process) {
  return w.pick(process, [&](const Object&, const Descriptor& d) { return d.object == object; });
}

std::optional<Descriptor> anybodys(World& w, int object) {
  return w.pick_anywhere([&](const Object&, const Descriptor& d) { return d.object == object && !as_number(d.name); });
}

bool connect_to(World& w, const Descriptor& listener, const std::string& process, ProgramStep& s) {
  const Object& wanted = w.object(listener.object);
  const std::optional<Descriptor> client = w.pick(process, [&](const Object& o, const Descriptor& d) {
    return o.sort == wanted.sort && (o.ipv6 == wanted.ipv6 || !across(o, wanted).empty()) && !w.is_connected(d) &&
           !w.is_listener(d) && !o.connected;
  });
  if (client) {
    s.function = "connect";
    s.args = {client->name, address_of(w, w.object(client->object), listener)};
    return true;
  }
  const char* type = wanted.sort == Sort::unix_seqpacket ? "SOCK_SEQPACKET" : "SOCK_STREAM";
  const char* domain = wanted.sort != Sort::tcp ? "AF_UNIX" : wanted.ipv6 ? "AF_INET6" : "AF_INET";
  s.function = "socket";
  s.targets = {w.fresh("s")};
  s.args = {domain, type, "0"};
  return true;
}

/// Through the other end: data, or its end; room in a full pipe.
bool feed(World& w, const Descriptor& sleeping_on, const std::string& process, ProgramStep& s) {
  const std::optional<Descriptor> end = w.other_end(sleeping_on);
  const std::optional<Descriptor> mine = end ? own(w, end->object, process) : std::nullopt;
  if (!mine) {
    return false;
  }
  if (w.object(mine->object).sort == Sort::pipe_read) {
    s.function = "read";
    s.args = {mine->name, w.random.one_of({"4096", "8192", "100"})};
    return true;
  }
  const bool socket = is_socket(w.object(mine->object), *mine);
  s.function = w.random.percent(75) ? socket ? "send" : "write" : socket && w.random.percent(50) ? "shutdown" : "close";
  s.args = {mine->name};
  if (s.function == "shutdown") {
    s.args.push_back("SHUT_WR");
  } else if (s.function != "close") {
    s.args.push_back(random_data(w));
  }
  return true;
}

bool write_counter(World& w, int object, const std::string& process, ProgramStep& s) {
  const std::optional<Descriptor> mine = own(w, object, process);
  if (!mine) {
    return false;
  }
  s.function = "write";
  s.args = {mine->name, "u64(2)"};
  return true;
}

bool make_ready(World& w, int object, const std::string& process, ProgramStep& s, int depth) {
  const Object& o = w.object(object);
  const std::optional<Descriptor> there = anybodys(w, object);
  if (!there || depth > 4) {
    return false;
  }
  if (o.sort == Sort::epoll) {
    return !o.items.empty() && make_ready(w, w.random.one_of(o.items).object, process, s, depth + 1);
  }
  if (o.sort == Sort::eventfd) {
    return write_counter(w, object, process, s);
  }
  return w.is_listener(*there) ? connect_to(w, *there, process, s) : feed(w, *there, process, s);
}

/// One of those who are idle, but not that one, makes the object ready.
bool somebody_makes_ready(World& w, int object, const std::string& but, ProgramStep& s) {
  std::vector<std::string> idle = w.idle();
  std::erase(idle, but);
  while (!idle.empty()) {
    const std::string actor = w.random.one_of(idle);
    std::erase(idle, actor);
    s = {actor, {}, "", {}, "", "", false};
    if (make_ready(w, object, w.process_of(actor), s, 0)) {
      return true;
    }
  }
  return false;
}

/// The call that sleeps there.
void sleep_on(World& w, const Descriptor& d, ProgramStep& s) {
  const Sort sort = w.object(d.object).sort;
  s.args = {d.name};
  if (sort == Sort::epoll) {
    s.function = w.random.percent(85) ? "epoll_wait" : "epoll_pwait";
    s.args.insert(s.args.end(), {w.random.one_of({"1", "8"}), "-1"});
    if (s.function == "epoll_pwait") {
      s.args.push_back("[SIGUSR2]");
    }
  } else if (w.random.percent(12)) {
    s.function = w.random.one_of({"poll", "ppoll"});
    s.args = {"[{" + d.name + ", POLLIN}]", "-1"};
  } else if (w.is_listener(d)) {
    s.function = w.random.percent(60) ? "accept4" : "accept";
    s.targets = {w.fresh("c")};
    if (s.function == "accept4") {
      s.args.push_back(w.random.one_of({"0", "SOCK_NONBLOCK"}));
    }
  } else {
    const bool counts = sort == Sort::eventfd;
    s.function = !is_socket(w.object(d.object), d) ? "read" : w.random.one_of({"recv", "recv", "read", "recvmsg"});
    s.args.push_back(counts ? "8" : w.random.one_of({"3", "10", "100"}));
  }
}

}  // namespace

bool wake_somebody(World& w, ProgramStep& s) {
  const std::vector<std::string> sleepers = w.blocked();
  if (sleepers.empty()) {
    return false;
  }
  const World::Actor& sleeper = w.actor(w.random.one_of(sleepers));
  if (w.random.percent(6)) {
    s.signal_to = sleeper.name;
    s.restart = w.random.percent(50);
    return true;
  }
  return !sleeper.on.empty() && somebody_makes_ready(w, w.random.one_of(sleeper.on), sleeper.name, s);
}

bool fall_asleep(World& w, ProgramStep& s) {
  const std::string actor = w.random.one_of(w.idle());
  const std::optional<Descriptor> d = w.pick(w.process_of(actor), [&](const Object& o, const Descriptor& candidate) {
    return (!o.nonblocking || o.sort == Sort::epoll) && w.has_nothing(candidate);
  });
  ProgramStep other;
  if (!d || !somebody_makes_ready(w, d->object, actor, other)) {
    return false;
  }
  s = {actor, {}, "", {}, "", "", false};
  sleep_on(w, *d, s);
  return true;
}

}  // namespace wakepath::proof
