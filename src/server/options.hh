#pragma once

#include <cstddef>
#include <string>

#include "src/server/poller.hh"
#include "src/server/slots.hh"

namespace wakepath::server {

struct SocketServerOptions {
  size_t capacity = Slots::kMost;         ///< sockets at the same time; the process's descriptors end sooner
  size_t first_warning = 1024 * 1024;     ///< bytes in a write buffer that raise the first warning; then doubling
  size_t write_limit = size_t{64} << 20;  ///< memory of a write buffer at which its socket is closed; see limit()
  size_t min_read = 16 * 1024;            ///< bytes asked for at first; then more or less, as they come
  size_t max_read = 64 * 1024;            ///< bytes taken from one socket for one event, at most
  size_t max_write = 256 * 1024;          ///< bytes of a write buffer sent for one event, or little more
  PollerKind poller = PollerKind::epoll_level;
};

/// Of a listener. What it is given of nodelay and keepalive, the kernel hands on to the connections that it accepts.
struct ListenOptions {
  int backlog = 128;
  bool starts_accepted = false;  ///< connections are read from at once: no start() is needed
  bool nodelay = false;
  bool keepalive = true;
  bool reuse_port = false;
};

/// What listen(), connect() and their like return: `error` is 0 or a negative errno, and then `id` is 0.
struct Opened {
  int error = 0;
  SocketId id = 0;
  os::SocketAddress address;  ///< what it is bound to; connect, udp_dial: where it goes
};

/// One socket, as info() found it.
struct SocketInfo {
  SocketId id = 0;
  ServiceId owner = 0;
  SlotState state = SlotState::invalid;
  int fd = -1;
  std::string kind;     ///< "tcp", "udp" or "file"
  std::string address;  ///< of the peer; of a listener, or a UDP socket without a peer, its own
  bool closing = false;
  bool reading = false, writing = false;
  uint64_t read = 0, written = 0;               ///< bytes; of a listener, `read` counts connections
  size_t waiting = 0;                           ///< bytes in the write buffer
  int64_t last_read_ns = 0, last_write_ns = 0;  ///< of Os::monotonic_ns(); 0: never
};

}  // namespace wakepath::server
