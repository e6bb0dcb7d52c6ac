// Models: net/ipv6/ip6_output.c, ip6_input.c, inet6_connection_sock.c (the way down) and icmp.c (port unreachable) of
// Linux 6.18.
// Left out: every route but that of ::1, extension headers, fragments (datagrams above 65,488 bytes), every other
// ICMPv6 message.

#include "sim/kernel/datagram.hh"
#include "sim/kernel/ipv6.hh"
#include "sim/kernel/kernel.hh"
#include "sim/kernel/net_dev.hh"
#include "sim/kernel/tcp.hh"
#include "sim/kernel/udp.hh"

namespace wakepath::kernel {

namespace {

constexpr std::size_t kMaxPayload = 65535 - 8;  // IPV6_MAXPLEN without the UDP header

void ip6_output(Kernel& k, sk_buff* skb) {
  Call call(k, Fn::ip6_output, skb);
  Call finish(k, Fn::ip6_finish_output, skb);
  Call neighbour(k, Fn::ip6_finish_output2, skb);
  __dev_queue_xmit(k, skb);
}

void icmpv6_rcv(Kernel& k, sk_buff* skb) {
  Call call(k, Fn::icmpv6_rcv, skb);
  {
    Call notify(k, Fn::icmpv6_notify, skb);
    udp_err(k, quoted_flow(skb));
  }
  Call drop(k, Fn::sk_skb_reason_drop, skb);
  k.skbs.free(skb);
}

}  // namespace

void ip6_xmit(Kernel& k, sk_buff* skb) {
  Call call(k, Fn::ip6_xmit, skb);
  ip6_output(k, skb);
}

void inet6_csk_xmit(Kernel& k, sk_buff* skb) {
  Call call(k, Fn::inet6_csk_xmit, skb);
  ip6_xmit(k, skb);
}

sk_buff* ip6_make_skb(Kernel& k, sock* sk, Payload payload, long* error) {
  Call call(k, Fn::ip6_make_skb, sk);
  Call append(k, Fn::__ip6_append_data, sk);
  if (payload.size() > kMaxPayload) {
    *error = k.error(Rule::send_too_long, sk);
    return nullptr;
  }
  u32 truesize = datagram_truesize(payload.size(), true);
  return sock_alloc_send_pskb(k, sk, std::move(payload), truesize, error);
}

void ip6_send_skb(Kernel& k, sk_buff* skb) {
  Call call(k, Fn::ip6_send_skb, skb);
  ip6_output(k, skb);
}

void ipv6_rcv(Kernel& k, sk_buff* skb) {
  Call call(k, Fn::ipv6_rcv, skb);
  Call input(k, Fn::ip6_input, skb);
  Call finish(k, Fn::ip6_input_finish, skb);
  Call deliver(k, Fn::ip6_protocol_deliver_rcu, skb);
  switch (skb->protocol) {
    case IPPROTO_UDP:
      udp_rcv(k, skb);
      break;
    case IPPROTO_ICMPV6:
      icmpv6_rcv(k, skb);
      break;
    default:
      tcp_v4_rcv(k, skb);
      break;
  }
}

void icmp6_send_port_unreachable(Kernel& k, const sk_buff* skb) {
  Call call(k, Fn::icmp6_send, skb);
  sk_buff* reply = nullptr;
  {
    Call append(k, Fn::ip6_append_data, nullptr);
    Call data(k, Fn::__ip6_append_data, nullptr);
    Call send(k, Fn::sock_alloc_send_pskb, nullptr);
    Call frags(k, Fn::alloc_skb_with_frags, nullptr);
    reply = alloc_skb(k, nullptr, quote_of(skb));
  }
  if (reply == nullptr) return;
  reply->protocol = IPPROTO_ICMPV6;
  reply->v6 = true;
  reply->saddr6 = skb->daddr6;
  reply->daddr6 = skb->saddr6;
  Call push(k, Fn::icmpv6_push_pending_frames, reply);
  ip6_send_skb(k, reply);
}

}  // namespace wakepath::kernel
