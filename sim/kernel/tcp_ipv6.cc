// Models: tcp_v6_connect() and tcpv6_prot of net/ipv6/tcp_ipv6.c, Linux 6.18. The way up is that of IPv4 under its own
// names. Left out: flow labels, addresses that need a device.

#include "sim/kernel/ipv6.hh"
#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp.hh"

namespace wakepath::kernel {

namespace {

/// TCP over IPv4.
long connect_mapped(Kernel& k, sock* sk, In6 daddr, u16 port) {
  if (sk->common.skc_ipv6only) return k.error(Rule::connect_no_route, sk);
  inet_connection_sock* icsk = inet_csk(sk);
  icsk->icsk_af_ops = &ipv6_mapped;
  long error = tcp_v4_connect(k, sk, Address{in6_v4(k, daddr), port});
  if (error != 0) icsk->icsk_af_ops = &ipv6_specific;
  return error;
}

int tcp_v6_init_sock(Kernel& k, sock* sk) {
  inet_csk(sk)->icsk_af_ops = &ipv6_specific;
  return tcp_init_sock(k, sk);
}

void forget_peer(Kernel& k, sock* sk) {
  sk->common.skc_v6_daddr = In6{};
  sk->common.skc_daddr = record::Ipv4{0};
  sk->common.skc_dport = static_cast<u16>(0);
  if ((sk->sk_userlocks & SOCK_BINDADDR_LOCK) == 0) {
    inet_reset_saddr(sk);
    inet_bhash2_update_saddr(k, sk);
  }
}

}  // namespace

long tcp_v6_connect(Kernel& k, sock* sk, const Address& to) {
  Call call(k, Fn::tcp_v6_connect, sk);
  if (sockaddr_size(to) < 24) return call.result(k.error(Rule::address_too_short, sk));
  if (to.family != AF_INET6) return call.result(k.error(Rule::address_of_another_family, sk));
  In6 daddr = in6_make(k, to.ip6);
  In6 own = sk->common.skc_v6_rcv_saddr;
  if (daddr.any()) daddr = own.v4mapped() ? in6_mapped(k, kLoopback) : in6_loopback(k);  // "::" means loopback
  if (in6_is_multicast(k, daddr)) return call.result(k.error(Rule::connect_no_route, sk));
  if (in6_needs_scope(k, daddr)) return call.result(k.error(Rule::address_needs_device, sk));
  if (daddr.v4mapped()) return call.result(connect_mapped(k, sk, daddr, to.port));
  if (daddr != in6_loopback(k)) return call.result(k.error(Rule::connect_no_route, sk));
  if (own.v4mapped()) return call.result(k.error(Rule::route_from_mapped, sk));
  sk->common.skc_v6_daddr = daddr;
  if (own.any()) {
    sk->common.skc_v6_rcv_saddr = in6_loopback(k);
    sk->common.skc_rcv_saddr = record::Ipv4{LOOPBACK4_IPV6};
    inet_sk(sk)->inet_saddr = record::Ipv4{LOOPBACK4_IPV6};
    inet_bhash2_update_saddr(k, sk);
  }
  sk->common.skc_dport = to.port;
  long error = tcp_start_connect(k, sk);
  if (error != 0) {
    tcp_set_state(k, sk, TcpState::CLOSE);
    forget_peer(k, sk);
  }
  return call.result(error);
}

const inet_connection_sock_af_ops ipv6_specific = {inet6_csk_xmit, true};
const inet_connection_sock_af_ops ipv6_mapped = {__ip_queue_xmit, false};

const proto tcpv6_prot = [] {
  proto prot = tcp_prot;
  prot.name = "TCPv6";
  prot.init = tcp_v6_init_sock;
  prot.connect = tcp_v6_connect;
  return prot;
}();

}  // namespace wakepath::kernel
