// What a log says of its descriptors, before any of its calls is told.

#include "src/guest/strace_traits.hh"

#include <fcntl.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "src/guest/strace_address.hh"
#include "src/guest/strace_import.hh"
#include "src/mirror/replay.hh"

namespace wakepath::guest {

bool makes_file(const StraceCall& call) {
  static const std::set<std::string_view> kNames = {
      "open",         "openat",        "openat2",     "creat",  "memfd_create", "pidfd_open",     "fanotify",
      "inotify_init", "inotify_init1", "userfaultfd", "fsopen", "fsmount",      "open_by_handle", "perf_event_open"};
  return kNames.contains(call.name);
}

int made_by(const StraceCall& call) {
  if (!call.returned || call.result < 0) return -1;
  if (makes_file(call)) return static_cast<int>(std::min(call.result, kMostDescriptor));
  if (!call.meaning.record) return -1;
  switch (call.meaning.record->call()) {
    case os::Call::socket:
    case os::Call::accept4:
    case os::Call::epoll_create1:
    case os::Call::eventfd2:
      return static_cast<int>(call.result);
    case os::Call::fcntl: {
      const int command = std::get<os::call::Fcntl>(call.meaning.record->arguments).command;
      return command == F_DUPFD || command == F_DUPFD_CLOEXEC ? static_cast<int>(call.result) : -1;
    }
    default:
      return -1;
  }
}

void StraceTeller::add_addresses(int fd, std::size_t event, std::string_view decoration) {
  if (!is_an_address(decoration)) return;
  traits_[fd].push_back({.kind = Trait::Kind::address,
                         .event = event,
                         .own = endpoint_in(decoration, false),
                         .peer = endpoint_in(decoration, true)});
}

void StraceTeller::look_ahead() {
  for (std::size_t i = 0; i < log_.events.size(); ++i) {
    if (!is_ours(i)) continue;
    const std::size_t number = log_.events[i].call;
    const StraceCall& call = log_.calls[number];
    if (!call.meaning.record || !call.returned) continue;
    const os::CallRecord& record = *call.meaning.record;
    const int fd = mirror::descriptor_of(record);
    const os::Call kind = record.call();
    if (!log_.events[i].returns) {
      add_addresses(fd, i, call.meaning.decoration);
      if (kind == os::Call::close) traits_[fd].push_back({.kind = Trait::Kind::end, .event = i});
      continue;
    }
    if (kind != os::Call::close) traits_[fd].push_back({.kind = Trait::Kind::use, .event = i});
    if (const auto* control = std::get_if<os::call::EpollCtl>(&record.arguments))
      traits_[control->fd].push_back({.kind = Trait::Kind::use, .event = i});
    if (const auto* poll = std::get_if<os::call::Poll>(&record.arguments))
      for (const pollfd& one : poll->fds) traits_[one.fd].push_back({.kind = Trait::Kind::use, .event = i});
    if (receives(kind)) traits_[fd].push_back({.kind = Trait::Kind::reading, .event = i, .call = number});
    if (call.result == 0 && (kind == os::Call::getsockname || kind == os::Call::getpeername)) {
      Trait told{.kind = Trait::Kind::address, .event = i};
      (kind == os::Call::getsockname ? told.own : told.peer) = record.output.address.ipv4();
      traits_[fd].push_back(told);
    }
    const auto* bind = std::get_if<os::call::Bind>(&record.arguments);
    if (bind != nullptr && call.result == 0)
      traits_[fd].push_back({.kind = Trait::Kind::address, .event = i, .own = bind->address.ipv4()});
    const int made = made_by(call);
    if (made < 0) continue;
    traits_[made].push_back({.kind = Trait::Kind::end, .event = i});
    add_addresses(made, i, call.meaning.made);
    if (kind == os::Call::accept4 && record.output.address.ipv4())
      traits_[made].push_back({.kind = Trait::Kind::address, .event = i, .peer = record.output.address.ipv4()});
  }
}

std::optional<os::Endpoint> StraceTeller::address_of(int fd, std::size_t event, bool of_peer) const {
  const auto traits = traits_.find(fd);
  if (traits == traits_.end()) return std::nullopt;
  const auto& all = traits->second;
  auto at = std::lower_bound(all.begin(), all.end(), event, [](const Trait& t, std::size_t e) { return t.event < e; });
  for (bool first = true; at != all.end(); ++at, first = false) {
    if (at->kind == Trait::Kind::end && !(first && at->event == event)) return std::nullopt;
    const auto& told = of_peer ? at->peer : at->own;
    if (told && told->port != 0) return told;
  }
  return std::nullopt;
}

/// The port of a connect that no call tells: who was accepted tells it, when there are as many of these at a port as
/// of those.
void StraceTeller::match_connects() {
  struct AtPort {
    std::vector<std::pair<int, std::size_t>> connects;  ///< descriptor and return
    std::vector<os::Endpoint> accepted;
  };
  std::map<uint16_t, AtPort> ports;
  std::set<std::pair<uint32_t, uint16_t>> known;
  std::map<int, std::size_t> made;  // descriptors, by which event
  for (std::size_t i = 0; i < log_.events.size(); ++i) {
    const StraceCall& call = log_.calls[log_.events[i].call];
    if (!is_ours(i) || !log_.events[i].returns || !call.returned || !call.meaning.record) continue;
    const os::CallRecord& record = *call.meaning.record;
    const int fd = mirror::descriptor_of(record);
    if (const auto* connect = std::get_if<os::call::Connect>(&record.arguments)) {
      const auto to = connect->address.ipv4();
      if (!to || (call.result < 0 && call.result != -EINPROGRESS)) continue;
      if (const auto own = address_of(fd, i, false))
        known.emplace(own->address, own->port);
      else
        ports[to->port].connects.emplace_back(fd, i);
    }
    if (const int fd_made = made_by(call); fd_made >= 0) made[fd_made] = i;
    if (record.call() != os::Call::accept4 || call.result < 0) continue;
    const auto peer = address_of(static_cast<int>(call.result), i, true);
    const auto listener = address_of(fd, made[fd], false);
    if (peer && listener) ports[listener->port].accepted.push_back(*peer);
  }
  for (auto& [unused, at] : ports) {
    std::erase_if(at.accepted, [&](const os::Endpoint& e) { return known.contains({e.address, e.port}); });
    if (at.accepted.size() != at.connects.size()) continue;
    for (std::size_t i = 0; i < at.connects.size(); ++i) {
      const auto& [fd, event] = at.connects[i];
      auto& traits = traits_[fd];
      const auto place = std::upper_bound(traits.begin(), traits.end(), event,
                                          [](std::size_t e, const Trait& t) { return e < t.event; });
      traits.insert(place, {.kind = Trait::Kind::address, .event = event, .own = at.accepted[i]});
    }
  }
}

/// The model's machine has loopback alone: other addresses of the real one stand there as 127.0.0.1.
void StraceTeller::learn_own_addresses() {
  const auto learn = [&](const std::optional<os::Endpoint>& own) {
    if (!own || own->address == 0 || own->address >> 24 == 127) return;
    own_.insert(own->address);
    left_.own_addresses.insert(own->to_string().substr(0, own->to_string().rfind(':')));
  };
  for (const auto& [unused, traits] : traits_)
    for (const Trait& trait : traits) learn(trait.own);
}

void StraceTeller::stand_in(os::Endpoint& endpoint) const {
  if (own_.contains(endpoint.address)) endpoint.address = INADDR_LOOPBACK;
}

void StraceTeller::stand_in(os::Address& address) const {
  auto endpoint = address.ipv4();
  if (!endpoint || !own_.contains(endpoint->address)) return;
  stand_in(*endpoint);
  const sockaddr_in inet = endpoint->to_sockaddr();
  address = os::Address::copy(reinterpret_cast<const sockaddr*>(&inet), sizeof inet);
}

}  // namespace wakepath::guest
