#include "src/proof/world.hh"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace wakepath::proof {
namespace {

constexpr long kEstablished = 1, kFinWait2 = 5, kCloseWait = 8, kListen = 10;

/// a, b, …, z, aa, ab, …: without the letters of what YAML takes for no text (y, n, no, on, yes, null).
std::string process_name(int number) {
  static constexpr std::string_view kLetters = "abcdefghijklmpqrstuvwxz";
  std::string out;
  for (std::size_t left = static_cast<std::size_t>(number) + 1; left > 0; left /= kLetters.size()) {
    --left;
    out.insert(out.begin(), kLetters[left % kLetters.size()]);
  }
  return out;
}

}  // namespace

std::string family_of(const std::string& actor) { return actor.substr(0, actor.find_first_of("0123456789")); }

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
  const std::string name = process_name(processes_++);
  actors_[name] = {name, name, 0, "", {}};
  return name;
}

std::string World::new_actor_name(const std::string& of) {
  const std::string family = family_of(of);
  return family + std::to_string(++born_[family] + 1);
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
  return o.sort == Sort::tcp ? tcp_state(d) == kEstablished || tcp_state(d) == kCloseWait || tcp_state(d) == kFinWait2
                             : o.connected || o.peer >= 0;
}

bool World::has_nothing(const Descriptor& d) const {
  const auto empty = [&](const char* field) {
    const scenario::Observation queue = machine_.observe(d.process, d.fd, field);
    return queue.observable && queue.high == 0;
  };
  const Object& o = object(d.object);
  switch (o.sort) {
    case Sort::epoll:
      return !o.items.empty() && empty("ready_list");
    case Sort::tcp:
      return is_listener(d) ? empty("accept_queue")
                            : (tcp_state(d) == kEstablished || tcp_state(d) == kFinWait2) && empty("recv_bytes");
    case Sort::unix_stream:
    case Sort::unix_seqpacket:
      return o.listening ? empty("accept_queue") : o.connected && empty("recv_bytes");
    case Sort::unix_dgram:
      return empty("recv_bytes");
    case Sort::pipe_read:
    case Sort::eventfd:
      return true;
    default:
      return false;
  }
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

std::optional<scenario::Duration> World::soon() const {
  std::optional<scenario::Duration> first;
  for (const auto& [object, expires] : timers_) {
    const scenario::Duration left = expires - machine_.now();
    if (left > scenario::Duration(0) && (!first || left < *first)) {
      first = left;
    }
  }
  return first;
}

}  // namespace wakepath::proof
