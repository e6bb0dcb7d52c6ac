// What the poll thread does for each event of the poller.

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "src/os/retry.hh"
#include "src/server/socket_server.hh"

namespace wakepath::server {

namespace {
constexpr size_t kShort = 16 * 1024;  ///< what is expected to be shorter is received elsewhere and copied
constexpr int kMostDatagrams = 64;    ///< in a row, from one socket
}  // namespace

void SocketServer::handle(const Ready& ready) {
  Slot* slot = slots_.find(ready.key);
  if (slot == nullptr) return;  // closed by an earlier event or command of the same batch
  switch (slot->state.load()) {
    case SlotState::listen:
      if (slot->reading && first_time(slot->read_at)) on_acceptable(*slot);
      return;
    case SlotState::connecting:
      return on_connect_done(*slot);
    case SlotState::invalid:
    case SlotState::reserve:
    case SlotState::plisten:
      return;
    case SlotState::connected:
    case SlotState::halfclose_read:
    case SlotState::halfclose_write:
    case SlotState::paccept:
    case SlotState::bind:
      break;
  }
  // Read before write: what the peer sent before it went away still counts. Each step may end the socket.
  const bool over = ready.error || ready.hangup;
  const bool read = slot->reading && (ready.readable || over);
  if (read && first_time(slot->read_at)) {
    slot->kind == Sink::Kind::datagram ? on_datagrams(*slot) : on_readable(*slot);
  }
  if (ready.writable && slots_.find(ready.key) != nullptr && slot->writing && first_time(slot->written_at))
    on_writable(*slot);
  // No recv has seen it, nor will one: a level triggered poller would report it for ever.
  if (over && !read && slots_.find(ready.key) != nullptr) on_over(*slot, ready);
}

/// False the second time in one batch: with an edge triggered poller, a new event and what again() has put there may
/// meet, and would become more and more.
bool SocketServer::first_time(uint32_t& last_batch) const {
  return std::exchange(last_batch, batch_number_) != batch_number_ || !poller_->edge_triggered();
}

/// An error or a hang-up on a socket that is not being read.
void SocketServer::on_over(Slot& slot, const Ready& ready) {
  int error = 0;
  socklen_t size = sizeof error;
  const int asked = os_.getsockopt(slot.fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (asked < 0) error = ready.error ? EPIPE : 0;  // no socket: the other end of a pipe is closed
  if (slot.kind == Sink::Kind::datagram) {
    if (error != 0) raise(slot, MessageType::error, "the peer answers that it does not listen", error);
    return;
  }
  if (error != 0) return fail(slot, error, "connection");
  if (!ready.hangup) return;
  const SlotState state = slot.state.load();
  if (state == SlotState::connected || state == SlotState::halfclose_write || state == SlotState::bind)
    return unwatch(slot);  // paused: what has arrived is still to be read, when start() comes
  raise_close(slot);
  force_close(slot);
}

/// Begins to connect to the next of the addresses. True when it is connected; else it is under way, or none was left
/// and that was reported with the error of the last one.
bool SocketServer::try_next_target(Slot& slot, int error) {
  while (!slot.targets->empty()) {
    const os::SocketAddress target = slot.targets->back();
    slot.targets->pop_back();
    const int fd = os_.socket(target.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
      error = -fd;
      continue;
    }
    {
      os::WordLock hold(os_, slot.lock);
      slot.fd = fd;
      slot.peer = target;
    }
    const int on = 1;
    os_.setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    const os::SocketAddress::Native native = target.native();
    const int done = os_.connect(fd, native.get(), native.size);
    const bool pending = done == -EINPROGRESS || done == -EINTR;
    error = done < 0 && !pending ? -done : -watch(slot, !pending, pending);
    if (error == 0) {
      const SlotState to = pending ? SlotState::connecting : SlotState::connected;
      if (slot.state.load() != to) slots_.change(slot, to);
      return !pending;
    }
    {
      os::WordLock hold(os_, slot.lock);
      slot.fd = -1;
    }
    os_.close(fd);
  }
  fail(slot, error, "connect " + slot.peer.to_string());
  return false;
}

void SocketServer::on_connect_done(Slot& slot) {
  int error = 0;
  socklen_t size = sizeof error;
  if (const int failed = os_.getsockopt(slot.fd, SOL_SOCKET, SO_ERROR, &error, &size); failed < 0) error = -failed;
  if (error != 0 && slot.targets->empty()) return fail(slot, error, "connect " + slot.peer.to_string());
  if (error != 0) {
    int fd = -1;
    {
      os::WordLock hold(os_, slot.lock);
      fd = std::exchange(slot.fd, -1);
    }
    os_.close(fd);
    slot.watched = false;
    if (!try_next_target(slot, error)) return;
  } else {
    slots_.change(slot, SlotState::connected);
  }
  raise(slot, MessageType::open, "connected " + slot.peer.to_string());
  if (slot.closing) slots_.change(slot, SlotState::halfclose_read);
  bool waiting = false;
  {
    os::WordLock hold(os_, slot.lock);
    waiting = slot.watches_room = !slot.out.empty();
  }
  want(slot, !slot.closing, waiting);
  if (waiting) return on_writable(slot);  // now: this event is not reported again by an edge triggered poller
  if (slot.finishing) on_drained(slot, false);
}

void SocketServer::on_readable(Slot& slot) {
  const size_t least = std::min(options_.min_read, options_.max_read);
  const size_t room = std::max<size_t>(slot.read_size, least);
  Buffer buffer;
  if (room > kShort) buffer = pool_->take(room);
  char* to = room > kShort ? buffer.data() : scratch_.data();
  const bool file = slot.kind == Sink::Kind::file;
  const ssize_t got =
      os::retry_on_eintr([&] { return file ? os_.read(slot.fd, to, room) : os_.recv(slot.fd, to, room, 0); });
  if (got == -EAGAIN) return;
  if (got < 0) return fail(slot, static_cast<int>(-got), "recv");
  if (got == 0) return on_end(slot);
  const auto size = static_cast<size_t>(got);
  if (room <= kShort) {
    buffer = pool_->take(size);
    std::memcpy(buffer.data(), to, size);
  }
  buffer.set_size(size);
  const size_t next = size == room ? std::min(room * 2, options_.max_read) : size * 2 < room ? room / 2 : room;
  slot.read_size = static_cast<uint32_t>(next);
  slot.figures.read.add(size);
  slot.figures.last_read_ns = batch_ns_;
  raise(slot, MessageType::data).data = std::move(buffer);
  again(slot, true, false);
}

/// The peer has finished.
void SocketServer::on_end(Slot& slot) {
  raise_close(slot);
  if (slot.state.load() == SlotState::halfclose_write) return force_close(slot);
  if (slot.state.load() != SlotState::halfclose_read) slots_.change(slot, SlotState::halfclose_read);
  // Most owners close it when they hear of this. The poller is told before its next wait, if it is still there then.
  ended_.push_back(slot.id.load());
}

void SocketServer::stop_reading_ended() {
  for (const SocketId id : ended_)
    if (Slot* slot = slots_.find(id); slot != nullptr && slot->reading) want(*slot, false, slot->writing);
  ended_.clear();
}

void SocketServer::on_datagrams(Slot& slot) {
  size_t taken = 0;
  for (int i = 0; i < kMostDatagrams && taken < options_.max_read; ++i) {
    os::SocketAddress::Native from{.size = sizeof(sockaddr_storage)};
    auto* address = reinterpret_cast<sockaddr*>(&from.storage);
    const ssize_t got = os::retry_on_eintr(
        [&] { return os_.recvfrom(slot.fd, scratch_.data(), scratch_.size(), 0, address, &from.size); });
    if (got == -EAGAIN) return;
    if (got < 0) {  // an answer of the network to what was sent: the socket goes on
      raise(slot, MessageType::error, "recvfrom: the network has answered with an error", static_cast<int>(-got));
      continue;
    }
    const auto size = static_cast<size_t>(got);
    taken += size;
    slot.figures.read.add(size);
    slot.figures.last_read_ns = batch_ns_;
    Message& message = raise(slot, MessageType::udp);
    message.peer = os::SocketAddress::from(from.storage);
    message.data = pool_->take(size);
    std::memcpy(message.data.data(), scratch_.data(), size);
    message.data.set_size(size);
  }
  again(slot, true, false);
}

/// With an edge triggered poller: more may be there that will not be reported. Everybody else gets his turn first.
void SocketServer::again(const Slot& slot, bool readable, bool writable) {
  if (!poller_->edge_triggered()) return;
  again_.push_back({.key = slot.id.load(), .readable = readable, .writable = writable});
}

}  // namespace wakepath::server
