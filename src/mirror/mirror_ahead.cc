// What a peer outside had sent when epoll_wait reported its connection, the log tells further on: the program reads it.

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "sim/kernel/tcp.hh"
#include "src/mirror/mirror.hh"
#include "src/mirror/readiness.hh"

namespace wakepath::mirror {

using namespace kernel;

namespace {
bool reads(const os::LogItem& item) {
  return item.kind == os::LogItem::Kind::returned &&
         (item.record.call() == os::Call::recv || item.record.call() == os::Call::read ||
          item.record.call() == os::Call::recvfrom);
}

/// The descriptor of one of the process's connections.
int fd_of(const task_struct* task, const sock* sk) {
  for (int fd = 0; fd < static_cast<int>(task->files->by_number.size()); ++fd)
    if (sock_of(task, fd) == sk) return fd;
  return -1;
}
}  // namespace

/// Everything is, but for three cases. An epoll_wait that reports something readable from outside while its thread may
/// still read it: when the thread has come to its next epoll_wait, it has done with these events what it wanted to. And
/// an accept4 of a connection from an address that another one still has: that one's end is still to be heard of. And
/// a connect to outside that is under way: whether somebody listens there, the calls that follow tell.
bool Mirror::decided(const os::LogItem& item) const {
  const os::CallRecord& record = item.record;
  if (item.kind != os::LogItem::Kind::returned) return true;
  if (record.call() == os::Call::accept4 && record.result >= 0) {
    const Peer* old = const_cast<Peers&>(peers_).at(address_of(record.output.address));
    return old == nullptr || !old->named || last_word_of(fd_of(first_, old->ours)) != nullptr;
  }
  if (record.call() == os::Call::connect && record.result == -EINPROGRESS && leads_outside(record))
    return fate_of_connect(descriptor_of(record)) != Fate::unknown;
  if (!waits(record.call())) return true;
  if (waits_ahead_.at(record.thread) > 1 || first_ == nullptr) return true;
  const auto from_outside = [&](const file* file, int fd, uint32_t events) {
    if (file == nullptr || (events & ~poll_mask(file) & EPOLLIN) == 0) return false;
    return peers_.has(sock_of(first_, fd)) || datagram_sock_of(first_, fd) != nullptr;
  };
  if (record.call() == os::Call::poll)
    return std::none_of(record.output.polled.begin(), record.output.polled.end(), [&](const pollfd& one) {
      return from_outside(file_of(first_, one.fd), one.fd, static_cast<uint32_t>(one.revents));
    });
  const eventpoll* ep = eventpoll_of(first_, descriptor_of(record));
  if (ep == nullptr) return true;
  return std::none_of(record.output.events.begin(), record.output.events.end(), [&](const epoll_event& event) {
    const epitem* watched = item_with(ep, event.data.u64);
    return watched != nullptr && from_outside(watched->ffd_file, watched->ffd_fd, event.events);
  });
}

void Mirror::look_ahead() {
  next_reading_.clear();
  int entries = 0;
  const int thread = ahead_.front().record.thread;
  for (const os::LogItem& item : ahead_) {
    if (reads(item)) next_reading_.emplace(descriptor_of(item.record), &item.record);
    const bool waits_again =
        item.kind != os::LogItem::Kind::note && item.record.thread == thread && waits(item.record.call());
    if (waits_again && ++entries > 1) break;
  }
  looked_ahead_ = true;
}

/// What the calls ahead tell of a connect that is under way.
Mirror::Fate Mirror::fate_of_connect(int fd) const {
  for (const os::LogItem& item : ahead_) {
    const os::CallRecord& record = item.record;
    if (item.kind != os::LogItem::Kind::returned || descriptor_of(record) != fd) continue;
    if (record.result == -ECONNREFUSED) return Fate::refused;
    if (record.call() == os::Call::close) return Fate::given_up;
    const auto* option = std::get_if<os::call::Getsockopt>(&record.arguments);
    if (option != nullptr && option->level == SOL_SOCKET && option->option == SO_ERROR && record.result == 0 &&
        record.output.data.size() == sizeof(int)) {
      int error = 0;
      std::memcpy(&error, record.output.data.data(), sizeof error);
      return error == 0 ? Fate::connected : error == ECONNREFUSED ? Fate::refused : Fate::given_up;
    }
    const bool moves = record.call() == os::Call::send || record.call() == os::Call::write || reads(item) ||
                       record.call() == os::Call::getpeername;
    if (moves && record.result >= 0) return Fate::connected;
  }
  return Fate::unknown;
}

/// The first call ahead that tells of the connection's end.
const os::CallRecord* Mirror::last_word_of(int fd) const {
  const auto tells = [&](const os::LogItem& item) {
    if (item.kind != os::LogItem::Kind::returned) return false;
    const auto& sights = item.record.sights;
    return (item.record.call() == os::Call::close && descriptor_of(item.record) == fd) ||
           std::any_of(sights.begin(), sights.end(), [&](const os::Sight& s) { return s.fd == fd && s.state != 0; });
  };
  const auto found = std::find_if(ahead_.begin(), ahead_.end(), tells);
  return found != ahead_.end() ? &found->record : nullptr;
}

/// The descriptor of the other end of a connection inside the process; -1.
int Mirror::other_end_of(const sock* sk) const {
  const auto number_of = [](const sock* end) {
    return std::pair(end->common.skc_num.get(), end->common.skc_dport.get());
  };
  const auto [own, theirs] = number_of(sk);
  for (int fd = 0; fd < static_cast<int>(first_->files->by_number.size()); ++fd)
    if (const sock* end = sock_of(first_, fd); end != nullptr && number_of(end) == std::pair(theirs, own)) return fd;
  return -1;
}

/// A connection from an address that another one still has: that one has ended. What it has sent before is still read.
void Mirror::settle_predecessor(Actor& actor, const Address& from) {
  Peer* old = peers_.at(from);
  if (old == nullptr || !old->named) return;
  sock* sk = old->ours;
  const int fd = fd_of(first_, sk);
  const os::CallRecord* last = last_word_of(fd);
  const std::string evidence = "its port is in use again";
  std::string unread;
  for (const os::LogItem& item : ahead_) {
    if (reads(item) && descriptor_of(item.record) == fd && item.record.result > 0) unread += item.record.output.data;
    if (&item.record == last) break;
  }
  if (!unread.empty()) peers_.supply(*old, sk, unread, evidence);
  if (last != nullptr)
    for (const os::Sight& sight : last->sights)
      if (sight.fd == fd) settle_sight(actor, sight, evidence);
}

/// Its connection was readable, and the model's is not: the peer has sent what is read next, or its FIN. If nothing is
/// read, then at least one byte, whatever it was.
void Mirror::settle_readable(Peer& peer, sock* sk, int fd, const std::string& evidence) {
  if (!looked_ahead_) look_ahead();
  const auto found = next_reading_.find(fd);
  if (found == next_reading_.end() || found->second->result == -EAGAIN) {
    if (peer.finished) return;
    peer.guessed = true;
    return peers_.supply(peer, sk, "?", evidence + ", and nothing was read");
  }
  const os::CallRecord& reading = *found->second;
  const std::string both = fmt::format("{}; then {} = {}", evidence, os::name_of(reading.call()), reading.result);
  if (reading.result > 0) return peers_.supply(peer, sk, reading.output.data, both);
  if (reading.result == -ECONNRESET) return end_peer(peer, reading, fd, both);
  peers_.finish(peer, both);
}

}  // namespace wakepath::mirror
