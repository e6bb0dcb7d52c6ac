#pragma once

#include <span>

#include "sim/kernel/types.hh"

namespace wakepath::kernel {

/// A change of a TCP socket's state that can happen, and what makes it.
struct TcpEdge {
  TcpState from;
  TcpState to;
  const char* why;
};
/// All of them; tcp_set_state() lets no other pass. TIME_WAIT is no state of these: it is another object's
/// (inet_timewait_sock), and the socket itself closes.
[[nodiscard]] std::span<const TcpEdge> tcp_edges();

}  // namespace wakepath::kernel
