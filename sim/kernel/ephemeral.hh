#pragma once

#include "sim/kernel/kernel.hh"

// Models: the walk through net.ipv4.ip_local_port_range of inet_csk_find_open_port() (net/ipv4/inet_connection_sock.c)
// and of __inet_hash_connect() (inet_hashtables.c), Linux 6.18: every second port first, then the others, so that
// bind() and connect() keep out of each other's way. Where Linux begins at random, the model goes on from where it was.

namespace wakepath::kernel {

/// The first port that is `good` of those from `low` to before `high`: those at even distances from `offset`, then the
/// rest. 0: none. Of an odd number of ports Linux leaves out one.
template <class Good>
u16 find_ephemeral(u32 low, u32 high, u32 offset, const Good& good) {
  u32 remaining = high - low;
  if (remaining > 1) remaining &= ~1u;
  for (u32 start : {offset, offset ^ 1u}) {
    u32 port = low + start;
    for (u32 i = 0; i < remaining; i += 2, port += 2) {
      if (port >= high) port -= remaining;
      if (good(static_cast<u16>(port))) return static_cast<u16>(port);
    }
    if (remaining == 1) break;
  }
  return 0;
}

/// A port that somebody outside knows to have been chosen goes first (Kernel::wanted_port), once.
template <class Good>
u16 wanted_port(Kernel& k, const Good& good) {
  u16 port = std::exchange(k.wanted_port, u16{0});
  return port != 0 && good(port) ? port : u16{0};
}

}  // namespace wakepath::kernel
