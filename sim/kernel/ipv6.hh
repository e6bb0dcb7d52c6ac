#pragma once

// IPv6 on loopback: net/ipv6/af_inet6.c, tcp_ipv6.c, udp.c, datagram.c, ip6_output.c, ip6_input.c, icmp.c, Linux 6.18.
// A TCP or UDP function of IPv6 that differs from its IPv4 twin only in the addresses is that twin here, and calls
// itself by the name that fits the packet or the socket (tcp_v6_rcv, udpv6_recvmsg, …).

#include "sim/kernel/ip.hh"
#include "sim/kernel/sock_core.hh"

namespace wakepath::kernel {

extern const proto tcpv6_prot;
extern const proto udpv6_prot;

In6 in6_make(Kernel& k, const std::array<u8, 16>& bytes);
std::array<u8, 16> in6_bytes(const Kernel& k, In6 address);
/// ::ffff:a.b.c.d
In6 in6_mapped(Kernel& k, u32 ip);
/// The IPv4 address inside a mapped one.
u32 in6_v4(const Kernel& k, In6 address);
/// ::1
In6 in6_loopback(Kernel& k);
bool in6_is_multicast(const Kernel& k, In6 address);
/// Link-local: such an address means something only together with a device.
bool in6_needs_scope(const Kernel& k, In6 address);
/// What the IPv4 address of a socket says while it speaks IPv6.
constexpr u32 LOOPBACK4_IPV6 = 0x7F000006;

/// sk_rcv_saddr_set(), sk_daddr_set(): the IPv4 address, and the mapped one of a socket of AF_INET6.
void sk_rcv_saddr_set(Kernel& k, sock* sk, u32 ip);
void sk_daddr_set(Kernel& k, sock* sk, u32 ip);

/// Down through IPv6: a TCP segment of a socket, a bare segment, a datagram.
void inet6_csk_xmit(Kernel& k, sk_buff* skb);
void ip6_xmit(Kernel& k, sk_buff* skb);
sk_buff* ip6_make_skb(Kernel& k, sock* sk, Payload payload, long* error);
void ip6_send_skb(Kernel& k, sk_buff* skb);
/// A packet comes from a device.
void ipv6_rcv(Kernel& k, sk_buff* skb);
void icmp6_send_port_unreachable(Kernel& k, const sk_buff* skb);

/// connect() of TCP and UDP; bind() and the rest are behind inet6_stream_ops and inet6_dgram_ops.
long tcp_v6_connect(Kernel& k, sock* sk, const Address& to);
long udpv6_connect(Kernel& k, sock* sk, const Address& to);
MaySleep<long> udpv6_sendmsg(Kernel& k, sock* sk, OutMessage& message);

}  // namespace wakepath::kernel
