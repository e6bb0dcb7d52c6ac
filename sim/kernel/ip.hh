#pragma once

// IP and ICMP as the protocols above use them: net/ipv4/ip_output.c, route.c, icmp.c, Linux 6.18.

#include <string>

#include "sim/kernel/sock.hh"

namespace wakepath::kernel {

constexpr u32 kLoopback = 0x7F000001;  ///< INADDR_LOOPBACK, host byte order like every address of the model.

/// What inet_addr_type() says of an address (include/uapi/linux/rtnetlink.h).
enum class RouteType { RTN_UNICAST, RTN_LOCAL, RTN_BROADCAST, RTN_MULTICAST };
RouteType inet_addr_type(u32 ip);

/// The route to an address: the addresses that a packet gets, or why there is none.
struct rtable {
  bool found = false;
  u32 saddr = 0;
  u32 daddr = 0;
  bool broadcast = false;
  bool multicast = false;
};
/// `saddr` 0: any. Loopback is all there is; 255.255.255.255 and the groups go out of the device that `saddr` is of.
rtable ip_route_output(u32 saddr, u32 daddr);

/// What the packet's route makes of it where it arrives.
void skb_dst_set(sk_buff* skb, const rtable& route);

/// The socket has no address of its own any more.
void inet_reset_saddr(sock* sk);

/// What a datagram of `size` bytes is charged with on lo, measured on 6.18: a small head, a head of the next power of
/// two, or a small head with pages behind it.
u32 datagram_truesize(std::size_t size, bool v6);

/// A datagram's packet, charged to the socket; nullptr with `*error`.
sk_buff* ip_make_skb(Kernel& k, sock* sk, Payload payload, long* error);
void ip_send_skb(Kernel& k, sk_buff* skb);

/// Whose packet it is: the four numbers of its headers.
struct inet_flow {
  u32 v6 = 0;  ///< 0 or 1. No bool, so that a quote of it has no byte that nobody has written.
  u32 saddr = 0, daddr = 0;
  In6 saddr6, daddr6;
  u16 source = 0, dest = 0;
};
inet_flow flow_of(const sk_buff* skb);
/// An ICMP message of either version carries the headers of the packet that it answers: as its data, and out of it.
std::string quote_of(const sk_buff* skb);
inet_flow quoted_flow(const sk_buff* icmp);

/// Tells the sender of a packet that its port has no socket.
void icmp_send_port_unreachable(Kernel& k, const sk_buff* skb);
void icmp_rcv(Kernel& k, sk_buff* skb);

}  // namespace wakepath::kernel
