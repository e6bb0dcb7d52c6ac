#include "src/proof/world.hh"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace wakepath::proof {
namespace {

constexpr long kEstablished = 1, kListen = 10;

/// `EPOLLIN|EPOLLET` has EPOLLET.
bool has_word(const std::string& flags, std::string_view word) { return mentions(flags, std::string(word)); }

Sort sort_of_socket(const ProgramStep& step) {
  const std::string &domain = step.args[0], &type = step.args[1];
  if (domain == "AF_UNIX") {
    return has_word(type, "SOCK_STREAM")  ? Sort::unix_stream
           : has_word(type, "SOCK_DGRAM") ? Sort::unix_dgram
                                          : Sort::unix_seqpacket;
  }
  return has_word(type, "SOCK_DGRAM") ? Sort::udp : Sort::tcp;
}

}  // namespace

std::optional<int> as_number(const std::string& text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

// --- actors ---

std::vector<std::string> World::idle() const {
  std::vector<std::string> out;
  for (const auto& [name, actor] : actors_) {
    if (actor.blocked_in == 0) {
      out.push_back(name);
    }
  }
  return out;
}

std::vector<std::string> World::blocked() const {
  std::vector<std::string> out;
  for (const auto& [name, actor] : actors_) {
    if (actor.blocked_in != 0) {
      out.push_back(name);
    }
  }
  return out;
}

std::string World::new_process() {
  const std::string name(1, static_cast<char>('a' + processes_++));
  actors_[name] = {name, name, 0, "", std::nullopt};
  return name;
}

std::string World::new_actor_name(const std::string& of) {
  const std::string letter = of.substr(0, 1);
  return letter + std::to_string(++born_[letter] + 1);
}

std::size_t World::threads_of(const std::string& process) const {
  return static_cast<std::size_t>(
      std::count_if(actors_.begin(), actors_.end(), [&](const auto& item) { return item.second.process == process; }));
}

// --- descriptors ---

std::vector<Descriptor> World::descriptors(const std::string& process, const Wanted& wanted) const {
  std::vector<Descriptor> out;
  for (const auto& [key, d] : open_) {
    if ((process.empty() || key.first == process) && wanted(object(d.object), d)) {
      out.push_back(d);
    }
  }
  return out;
}

std::optional<Descriptor> World::pick(const std::string& process, const Wanted& wanted) {
  const std::vector<Descriptor> all = descriptors(process, wanted);
  return all.empty() ? std::nullopt : std::optional(random.one_of(all));
}

std::optional<Descriptor> World::pick_anywhere(const Wanted& wanted) { return pick("", wanted); }

std::string World::fd(const std::string& process, const Wanted& wanted) {
  const std::optional<Descriptor> d = pick(process, wanted);
  return !d ? "" : random.percent(3) ? any_fd(process) : d->name;
}

std::string World::any_fd(const std::string& process) {
  if (random.percent(12)) {
    return random.one_of({"-1", "0", "2", "99", "12"});
  }
  std::vector<std::string> names;  // closed ones too
  for (const auto& [key, number] : numbers_) {
    if (key.first == process) {
      names.push_back(key.second);
    }
  }
  return names.empty() ? "-1" : random.one_of(names);
}

std::optional<Descriptor> World::behind(const std::string& process, const std::string& arg) const {
  std::optional<int> fd = as_number(arg);
  if (const auto found = numbers_.find({process, arg}); found != numbers_.end()) {
    fd = found->second;
  }
  const auto found = fd ? open_.find({process, *fd}) : open_.end();
  return found == open_.end() ? std::nullopt : std::optional(found->second);
}

long World::tcp_state(const Descriptor& d) const {
  if (object(d.object).sort != Sort::tcp) {
    return 0;
  }
  return machine_.observe(d.process, d.fd, "state").low;
}

bool World::is_listener(const Descriptor& d) const {
  const Object& o = object(d.object);
  return o.sort == Sort::tcp ? tcp_state(d) == kListen : o.listening;
}

bool World::is_connected(const Descriptor& d) const {
  const Object& o = object(d.object);
  return o.sort == Sort::tcp ? tcp_state(d) == kEstablished || tcp_state(d) == 8 || tcp_state(d) == 5
                             : o.connected || o.peer >= 0;
}

std::optional<Descriptor> World::other_end(const Descriptor& d) {
  const Object& o = object(d.object);
  if (o.sort != Sort::tcp) {
    return o.peer < 0 ? std::nullopt
                      : pick_anywhere([&](const Object&, const Descriptor& other) { return other.object == o.peer; });
  }
  const std::optional<scenario::Address> far = machine_.address(d.process, d.fd, true);
  if (!far) {
    return std::nullopt;
  }
  return pick_anywhere([&](const Object& other, const Descriptor& end) {
    if (other.sort != Sort::tcp || end.object == d.object || is_listener(end)) {
      return false;
    }
    const std::optional<scenario::Address> near = machine_.address(end.process, end.fd, false);
    return near && near->port == far->port;
  });
}

bool World::addresses_exist(const ProgramStep& step) const {
  return std::all_of(step.args.begin(), step.args.end(), [&](const std::string& arg) {
    const bool peer = arg.starts_with("peer(");
    if (!peer && !arg.starts_with("addr(")) {
      return true;
    }
    const std::size_t dot = arg.find('.');
    const std::string process = arg.substr(5, dot - 5);
    const std::optional<Descriptor> d = behind(process, arg.substr(dot + 1, arg.size() - dot - 2));
    return d && machine_.address(process, d->fd, peer).has_value();
  });
}

bool World::names_exist(const ProgramStep& step) const {
  if (step.function == "fork" || step.function == "thread") {
    return true;
  }
  const std::string& process = actors_.at(step.actor).process;
  return std::all_of(step.args.begin(), step.args.end(), [&](const std::string& arg) {
    const bool name = std::islower(static_cast<unsigned char>(arg[0])) != 0 && arg.find_first_of("(=") == arg.npos;
    return !name || numbers_.count({process, arg}) > 0;
  });
}

// --- what happens ---

void World::begin(int number, const ProgramStep& step) {
  Actor& who = actors_.at(step.actor);
  Begun begun{step, who.process, std::nullopt, std::nullopt};
  begun.first = step.args.empty() ? std::nullopt : behind(who.process, step.args[0]);
  begun.third = step.args.size() < 3 ? std::nullopt : behind(who.process, step.args[2]);
  who.blocked_in = number;
  who.function = step.function;
  who.on = begun.first ? std::optional(begun.first->object) : std::nullopt;
  begun_[number] = begun;
}

void World::learn(const scenario::Entry& entry) {
  const Begun begun = begun_.at(entry.step);
  actors_.at(begun.step.actor).blocked_in = 0;
  if (entry.ret.value_or(-1) < 0) {
    for (const std::string& target : begun.step.targets) {
      numbers_[{begun.process, target}] = -1;
    }
    return;
  }
  made(begun, entry);
  changed(begun, entry);
  forget_dead_items();
}

int World::make(Object object) {
  objects_.push_back(std::move(object));
  return static_cast<int>(objects_.size()) - 1;
}

void World::install(const Begun& begun, std::size_t target, int fd, int object) {
  const std::string name = target < begun.step.targets.size() ? begun.step.targets[target] : std::to_string(fd);
  numbers_[{begun.process, name}] = fd;
  open_[{begun.process, fd}] = {begun.process, fd, name, object};
}

/// Calls that make something.
void World::made(const Begun& begun, const scenario::Entry& entry) {
  const std::string& f = begun.step.function;
  const int fd = static_cast<int>(*entry.ret);
  const auto one = [&](Object object) { install(begun, 0, fd, make(std::move(object))); };
  const auto pair = [&](Sort a, Sort b, bool both) {
    const int first = make({a}), second = make({b});
    objects_[static_cast<std::size_t>(first)].peer = second;
    objects_[static_cast<std::size_t>(second)].peer = first;
    objects_[static_cast<std::size_t>(first)].connected = objects_[static_cast<std::size_t>(second)].connected = both;
    install(begun, 0, entry.fds[0], first);
    install(begun, 1, entry.fds[1], second);
  };
  if (f == "socket") {
    one({sort_of_socket(begun.step), begun.step.args[0] == "AF_INET6"});
  } else if ((f == "accept" || f == "accept4") && begun.first) {
    const Object listener = object(begun.first->object);
    Object child{listener.sort, listener.ipv6};
    child.connected = true;
    one(child);
  } else if (f == "pipe2") {
    pair(Sort::pipe_read, Sort::pipe_write, false);
  } else if (f == "socketpair") {
    pair(sort_of_socket(begun.step), sort_of_socket(begun.step), true);
  } else if (f == "eventfd") {
    one({Sort::eventfd});
  } else if (f == "memfd_create") {
    one({Sort::memory_file});
  } else if (f == "timerfd_create") {
    one({Sort::timerfd});
  } else if (f == "signalfd4") {
    one({Sort::signalfd});
  } else if (f == "epoll_create1") {
    one({Sort::epoll});
  } else if ((f == "dup" || f == "dup2") && begun.first) {
    install(begun, 0, fd, begun.first->object);
    ++duplicates_;
  }
}

/// Calls that change something.
void World::changed(const Begun& begun, const scenario::Entry&) {
  const std::string& f = begun.step.function;
  if (f == "fork" || f == "thread" || f == "exit") {
    return actors_changed(begun);
  }
  if (!begun.first) {
    return;
  }
  Object& o = objects_[static_cast<std::size_t>(begun.first->object)];
  if (f == "close") {
    close(begun.process, begun.first->fd);
  } else if (f == "bind") {
    o.bound = true;
    o.address = begun.step.args[1].starts_with("addr(") ? "" : begun.step.args[1];
  } else if (f == "listen") {
    o.listening = true;
  } else if (f == "connect") {
    o.connected = true;
  } else if (f == "epoll_ctl") {
    epoll_changed(begun);
  }
}

void World::epoll_changed(const Begun& begun) {
  if (!begun.third) {
    return;
  }
  auto& items = objects_[static_cast<std::size_t>(begun.first->object)].items;
  const auto same = [&](const Object::Item& item) {
    return item.fd == begun.third->fd && item.object == begun.third->object;
  };
  if (begun.step.args[1] == "EPOLL_CTL_ADD") {
    items.push_back({begun.third->fd, begun.third->object});
  } else if (begun.step.args[1] == "EPOLL_CTL_DEL") {
    std::erase_if(items, same);
  }
}

void World::actors_changed(const Begun& begun) {
  const std::string& f = begun.step.function;
  if (f == "exit") {
    actors_.erase(begun.step.actor);
    if (threads_of(begun.process) == 0) {
      std::erase_if(open_, [&](const auto& item) { return item.first.first == begun.process; });
      std::erase_if(numbers_, [&](const auto& item) { return item.first.first == begun.process; });
    }
    return;
  }
  const std::string& born = begun.step.args[0];
  const std::string process = f == "fork" ? born : begun.process;
  actors_[born] = {born, process, 0, "", std::nullopt};
  if (f == "thread") {
    return;
  }
  ++forks_;
  for (const auto& [key, d] : std::map(open_)) {
    if (key.first == begun.process) {
      open_[{born, key.second}] = {born, d.fd, d.name, d.object};
    }
  }
  for (const auto& [key, number] : std::map(numbers_)) {
    if (key.first == begun.process) {
      numbers_[{born, key.second}] = number;
    }
  }
}

void World::close(const std::string& process, int fd) { open_.erase({process, fd}); }

/// What nobody has open any more is watched no longer.
void World::forget_dead_items() {
  std::set<int> alive;
  for (const auto& [key, d] : open_) {
    alive.insert(d.object);
  }
  for (Object& o : objects_) {
    std::erase_if(o.items, [&](const Object::Item& item) { return alive.count(item.object) == 0; });
  }
}

}  // namespace wakepath::proof
