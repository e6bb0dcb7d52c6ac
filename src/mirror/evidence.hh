#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sim/kernel/socket.hh"

/// What the running kernel tells about a descriptor of this process without changing anything. None of these goes
/// through Os: they are the instrument's own.

namespace wakepath::mirror::evidence {

/// TCP_INFO
struct TcpReading {
  kernel::TcpState state;
  uint64_t bytes_received;  ///< in order; a FIN counts as one (net/ipv4/tcp_input.c, tcp_rcv_nxt_update())
};
/// nullopt when `fd` is no TCP socket.
std::optional<TcpReading> tcp_info(int fd);
/// SIOCINQ: bytes to read, without the FIN.
std::size_t unread(int fd);
/// SIOCOUTQ: bytes sent and not acknowledged, with those that wait to be sent.
std::size_t unacknowledged(int fd);
/// Up to `size` bytes from the receive queue, left there (MSG_PEEK). Ask only after unread() > 0: on an empty queue it
/// would take off a pending error.
std::string peek(int fd, std::size_t size);
/// getsockname(2) and getpeername(2); nullopt when it fails or is not AF_INET.
std::optional<kernel::Address> own_address(int fd);
/// SO_MEMINFO: whether a blocking send of so much returns without sleep. Memory pressure aside.
bool has_room(int fd, std::size_t size);
/// SO_MEMINFO: sk_rcvbuf as auto-tuning has it now.
int receive_buffer(int fd);
/// net.ipv4.ip_local_port_range
struct PortRange {
  uint16_t low, high;
};
PortRange port_range();
/// RLIMIT_NOFILE
std::size_t descriptor_limit();
/// uname(2): "Linux 6.18.44"
std::string kernel_name();
/// CLOCK_MONOTONIC
int64_t now_ns();

}  // namespace wakepath::mirror::evidence
