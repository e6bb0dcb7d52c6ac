// Accepting, and what to do when the process has no descriptor left.

#include <algorithm>
#include <cerrno>
#include <utility>

#include "src/os/retry.hh"
#include "src/server/socket_server.hh"

namespace wakepath::server {

namespace {
constexpr uint32_t kLongestRow = 64;
}

/// One connection a time, as long as they come singly: a second accept4 would find nothing. A listener that is ready
/// again in the very next batch has a queue, and more are taken in a row.
void SocketServer::on_acceptable(Slot& listener) {
  const bool edge = poller_->edge_triggered();
  if (edge) {
    listener.read_size = kLongestRow;
  } else if (listener.busy_at + 1 == batch_number_) {
    listener.read_size = std::min(listener.read_size * 2, kLongestRow);
  } else {
    listener.read_size = 1;
  }
  listener.busy_at = batch_number_;
  const SocketId id = listener.id.load();
  for (uint32_t i = 0; i < listener.read_size; ++i) {
    os::SocketAddress::Native from{.size = sizeof(sockaddr_storage)};
    auto* address = reinterpret_cast<sockaddr*>(&from.storage);
    const int fd =
        os::retry_on_eintr([&] { return os_.accept4(listener.fd, address, &from.size, SOCK_NONBLOCK | SOCK_CLOEXEC); });
    if (fd == -EAGAIN) return;
    if (fd == -EMFILE || fd == -ENFILE || fd == -ENOBUFS || fd == -ENOMEM) {
      on_descriptors_exhausted(listener, -fd);
      break;
    }
    // ECONNABORTED and the errors of a network that accept(2) passes on: the next one is fine
    if (fd >= 0) adopt(listener, fd, os::SocketAddress::from(from.storage));
    if (slots_.find(id) == nullptr) return;
  }
  if (listener.reading) again(listener, true, false);
}

void SocketServer::adopt(Slot& listener, int fd, os::SocketAddress peer) {
  Slot* slot = slots_.reserve();
  if (slot == nullptr) {
    os_.close(fd);
    raise(listener, MessageType::error, "accept: all slots are in use", ENOSPC);
    return;
  }
  take_over(*slot, fd, Sink::Kind::stream, peer);
  slot->owner = listener.owner;
  const SocketId id = slot->id.load();
  if (const int error = watch(*slot, listener.starts_accepted, false); error < 0) {
    force_close(*slot);
    raise(listener, MessageType::error, "accept: the poller takes no more", -error);
    return;
  }
  slots_.change(*slot, listener.starts_accepted ? SlotState::connected : SlotState::paccept);
  accepted_.fetch_add(1, std::memory_order_relaxed);
  listener.figures.read.add(1);
  listener.figures.last_read_ns = batch_ns_;
  Message& message = raise(listener, MessageType::accept, peer.to_string());
  message.accepted = id;
  message.peer = peer;
}

/// The connection stays in the accept queue and the listener stays readable, which would be a busy loop. So a spare
/// descriptor is given up to accept the connection and turn it away. Without a spare the listener rests until a socket
/// of this server is closed, or some time has passed.
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
  for (size_t i = 0; i < slots_.made(); ++i) {
    Slot& slot = slots_.at(i);
    if (slot.state.load() != SlotState::listen || !slot.starved) continue;
    slot.starved = false;
    want(slot, true, false);
  }
}

}  // namespace wakepath::server
