#pragma once

#include "sim/kernel/kernel.hh"
#include "sim/kernel/sock.hh"

namespace wakepath::kernel {

/// A time before the model began, as tcp_stamp_ms() tells it, for icsk_ack.lrcvtime: what counts from it is over.
constexpr u32 kLongAgo = 0x8000'0000;

/// How long nothing has come from the peer (include/net/tcp.h).
u64 keepalive_time_elapsed_ns(const Kernel& k, const sock* sk);

}  // namespace wakepath::kernel
