// What there is to see of the sockets, for a console.

#include "src/server/socket_server.hh"

namespace wakepath::server {

namespace {

const char* name_of(Sink::Kind kind) {
  switch (kind) {
    case Sink::Kind::stream:
      return "tcp";
    case Sink::Kind::datagram:
      return "udp";
    case Sink::Kind::file:
      return "file";
  }
  return "?";
}

/// Under the slot's lock.
SocketInfo look_at(const Slot& slot) {
  return {.id = slot.id.load(),
          .owner = slot.owner,
          .state = slot.state.load(),
          .fd = slot.fd,
          .kind = name_of(slot.kind),
          .address = slot.peer.to_string(),
          .closing = slot.closing,
          .reading = slot.reading,
          .writing = slot.writing,
          .read = slot.figures.read,
          .written = slot.figures.written,
          .waiting = slot.out.bytes(),
          .last_read_ns = slot.figures.last_read_ns,
          .last_write_ns = slot.figures.last_write_ns};
}

}  // namespace

std::vector<SocketInfo> SocketServer::info() const {
  std::vector<SocketInfo> all;
  for (size_t i = 0; i < slots_.made(); ++i) {
    Slot& slot = slots_.at(i);
    os::WordLock hold(os_, slot.lock);
    if (slot.id.load() != 0) all.push_back(look_at(slot));
  }
  return all;
}

SocketInfo SocketServer::info(SocketId id) const {
  Slot* slot = slots_.find(id);
  if (slot == nullptr) return {};
  os::WordLock hold(os_, slot->lock);
  return slot->id.load() == id ? look_at(*slot) : SocketInfo{};
}

}  // namespace wakepath::server
