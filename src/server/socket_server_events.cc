// What the poll thread does for each event of the poller.

#include <algorithm>
#include <cerrno>
#include <utility>

#include "src/os/retry.hh"
#include "src/server/socket_server.hh"

namespace wakepath::server {

namespace {
constexpr size_t kSmallestRead = 64;
}

void SocketServer::handle(const Ready& ready) {
  Slot* slot = slots_.find(ready.key);
  if (slot == nullptr) return;  // closed by an earlier event or command of the same batch
  switch (slot->state.load()) {
    case SlotState::listen:
      return on_acceptable(*slot);
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
      break;
  }
  // Read before write: what the peer sent before it went away still counts. Each step may end the socket.
  const bool read = ready.readable && slot->reading;
  if (read) on_readable(*slot);
  if (slots_.find(ready.key) != nullptr && ready.writable && slot->writing) on_writable(*slot);
  if (slots_.find(ready.key) == nullptr || !(ready.error || ready.hangup) || read) return;
  // No recv has seen it, nor will one: level triggered epoll would report it for ever.
  int error = 0;
  socklen_t size = sizeof error;
  os_.getsockopt(slot->fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return fail(*slot, error, "connection");
  if (!ready.hangup) return;
  raise_close(*slot);
  force_close(*slot);
}

void SocketServer::on_acceptable(Slot& listener) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  // One a time: level triggered epoll reports the next one, and other sockets get their turn.
  const int fd = os::retry_on_eintr([&] {
    return os_.accept4(listener.fd, reinterpret_cast<sockaddr*>(&address), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  });
  if (fd >= 0) return adopt(listener, fd, os::Endpoint::from_sockaddr(address));
  switch (-fd) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      return on_descriptors_exhausted(listener, -fd);
    default:
      return;  // EAGAIN, ECONNABORTED and the errors of a network that accept(2) passes on: the next one is fine
  }
}

void SocketServer::adopt(Slot& listener, int fd, os::Endpoint peer) {
  Slot* slot = slots_.reserve();
  if (slot == nullptr) {
    os_.close(fd);
    return raise(listener, MessageType::error, "accept: all slots are in use", ENOSPC);
  }
  take_over(*slot, fd, listener.owner);
  slot->peer = peer;
  const SocketId id = slot->id.load();
  if (int error = poller_.add(fd, id, false, false); error < 0) {
    force_close(*slot);
    return raise(listener, MessageType::error, "accept: epoll_ctl failed", -error);
  }
  slots_.change(*slot, SlotState::paccept);
  ++accepted_;
  raise(listener, MessageType::accept, peer.to_string());
  messages_.back().accepted = id;
}

/// The connection stays in the accept queue and the listener stays readable, which would be a busy loop. So a spare
/// descriptor is given up to accept the connection and turn it away. Without a spare the listener rests until a socket
/// of this server is closed.
void SocketServer::on_descriptors_exhausted(Slot& listener, int error) {
  raise(listener, MessageType::error, "accept: no free descriptor, a connection is turned away", error);
  if (spare_fd_ >= 0) {
    os_.close(std::exchange(spare_fd_, -1));
    const int fd = os::retry_on_eintr([&] { return os_.accept4(listener.fd, nullptr, nullptr, SOCK_CLOEXEC); });
    if (fd >= 0) os_.close(fd);
    open_spare();
    if (spare_fd_ >= 0) return;
  }
  listener.starved = any_starved_ = true;
  want(listener, false, false);
}

void SocketServer::open_spare() { spare_fd_ = os_.socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); }

void SocketServer::feed_starved_listeners() {
  any_starved_ = false;
  if (spare_fd_ < 0) open_spare();
  for (Slot& slot : slots_.all())
    if (slot.state.load() == SlotState::listen && std::exchange(slot.starved, false)) want(slot, true, false);
}

void SocketServer::on_connect_done(Slot& slot) {
  int error = 0;
  socklen_t size = sizeof error;
  if (int failed = os_.getsockopt(slot.fd, SOL_SOCKET, SO_ERROR, &error, &size); failed < 0) error = -failed;
  if (error != 0) return fail(slot, error, "connect");
  slots_.change(slot, SlotState::connected);
  raise(slot, MessageType::open, "connected " + slot.peer.to_string());
  want(slot, true, !slot.out.empty());
}

void SocketServer::on_readable(Slot& slot) {
  read_buffer_.resize(slot.read_size);
  const ssize_t got =
      os::retry_on_eintr([&] { return os_.recv(slot.fd, read_buffer_.data(), read_buffer_.size(), 0); });
  if (got == -EAGAIN) return;
  if (got < 0) return fail(slot, static_cast<int>(-got), "recv");
  if (got > 0) {
    raise(slot, MessageType::data);
    const auto size = static_cast<size_t>(got);
    messages_.back().data.assign(read_buffer_, 0, size);
    if (size == slot.read_size) slot.read_size = std::min(slot.read_size * 2, options_.max_read);
    if (size * 2 < slot.read_size) slot.read_size = std::max(slot.read_size / 2, kSmallestRead);
    return;
  }
  // The peer has finished.
  raise_close(slot);
  if (slot.state.load() == SlotState::halfclose_write) return force_close(slot);
  slots_.change(slot, SlotState::halfclose_read);
  want(slot, false, slot.writing);
}

void SocketServer::on_writable(Slot& slot) {
  const int result = slot.out.flush(os_, slot.fd);
  if (result == -EAGAIN) return;
  if (result < 0) return on_send_failed(slot, -result);
  if (slot.closing) {
    raise_close(slot);
    return force_close(slot);
  }
  want(slot, slot.reading, false);
  if (std::exchange(slot.warn_at, options_.first_warning) > options_.first_warning) raise(slot, MessageType::warning);
}

void SocketServer::on_send_failed(Slot& slot, int error) {
  if (slot.state.load() != SlotState::connected) return fail(slot, error, "send");
  // Sending is over, but what the peer sent before may still be read.
  slot.out.clear();
  raise(slot, MessageType::error, "send: the peer takes no more", error);
  os_.shutdown(slot.fd, SHUT_WR);
  slots_.change(slot, SlotState::halfclose_write);
  want(slot, true, false);
}

}  // namespace wakepath::server
