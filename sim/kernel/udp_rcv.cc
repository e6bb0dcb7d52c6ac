// Models: the way up of net/ipv4/udp.c, Linux 6.18: from a datagram to the queue of the socket that it is for.
// Left out: the per-node lists in front of the queue (udp_prod_queue, 6.18), which only matter when several CPUs
// receive for one socket; checksums, encapsulation, socket filters, early demultiplexing.

#include "sim/kernel/datagram.hh"
#include "sim/kernel/ipv6.hh"
#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp.hh"
#include "sim/kernel/udp.hh"

namespace wakepath::kernel {

namespace {

/// Order as on 6.18: the queue's length, then its memory, then the reader is told. False: no room, the datagram is
/// lost.
bool __udp_enqueue_schedule_skb(Kernel& k, sock* sk, sk_buff* skb) {
  Call call(k, Fn::__udp_enqueue_schedule_skb, sk);
  int size = static_cast<int>(skb->truesize.get());
  bool full = sk->sk_rmem_alloc + size > sk->sk_rcvbuf && sk->sk_rmem_alloc > 0;  // the first one always fits
  if (full) {
    ++udp_sk(sk)->sk_drops;
    return call.result(false);
  }
  sk_rmem_schedule(sk, static_cast<u32>(size));
  __skb_queue_tail(sk->sk_receive_queue, skb);
  sk_mem_charge(sk, static_cast<u32>(size));
  if (!sock_flag(sk, SOCK_DEAD_BIT)) sk->sk_data_ready(k, sk);
  return call.result(true);
}

void udp_queue_rcv_skb(Kernel& k, sock* sk, sk_buff* skb) {
  Call call(k, skb->v6 ? Fn::udpv6_queue_rcv_skb : Fn::udp_queue_rcv_skb, sk);
  Call one(k, skb->v6 ? Fn::udpv6_queue_rcv_one_skb : Fn::udp_queue_rcv_one_skb, sk);
  Call queue(k, Fn::__udp_queue_rcv_skb, sk);
  if (__udp_enqueue_schedule_skb(k, sk, skb)) return;
  k.rule(Rule::udp_receive_buffer_full, sk);
  Call drop(k, Fn::sk_skb_reason_drop, skb);
  k.skbs.free(skb);
}

void udp_unicast_rcv_skb(Kernel& k, sock* sk, sk_buff* skb) {
  Call call(k, skb->v6 ? Fn::udp6_unicast_rcv_skb : Fn::udp_unicast_rcv_skb, sk);
  udp_queue_rcv_skb(k, sk, skb);
}

sock* udp_lib_lookup(Kernel& k, const inet_flow& flow) {
  return flow.v6 ? __udp6_lib_lookup(k, flow) : __udp4_lib_lookup(k, flow);
}

/// Does a socket of the port hear what is sent to everybody?
bool __udp_is_mcast_sock(const sock* sk, const sk_buff* skb) {
  const sock_common& c = sk->common;
  u32 peer = c.skc_daddr.get().value;
  u32 own = c.skc_rcv_saddr.get().value;
  return (peer == 0 || peer == skb->saddr) && (c.skc_dport == 0 || c.skc_dport == skb->source) &&
         (own == 0 || own == skb->daddr) && !c.skc_ipv6only &&
         (c.skc_family == AF_INET || inet_addr_type(skb->daddr) != RouteType::RTN_MULTICAST);  // ip_mc_sf_allow()
}

/// A broadcast or multicast: every socket of the port gets its own copy, the first of them the original, last.
void __udp4_lib_mcast_deliver(Kernel& k, sk_buff* skb) {
  Call call(k, Fn::__udp4_lib_mcast_deliver, skb);
  sock* first = nullptr;
  if (udp_hslot* slot = udp_hashslot(k, skb->dest)) {
    for (sock_common* entry : slot->head) {
      auto* sk = reinterpret_cast<sock*>(entry);
      if (!__udp_is_mcast_sock(sk, skb)) continue;
      if (first == nullptr)
        first = sk;
      else
        udp_queue_rcv_skb(k, sk, skb_clone(k, skb));
    }
  }
  if (first != nullptr)
    udp_queue_rcv_skb(k, first, skb);
  else
    kfree_skb(k, skb);
}

}  // namespace

void udp_rcv(Kernel& k, sk_buff* skb) {
  if (skb->to_nobody) {  // Linux: dst_discard(), before UDP sees it
    kfree_skb(k, skb);
    return;
  }
  Call call(k, skb->v6 ? Fn::udpv6_rcv : Fn::udp_rcv, skb);
  Call lib(k, skb->v6 ? Fn::__udp6_lib_rcv : Fn::__udp4_lib_rcv, skb);
  if (skb->to_many) {
    __udp4_lib_mcast_deliver(k, skb);
    return;
  }
  if (sock* sk = udp_lib_lookup(k, flow_of(skb))) {
    udp_unicast_rcv_skb(k, sk, skb);
    return;
  }
  k.rule(Rule::udp_no_socket, skb);
  if (skb->v6)
    icmp6_send_port_unreachable(k, skb);
  else
    icmp_send_port_unreachable(k, skb);
  Call drop(k, Fn::sk_skb_reason_drop, skb);
  k.skbs.free(skb);
}

void udp_err(Kernel& k, const inet_flow& quote) {
  Call call(k, quote.v6 ? Fn::udpv6_err : Fn::udp_err, nullptr);
  Call lib(k, quote.v6 ? Fn::__udp6_lib_err : Fn::__udp4_lib_err, nullptr);
  sock* sk = udp_lib_lookup(
      k, {quote.v6, quote.daddr, quote.saddr, quote.daddr6, quote.saddr6, quote.dest, quote.source});  // as an answer
  if (sk == nullptr || tcp_state(sk) != TcpState::ESTABLISHED) return;  // the others are not told
  sk->sk_err = ECONNREFUSED;
  sk_error_report(k, sk);
}

}  // namespace wakepath::kernel
