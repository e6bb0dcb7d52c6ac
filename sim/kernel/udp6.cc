// Models: the user's side of net/ipv6/udp.c and datagram.c (connect) of Linux 6.18. What is read and how it is received
// is as with IPv4, in udp.cc and udp_rcv.cc. Left out: what udp.cc leaves out; flow labels, multicast.

#include <optional>

#include "sim/kernel/ipv6.hh"
#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp.hh"
#include "sim/kernel/uaccess.hh"
#include "sim/kernel/udp.hh"

namespace wakepath::kernel {

namespace {

long __ip6_datagram_connect(Kernel& k, sock* sk, const Address& to) {
  Call call(k, Fn::__ip6_datagram_connect, sk);
  if (to.family == AF_INET)
    return call.result(sk->common.skc_ipv6only ? k.error(Rule::address_of_another_family, sk)
                                               : __ip4_datagram_connect(k, sk, to));
  if (sockaddr_size(to) < 24) return call.result(k.error(Rule::address_too_short, sk));
  if (to.family != AF_INET6) return call.result(k.error(Rule::address_of_another_family, sk));
  In6 daddr = in6_make(k, to.ip6);
  bool mapped = sk->common.skc_v6_rcv_saddr.get().v4mapped();
  if (daddr.any()) daddr = mapped ? in6_mapped(k, kLoopback) : in6_loopback(k);
  if (daddr.v4mapped()) {
    if (sk->common.skc_ipv6only) return call.result(k.error(Rule::connect_no_route, sk));
    return call.result(__ip4_datagram_connect(k, sk, Address{in6_v4(k, daddr), to.port}));
  }
  if (in6_needs_scope(k, daddr)) return call.result(k.error(Rule::address_needs_device, sk));
  if (daddr != in6_loopback(k)) return call.result(k.error(Rule::connect_no_route, sk));
  if (mapped) return call.result(k.error(Rule::route_from_mapped, sk));
  sk->common.skc_v6_daddr = daddr;
  sk->common.skc_dport = to.port;
  if (sk->common.skc_v6_rcv_saddr.get().any()) {
    sk->common.skc_v6_rcv_saddr = in6_loopback(k);
    sk->common.skc_rcv_saddr = record::Ipv4{LOOPBACK4_IPV6};  // inet_saddr stays: IPv4 may choose
    udp_lib_rehash(k, sk);
  }
  if (sk->sk_reuseport_cb != nullptr) sk->sk_reuseport_cb->has_conns = true;
  sk->common.skc_state = TcpState::ESTABLISHED;
  udp_lib_hash4(k, sk);
  return call.result(0);
}

void udp_v6_send_skb(Kernel& k, sock* sk, sk_buff* skb, In6 daddr, u16 dport) {
  Call call(k, Fn::udp_v6_send_skb, skb);
  skb->protocol = IPPROTO_UDP;
  skb->v6 = true;
  skb->saddr6 = in6_loopback(k);
  skb->daddr6 = daddr;
  skb->source = inet_sk(sk)->inet_sport;
  skb->dest = dport;
  ip6_send_skb(k, skb);
}

/// Where a datagram goes. `v4`: over IPv4, to this address; otherwise to ::1 or to nowhere.
struct Destination6 {
  In6 daddr;
  u16 dport = 0;
  std::optional<Address> v4{};
  long error = 0;
};

Destination6 destination6_of(Kernel& k, const sock* sk, const OutMessage& message) {
  const sock_common& c = sk->common;
  const Address* to = message.to;
  bool named = to != nullptr && to->family != AF_UNSPEC;  // AF_UNSPEC: to where the socket is connected to
  Destination6 out;
  if (named) {
    if (to->family == AF_INET) {
      out.v4 = *to;
      return out;
    }
    if (to->family != AF_INET6 || sockaddr_size(*to) < 24) return {.error = k.error(Rule::address_too_short, sk)};
    out.daddr = in6_make(k, to->ip6);
    out.dport = to->port;
    if (out.daddr.any() && c.skc_v6_rcv_saddr.get().v4mapped()) out.daddr = in6_mapped(k, kLoopback);
  } else if (udp_sk(sk)->pending == 0) {
    if (tcp_state(sk) != TcpState::ESTABLISHED) return {.error = k.error(Rule::send_no_destination, sk)};
    out.daddr = c.skc_v6_daddr;
    out.dport = c.skc_dport;
  }
  if (out.daddr.v4mapped())
    out.v4 = Address{in6_v4(k, out.daddr), out.dport};
  else if (named && out.dport == 0 && udp_sk(sk)->pending == 0)
    out.error = k.error(Rule::send_port_zero, sk);
  return out;
}

}  // namespace

long udpv6_connect(Kernel& k, sock* sk, const Address& to) {
  Call call(k, Fn::udpv6_connect, sk);
  lock_sock(k, sk);
  long error = __ip6_datagram_connect(k, sk, to);
  release_sock(k, sk);
  return call.result(error);
}

MaySleep<long> udpv6_sendmsg(Kernel& k, sock* sk, OutMessage& message) {
  Call call(k, Fn::udpv6_sendmsg, sk);
  Destination6 to = destination6_of(k, sk, message);
  if (to.error != 0) co_return call.result(to.error);
  if (to.v4) {  // a datagram to an IPv4 address, plain or mapped, goes the way of IPv4
    if (sk->common.skc_ipv6only) co_return call.result(k.error(Rule::connect_no_route, sk));
    const Address* named = message.to;
    message.to = &*to.v4;
    long sent = co_await udp_sendmsg(k, sk, message);
    message.to = named;
    co_return call.result(sent);
  }
  if (udp_sk(sk)->pending == AF_INET) co_return call.result(co_await udp_sendmsg(k, sk, message));
  if (udp_sk(sk)->pending != 0) co_return call.result(udp_append(k, sk, message, {.family = AF_INET6}));
  if (to.daddr.any()) to.daddr = in6_loopback(k);
  if (to.daddr != in6_loopback(k)) co_return call.result(k.error(Rule::connect_no_route, sk));
  if (sk->common.skc_v6_rcv_saddr.get().v4mapped()) co_return call.result(k.error(Rule::route_from_mapped, sk));
  if (udp_corks(sk, message))
    co_return call.result(udp_append(k, sk, message, {.family = AF_INET6, .daddr6 = to.daddr, .dport = to.dport}));
  long error = 0;
  sk_buff* skb = ip6_make_skb(k, sk, user_payload(k, message.data, message.size), &error);
  if (skb != nullptr && !user_has(k, message.data, message.size)) {
    kfree_skb(k, skb);
    co_return call.result(k.error(Rule::bad_address, sk));
  }
  if (skb == nullptr) co_return call.result(error);
  udp_v6_send_skb(k, sk, skb, to.daddr, to.dport);
  co_return call.result(static_cast<long>(message.size));
}

const proto udpv6_prot = [] {
  proto prot = udp_prot;
  prot.name = "UDPv6";
  prot.connect = udpv6_connect;
  prot.sendmsg = udpv6_sendmsg;
  return prot;
}();

}  // namespace wakepath::kernel
