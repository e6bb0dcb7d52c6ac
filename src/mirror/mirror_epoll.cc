// epoll_wait and poll: from the events that it reported to what peers outside must have done.

#include <fmt/format.h>

#include <algorithm>

#include "sim/kernel/tcp.hh"
#include "sim/syscalls/words.hh"
#include "src/mirror/call_text.hh"
#include "src/mirror/mirror.hh"
#include "src/mirror/readiness.hh"

namespace wakepath::mirror {

using namespace kernel;

std::optional<os::CallRecord> Mirror::known_polled(const os::CallRecord& record) const {
  const auto& polled = record.output.polled;
  const auto is_closed = [&](int fd) {
    return std::any_of(polled.begin(), polled.end(),
                       [&](const pollfd& one) { return one.fd == fd && (one.revents & POLLNVAL) != 0; });
  };
  const auto not_ours = [&](const pollfd& one) {
    return one.fd >= 0 && !is_closed(one.fd) && (foreign_.contains(one.fd) || file_of(first_, one.fd) == nullptr);
  };
  const auto& asked = std::get<os::call::Poll>(record.arguments).fds;
  if (std::none_of(asked.begin(), asked.end(), not_ours)) return std::nullopt;
  os::CallRecord known = record;
  std::erase_if(known.output.polled, not_ours);
  std::erase_if(std::get<os::call::Poll>(known.arguments).fds, not_ours);
  if (record.result >= 0) known.result = static_cast<long>(known.output.polled.size());
  return known;
}

std::optional<os::CallRecord> Mirror::known_events(const os::CallRecord& record) const {
  if (record.call() == os::Call::poll) return known_polled(record);
  if (record.call() != os::Call::epoll_wait || foreign_keys_.empty()) return std::nullopt;
  const int epfd = descriptor_of(record);
  const auto foreign = [&](const epoll_event& event) { return foreign_keys_.contains({epfd, event.data.u64}); };
  const auto& events = record.output.events;
  if (std::none_of(events.begin(), events.end(), foreign)) return std::nullopt;
  os::CallRecord known = record;
  std::erase_if(known.output.events, foreign);
  known.result = static_cast<long>(known.output.events.size());
  return known;
}

void Mirror::settle_epoll(Actor& actor, const os::CallRecord& record) {
  const int epfd = descriptor_of(record);
  eventpoll* ep = eventpoll_of(actor.task, epfd);
  if (ep == nullptr) return;
  for (const epoll_event& event : record.output.events) {
    const epitem* item = item_with(ep, event.data.u64);
    if (item == nullptr) continue;
    settle_event(actor, record, {item->ffd_file, item->ffd_fd, item}, event.events);
  }
  let_timers_fire([&] { return explained(ep, record); });
  settle_order(ep, record);
}

/// Whether the model has every event that was reported.
bool Mirror::explained(const eventpoll* ep, const os::CallRecord& record) const {
  return std::all_of(record.output.events.begin(), record.output.events.end(), [&](const epoll_event& event) {
    const epitem* item = item_with(ep, event.data.u64);
    return item == nullptr || (event.events & ~poll_mask(item->ffd_file)) == 0;
  });
}

void Mirror::settle_poll(Actor& actor, const os::CallRecord& record) {
  for (const pollfd& found : record.output.polled)
    if (const file* file = file_of(actor.task, found.fd))
      settle_event(actor, record, {file, found.fd, nullptr}, static_cast<uint32_t>(found.revents));
}

/// Injects the least that explains `events`, and nothing when the model has them already.
void Mirror::settle_event(Actor& actor, const os::CallRecord& record, const Watched& watched, uint32_t events) {
  const struct file* file = watched.file;
  const int fd = watched.fd;
  const bool told = watched.item == nullptr || watched.item->rdllink.linked();
  sock* sk = sock_of(actor.task, fd);
  const auto lacks = [&](uint32_t bits) { return (events & bits & ~poll_mask(file)) != 0; };
  if (edges_before_.erase({descriptor_of(record), fd}) > 0 && !lacks(events) && !told)
    freedoms_.tell_again(file, events);
  if (sk == nullptr) return;
  if ((events & EPOLLOUT) != 0 && !lacks(EPOLLOUT) && !told && peers_.of(sk) != nullptr) freedoms_.announce_room(sk);
  if (!lacks(events)) return;
  const std::string evidence =
      fmt::format("{} reported {} on descriptor {}", os::name_of(record.call()), words::events(events), fd);
  if (is_datagram(sk)) return settle_datagram_event(actor, sk, fd, events & ~poll_mask(file), evidence);
  if (tcp_state(sk) == TcpState::LISTEN) {
    peers_.connect({sk->common.skc_rcv_saddr.get().value, sk->common.skc_num}, {}, evidence);
    return;
  }
  Peer* peer = peers_.of(sk);
  if (peer == nullptr) return;
  const bool ended = (events & (EPOLLHUP | EPOLLERR)) != 0;
  if (ended)
    for (const os::Sight& sight : record.sights)
      if (sight.fd == fd) settle_sight(actor, sight, evidence);
  if (!ended && lacks(EPOLLIN)) settle_readable(*peer, sk, fd, evidence);
  if (lacks(EPOLLRDHUP)) peers_.finish(*peer, evidence);
  if (lacks(EPOLLHUP) || lacks(EPOLLERR)) end_peer(*peer, record, fd, evidence);
  if (lacks(EPOLLOUT)) {
    freedoms_.send_buffer_open(sk, 0);
    peers_.read(*peer, evidence);
    if (!told) freedoms_.announce_room(sk);
  }
}

namespace {

/// What send() and recv() take away when it is pending (sock_error(), include/net/sock.h), and EPOLLERR with it.
bool is_pending_error(int64_t result) {
  for (const int error : {EPIPE, ECONNRESET, ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH})
    if (result == -error) return true;
  return false;
}

}  // namespace

void Mirror::remember_error(const os::CallRecord& record) {
  const int fd = descriptor_of(record);
  if (record.call() == os::Call::close)
    error_taken_.erase(fd);
  else if (is_pending_error(record.result) ||
           (record.call() == os::Call::getsockopt && !record.sights.empty()))  // SO_ERROR, and there was one
    error_taken_[fd] = applied_;
}

bool Mirror::raced(const Actor& actor, const os::CallRecord& record, long model) const {
  if (!waits(record.call()) || applied_ == actor.applied_before) return false;
  if (record.call() == os::Call::poll) return actor.replay.polled_more(record);
  const eventpoll* ep = eventpoll_of(first_, descriptor_of(record));
  const auto lost = [&](uint64_t data) -> uint32_t {
    const epitem* item = ep != nullptr ? item_with(ep, data) : nullptr;
    const auto taken = item != nullptr ? error_taken_.find(item->ffd_fd) : error_taken_.end();
    return taken != error_taken_.end() && taken->second >= actor.applied_before ? uint32_t{EPOLLERR} : 0;
  };
  return actor.replay.holds_more(record, model, lost);
}

bool Mirror::half_reset(const Actor& actor, const os::CallRecord& record, long model) {
  const eventpoll* ep = eventpoll_of(actor.task, descriptor_of(record));
  if (ep == nullptr || model != record.result) return false;
  for (std::size_t i = 0; i < record.output.events.size(); ++i) {
    const epoll_event& theirs = record.output.events[i];
    const user_epoll_event& ours = actor.replay.events[i];
    if (ours.data != theirs.data.u64) return false;
    if (ours.events == theirs.events) continue;
    const epitem* item = item_with(ep, ours.data);
    const Peer* peer = item != nullptr ? peers_.of(sock_of(actor.task, item->ffd_fd)) : nullptr;
    if (peer == nullptr || !peer->gone || (theirs.events & ~ours.events) != 0) return false;
  }
  return true;
}

/// Events of peers outside may have come before or after events of this process, and more of them may be ready than
/// epoll_wait had room for: only the order in which it reports them tells. What was reported stood in front, then the
/// rest. The order among events of this process stays the model's own.
void Mirror::settle_order(eventpoll* ep, const os::CallRecord& record) {
  std::vector<epitem*> wanted;
  for (const epoll_event& event : record.output.events)
    if (epitem* item = item_with(ep, event.data.u64); item != nullptr && item->rdllink.linked()) wanted.push_back(item);
  const auto reported = static_cast<std::ptrdiff_t>(wanted.size());
  std::vector<epitem*> present;
  for (epitem* item : ep->rdllist) {
    const bool ready = (poll_mask(item->ffd_file) & item->event_events.get()) != 0;
    if (!ready) continue;
    present.push_back(item);
    if (std::find(wanted.begin(), wanted.begin() + reported, item) == wanted.begin() + reported) wanted.push_back(item);
  }
  if (present == wanted) return;
  const auto outside = [&](const epitem* item) {
    sock* sk = sock_of(first_, item->ffd_fd);
    return sk != nullptr && (is_datagram(sk) || tcp_state(sk) == TcpState::LISTEN || peers_.of(sk) != nullptr);
  };
  const auto ours = [&](std::vector<epitem*> items) {
    std::erase_if(items, outside);
    return items;
  };
  if (ours(present) != ours(wanted)) return;
  for (epitem* item : wanted) freedoms_.ready_last(ep, item);
}

}  // namespace wakepath::mirror
