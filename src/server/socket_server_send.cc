// Sending: by the calling thread as far as the kernel takes it, the rest by the poll thread when there is room.
//
// A slot's lock is held over the system call, so what several threads send comes in one order, that in which they got
// the lock, whether it is sent at once or waits. The poll thread is told (command write) only when it has to look for
// room, to warn, or to end the socket.

#include <cerrno>
#include <utility>

#include "src/server/socket_server.hh"

namespace wakepath::server {

/// What has become of one send().
struct SocketServer::Attempt {
  size_t taken = 0;    ///< bytes, by the kernel
  size_t waiting = 0;  ///< bytes in the write buffer after it
  bool tell = false;   ///< the poll thread has to look at the slot
};

int SocketServer::send(SocketId id, Payload payload, Priority priority) {
  return send_to(id, std::move(payload), priority, {});
}

int SocketServer::udp_send(SocketId id, os::SocketAddress to, Payload payload) {
  return send_to(id, std::move(payload), Priority::high, to);
}

int SocketServer::send_to(SocketId id, Payload payload, Priority priority, const os::SocketAddress& to) {
  Slot* slot = slots_.find(id);
  if (slot == nullptr) return -EBADF;
  const size_t size = payload.size();
  Attempt attempt;
  int result = 0;
  {
    os::WordLock hold(os_, slot->lock);
    result = admits(*slot, id, to);
    if (result == 0 && (size > 0 || slot->kind == Sink::Kind::datagram))
      result = put(*slot, std::move(payload), priority, to, attempt);
    attempt.waiting = slot->out.bytes();
  }
  probe_.sent({.socket = id, .bytes = size, .taken = attempt.taken, .waiting = attempt.waiting});
  if (attempt.tell) submit({.kind = CommandKind::write, .id = id});
  return result;
}

/// Whether this socket may be sent to: 0, or why not. Under the slot's lock.
int SocketServer::admits(const Slot& slot, SocketId id, const os::SocketAddress& to) const {
  if (slot.id.load() != id) return -EBADF;
  if (slot.overflowed) return -ENOBUFS;
  if (slot.closing || slot.finishing || slot.send_error != 0) return -EPIPE;
  if (to.present() && slot.kind != Sink::Kind::datagram) return -EISCONN;
  if (to.present() && to.family != slot.peer.family) return -EAFNOSUPPORT;
  switch (slot.state.load()) {
    case SlotState::connecting:
    case SlotState::connected:
    case SlotState::halfclose_read:
    case SlotState::bind:
      return 0;
    case SlotState::reserve:
      return slot.outgoing || slot.foreign || slot.kind == Sink::Kind::datagram ? 0 : -ENOTCONN;
    case SlotState::halfclose_write:
      return -EPIPE;
    case SlotState::paccept:
    case SlotState::plisten:
    case SlotState::listen:
      return -ENOTCONN;
    case SlotState::invalid:
      break;
  }
  return -EBADF;
}

/// Sends what nothing else waits before, and keeps the rest. Under the slot's lock.
int SocketServer::put(Slot& slot, Payload payload, Priority priority, const os::SocketAddress& to, Attempt& attempt) {
  const SlotState state = slot.state.load();
  const bool datagram = slot.kind == Sink::Kind::datagram;
  const bool open = state != SlotState::connecting && (state != SlotState::reserve || datagram);
  if (open && slot.out.empty()) {
    const ssize_t done = Sink{slot.fd, slot.kind}.put(os_, payload.view(), to);
    if (done >= 0) {
      attempt.taken = static_cast<size_t>(done);
      slot.figures.written.add(attempt.taken);
      slot.figures.last_write_ns = now_ns();
      if (datagram || attempt.taken == payload.size()) return 0;
    } else if (done != -EAGAIN) {
      if (datagram) return static_cast<int>(done);
      slot.send_error = static_cast<int16_t>(-done);
      attempt.tell = !std::exchange(slot.attention, true);
      return -EPIPE;
    }
  }
  if (slot.out.memory() + payload.size() - attempt.taken > slot.write_limit) {
    if (datagram) return -ENOBUFS;  // this one is dropped, as the network would
    slot.overflowed = true;
    slot.out.clear();
    attempt.tell = !std::exchange(slot.attention, true);
    return -ENOBUFS;
  }
  if (datagram) {
    slot.out.append_datagram(std::move(payload), to);
  } else {
    slot.out.append(std::move(payload), attempt.taken, priority);
  }
  const bool needs_room = open && !slot.watches_room;
  slot.watches_room |= needs_room;
  if (needs_room || slot.out.bytes() >= slot.warn_at) attempt.tell = !std::exchange(slot.attention, true);
  return 0;
}

/// Something was left for the poll thread to do by those who sent.
void SocketServer::attend(Slot& slot) {
  const SlotState state = slot.state.load();
  const bool open = state != SlotState::connecting && state != SlotState::reserve;
  bool overflowed = false, waiting = false, warn = false;
  int error = 0;
  size_t bytes = 0, limit = 0;
  {
    os::WordLock hold(os_, slot.lock);
    slot.attention = false;
    overflowed = slot.overflowed;
    error = slot.send_error;
    bytes = slot.out.bytes();
    limit = slot.write_limit;
    waiting = open && !slot.out.empty();
    slot.watches_room = waiting;
    warn = bytes >= slot.warn_at;
    while (bytes >= slot.warn_at) slot.warn_at *= 2;
  }
  if (overflowed) {
    if (!slot.close_reported)
      raise(slot, MessageType::error,
            "send: more than " + std::to_string(limit) + " bytes wait to be sent: the connection is given up", ENOBUFS);
    return force_close(slot);
  }
  if (error != 0) return on_send_failed(slot, error);
  if (waiting) want(slot, slot.reading, true);
  if (warn) raise(slot, MessageType::warning).kilobytes = (bytes + 1023) / 1024;
}

void SocketServer::on_writable(Slot& slot) {
  WriteBuffer::Flushed flushed;
  const bool datagram = slot.kind == Sink::Kind::datagram;
  bool warned = false;
  {
    os::WordLock hold(os_, slot.lock);
    flushed = slot.out.flush(os_, {slot.fd, slot.kind}, options_.max_write);
    slot.figures.written.add(flushed.sent);
    if (flushed.sent > 0) slot.figures.last_write_ns = batch_ns_;
    if (flushed.error == 0) {
      slot.watches_room = false;
      warned = std::exchange(slot.warn_at, options_.first_warning) > options_.first_warning;
    } else if (flushed.error < 0 && flushed.error != -EAGAIN && !datagram) {
      slot.send_error = static_cast<int16_t>(-flushed.error);
      slot.watches_room = false;
      slot.out.clear();
    }
  }
  if (flushed.error == -EAGAIN && !flushed.short_count) return;
  if (flushed.error == -EAGAIN) return again(slot, false, true);
  if (flushed.error == 0) return on_drained(slot, warned);
  if (flushed.error < 0 && !datagram) return on_send_failed(slot, -flushed.error);
  if (flushed.error < 0) raise(slot, MessageType::error, "send: a datagram was dropped", -flushed.error);
  again(slot, false, true);
}

/// Nothing is left to be sent.
void SocketServer::on_drained(Slot& slot, bool warned) {
  if (slot.closing) {
    raise_close(slot);
    return force_close(slot);
  }
  want(slot, slot.reading, false);
  if (warned) raise(slot, MessageType::warning);
  if (!slot.finishing) return;
  if (slot.kind == Sink::Kind::stream) os_.shutdown(slot.fd, SHUT_WR);
  slots_.change(slot, SlotState::halfclose_write);
}

void SocketServer::on_send_failed(Slot& slot, int error) {
  const SlotState state = slot.state.load();
  if (state == SlotState::halfclose_write) return;
  if (state != SlotState::connected && state != SlotState::bind) return fail(slot, error, "send");
  // Sending is over, but what the peer sent before may still be read.
  raise(slot, MessageType::error, "send: the peer takes no more", error);
  if (slot.kind == Sink::Kind::stream) os_.shutdown(slot.fd, SHUT_WR);
  slots_.change(slot, SlotState::halfclose_write);
  want(slot, slot.reading, false);
}

}  // namespace wakepath::server
