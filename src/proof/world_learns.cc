// What a program's calls have changed: descriptors, what they refer to, who watches what, who sleeps where.

#include <algorithm>

#include "src/proof/world.hh"

namespace wakepath::proof {
namespace {

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

std::vector<int> World::looked_at(const Begun& begun) const {
  std::vector<int> out;
  if (begun.first) {
    out.push_back(begun.first->object);
  }
  for (const std::string& arg : begun.step.args) {
    if (arg.starts_with('[')) {  // the sets of select(), the list of poll()
      for (const auto& [key, d] : open_) {
        if (key.first == begun.process && mentions(arg, d.name)) {
          out.push_back(d.object);
        }
      }
    }
  }
  return out;
}

void World::begin(int number, const ProgramStep& step) {
  Actor& who = actors_.at(step.actor);
  Begun begun{step, who.process, std::nullopt, std::nullopt};
  begun.first = step.args.empty() ? std::nullopt : behind(who.process, step.args[0]);
  begun.third = step.args.size() < 3 ? std::nullopt : behind(who.process, step.args[2]);
  who.blocked_in = number;
  who.function = step.function;
  who.on = looked_at(begun);
  if (begun.first && step.function == "connect" && step.args[1] != "AF_UNSPEC") {
    objects_[static_cast<std::size_t>(begun.first->object)].tried = true;
  }
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
  const bool nonblocking = std::any_of(begun.step.args.begin(), begun.step.args.end(),
                                       [](const std::string& arg) { return arg.ends_with("NONBLOCK"); });
  const auto one = [&](Object object) {
    object.nonblocking = nonblocking;
    object.inode = machine_.observe(begun.process, fd, "inode").low;
    install(begun, 0, fd, make(std::move(object)));
  };
  const auto pair = [&](Sort a, Sort b, bool both) {
    const int first = make({a}), second = make({b});
    objects_[static_cast<std::size_t>(first)].nonblocking = nonblocking;
    objects_[static_cast<std::size_t>(second)].nonblocking = nonblocking;
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
  } else if (f == "recvmsg") {
    received(begun, entry.fds);
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
  } else if ((f == "dup" || f == "dup2" || f == "dup3" || (f == "fcntl" && !begun.step.targets.empty())) &&
             begun.first) {
    install(begun, 0, fd, begun.first->object);
    ++duplicates_;
  }
}

/// Sockets came in a message: which ones, their inodes tell.
void World::received(const Begun& begun, const std::vector<int>& fds) {
  for (const int fd : fds) {
    const long inode = machine_.observe(begun.process, fd, "inode").low;
    const auto same = [&](const Object& o) { return (o.sort == Sort::tcp || o.sort == Sort::udp) && o.inode == inode; };
    const auto found = std::find_if(objects_.begin(), objects_.end(), same);
    if (found != objects_.end()) {
      install(begun, begun.step.targets.size(), fd, static_cast<int>(found - objects_.begin()));
    }
  }
}

/// Calls that change something.
void World::changed(const Begun& begun, const scenario::Entry&) {
  const std::string& f = begun.step.function;
  if (f == "fork" || f == "thread" || f == "exit") {
    return actors_changed(begun);
  }
  if (f == "execve") {
    const auto gone = [&](const auto& item) {
      return item.first.first == begun.process && !machine_.observe(begun.process, item.second.fd, "inode").observable;
    };
    std::erase_if(open_, gone);
    return;
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
    o.connected = begun.step.args[1] != "AF_UNSPEC";
    o.listening = false;
  } else if ((f == "fcntl" && begun.step.args[1] == "F_SETFL") || (f == "ioctl" && begun.step.args[1] == "FIONBIO")) {
    o.nonblocking = begun.step.args[2] == "O_NONBLOCK" || begun.step.args[2] == "1";
  } else if (f == "epoll_ctl") {
    epoll_changed(begun);
  } else if (f == "timerfd_settime") {
    timer_changed(begun);
  }
}

void World::timer_changed(const Begun& begun) {
  timers_.erase(begun.first->object);
  if (begun.step.args[1].ends_with("ms") && begun.step.args[1] != "0ms") {
    timers_[begun.first->object] = machine_.now() + std::chrono::milliseconds(std::stol(begun.step.args[1]));
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
  actors_[born] = {born, process, 0, "", {}};
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
