#pragma once

#include <string>

#include "sim/kernel/sock.hh"

namespace wakepath::kernel {

class Kernel;

/// A segment or datagram as it would be on a wire: headers of IPv4 (RFC 791) or IPv6 (RFC 8200), of TCP (RFC 9293,
/// 7323, 2018), UDP (RFC 768) or ICMP (RFC 792, 4443) with right checksums, and the data.
///
/// A model's segment says its window in bytes; here SYNs say a window scale, the same for all, and the window is
/// shifted by it. What the model does not have is left out: timestamps, the sequence of IP identifications, ECN.
[[nodiscard]] std::string packet_bytes(const Kernel& k, const sk_buff& skb);

/// The window scale that packet_bytes() says in SYNs: tcp_select_initial_window() of net/ipv4/tcp_output.c.
[[nodiscard]] int packet_window_scale(const Kernel& k);

}  // namespace wakepath::kernel
