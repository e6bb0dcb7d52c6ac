#pragma once

#include <string>

#include "sim/kernel/sock.hh"

namespace wakepath::kernel {

class Kernel;

/// A segment or datagram as it would be on a wire: headers of IPv4 (RFC 791) or IPv6 (RFC 8200), of TCP (RFC 9293,
/// 7323, 2018), UDP (RFC 768) or ICMP (RFC 792, 4443) with right checksums, and the data.
///
/// What the model does not have is left out: timestamps, the sequence of IP identifications, ECN.
[[nodiscard]] std::string packet_bytes(const Kernel& k, const sk_buff& skb);

}  // namespace wakepath::kernel
