// Opening sockets: what the calling thread does itself, before the poll thread takes over.

#include <netinet/tcp.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "src/server/socket_server.hh"

namespace wakepath::server {

namespace {

/// Numbers need no look-up.
int addresses_of(os::Os& os, const std::string& host, uint16_t port, bool passive,
                 std::vector<os::SocketAddress>& addresses) {
  if (const auto address = os::SocketAddress::parse(host, port); address && (passive || !host.empty())) {
    addresses = {*address};
    return 0;
  }
  return os.resolve(host, port, SOCK_STREAM, passive, addresses);
}

}  // namespace

/// A bound socket, `address` as it is after that; listening when `listens` is there. A negative errno when it failed.
int SocketServer::bound_socket(int type, os::SocketAddress& address, const ListenOptions* listens) {
  const int fd = os_.socket(address.family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return fd;
  const int on = 1;
  int error = 0;
  auto set = [&](bool wanted, int level, int option) {
    if (wanted && error == 0) error = os_.setsockopt(fd, level, option, &on, sizeof on);
  };
  if (listens != nullptr) {
    // Or connections of an earlier run in TIME_WAIT would keep the port. Both runs must ask for it: this one too, when
    // it takes any port that the next may name.
    set(true, SOL_SOCKET, SO_REUSEADDR);
    set(listens->reuse_port, SOL_SOCKET, SO_REUSEPORT);
    set(listens->keepalive, SOL_SOCKET, SO_KEEPALIVE);
    set(listens->nodelay, IPPROTO_TCP, TCP_NODELAY);
  }
  os::SocketAddress::Native native = address.native();
  if (error == 0) error = os_.bind(fd, native.get(), native.size);
  if (error == 0 && listens != nullptr) error = os_.listen(fd, listens->backlog);
  if (error == 0) error = os_.getsockname(fd, reinterpret_cast<sockaddr*>(&native.storage), &native.size);
  if (error < 0) {
    os_.close(fd);
    return error;
  }
  address = os::SocketAddress::from(native.storage);
  return fd;
}

/// A slot for a descriptor of the calling thread; the command tells the poll thread of it.
Opened SocketServer::hand_over(ServiceId owner, int fd, Sink::Kind kind, os::SocketAddress address, CommandKind command,
                               bool starts_accepted) {
  const bool foreign = command == CommandKind::bind;
  Slot* slot = slots_.reserve();
  int error = slot == nullptr ? -ENOSPC : 0;
  SocketId id = 0;
  if (slot != nullptr) {
    id = slot->id.load();
    take_over(*slot, fd, kind, address);
    {
      os::WordLock hold(os_, slot->lock);
      slot->foreign = foreign;
    }
    slot->starts_accepted = starts_accepted;
    error = submit({.kind = command, .service = owner, .id = id});
    if (error < 0) slots_.release(*slot);
  }
  if (error == 0) return {.id = id, .address = address};
  if (!foreign) os_.close(fd);
  return {.error = error};
}

Opened SocketServer::listen(ServiceId owner, os::SocketAddress address, const ListenOptions& options) {
  const int fd = bound_socket(SOCK_STREAM, address, &options);
  if (fd < 0) return {.error = fd};
  return hand_over(owner, fd, Sink::Kind::stream, address, CommandKind::listen, options.starts_accepted);
}

Opened SocketServer::listen(ServiceId owner, const std::string& host, uint16_t port, const ListenOptions& options) {
  std::vector<os::SocketAddress> addresses;
  Opened opened{.error = addresses_of(os_, host, port, true, addresses)};
  for (size_t i = 0; i < addresses.size() && opened.id == 0; ++i) opened = listen(owner, addresses[i], options);
  return opened;
}

Opened SocketServer::connect_to(ServiceId owner, std::vector<os::SocketAddress> addresses) {
  Slot* slot = slots_.reserve();
  if (slot == nullptr) return {.error = -ENOSPC};
  const os::SocketAddress first = addresses.front();
  const SocketId id = slot->id.load();
  std::reverse(addresses.begin(), addresses.end());
  slot->targets = std::make_unique<std::vector<os::SocketAddress>>(std::move(addresses));
  take_over(*slot, -1, Sink::Kind::stream, first);
  {
    os::WordLock hold(os_, slot->lock);
    slot->outgoing = true;
  }
  if (const int error = submit({.kind = CommandKind::connect, .service = owner, .id = id}); error < 0) {
    slots_.release(*slot);
    return {.error = error};
  }
  return {.id = id, .address = first};
}

Opened SocketServer::connect(ServiceId owner, os::SocketAddress address) { return connect_to(owner, {address}); }

Opened SocketServer::connect(ServiceId owner, const std::string& host, uint16_t port) {
  std::vector<os::SocketAddress> addresses;
  if (const int error = addresses_of(os_, host, port, false, addresses); error < 0) return {.error = error};
  return connect_to(owner, std::move(addresses));
}

Opened SocketServer::bind(ServiceId owner, int fd) {
  int type = 0;
  socklen_t size = sizeof type;
  Sink::Kind kind = Sink::Kind::file;
  if (os_.getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0)
    kind = type == SOCK_DGRAM ? Sink::Kind::datagram : Sink::Kind::stream;
  return hand_over(owner, fd, kind, {}, CommandKind::bind);
}

Opened SocketServer::udp(ServiceId owner, os::SocketAddress address) {
  const int fd = bound_socket(SOCK_DGRAM, address, nullptr);
  if (fd < 0) return {.error = fd};
  return hand_over(owner, fd, Sink::Kind::datagram, address, CommandKind::udp);
}

Opened SocketServer::udp_dial(ServiceId owner, os::SocketAddress peer) {
  const int fd = os_.socket(peer.family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return {.error = fd};
  const os::SocketAddress::Native native = peer.native();
  if (const int error = os_.connect(fd, native.get(), native.size); error < 0) {
    os_.close(fd);
    return {.error = error};
  }
  return hand_over(owner, fd, Sink::Kind::datagram, peer, CommandKind::dial);
}

int SocketServer::udp_connect(SocketId id, os::SocketAddress peer) {
  Slot* slot = slots_.find(id);
  if (slot == nullptr) return -EBADF;
  os::WordLock hold(os_, slot->lock);
  if (slot->id.load() != id || slot->kind != Sink::Kind::datagram) return -EBADF;
  if (peer.family != slot->peer.family) return -EAFNOSUPPORT;
  const os::SocketAddress::Native native = peer.native();
  const int error = os_.connect(slot->fd, native.get(), native.size);
  if (error == 0) slot->peer = peer;
  return error;
}

}  // namespace wakepath::server
