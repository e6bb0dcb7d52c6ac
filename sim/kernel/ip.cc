// Models: net/ipv4/route.c (what loopback knows), ip_output.c (datagrams) and icmp.c (port unreachable) of Linux 6.18.
// Left out: every route but those of lo, every group but 224.0.0.1, fragments (the largest datagram fits loopback's mtu
// of 65536), every other ICMP message, rate limits of ICMP (loopback is exempt).

#include "sim/kernel/ip.hh"

#include <bit>
#include <cstring>

#include "sim/kernel/datagram.hh"
#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp.hh"
#include "sim/kernel/udp.hh"

namespace wakepath::kernel {

namespace {

constexpr u32 kMaxPacket = 0xffff;
constexpr u32 kHeaders = 28;  // IP and UDP

}  // namespace

u32 datagram_truesize(std::size_t size, bool v6) {
  constexpr u32 kSkb = 256;               // the sk_buff itself
  constexpr u32 kShared = 320;            // skb_shared_info
  constexpr u32 kSmallHead = 576;         // skbuff_small_head
  const u32 in_front = v6 ? 72 : 59;      // room for all headers
  const u32 linear = v6 ? 15992 : 16005;  // from here on the data is in pages
  auto bytes = static_cast<u32>(size);
  if (bytes >= linear) return kSmallHead + kSkb + bytes;
  u32 head = bytes + in_front + kShared;
  return (head <= kSmallHead ? kSmallHead : std::bit_ceil(head)) + kSkb;
}

inet_flow flow_of(const sk_buff* skb) {
  return {skb->v6, skb->saddr, skb->daddr, skb->saddr6, skb->daddr6, skb->source.get(), skb->dest.get()};
}

RouteType inet_addr_type(u32 ip) {
  if (ip == 0 || ip == INADDR_BROADCAST || ip == 0x7fffffff) return RouteType::RTN_BROADCAST;
  if ((ip >> 28) == 14) return RouteType::RTN_MULTICAST;
  return (ip >> 24) == 127 ? RouteType::RTN_LOCAL : RouteType::RTN_UNICAST;
}

rtable ip_route_output(u32 saddr, u32 daddr) {
  if (daddr == 0) daddr = saddr != 0 ? saddr : kLoopback;
  RouteType type = inet_addr_type(daddr);
  bool multicast = type == RouteType::RTN_MULTICAST;
  bool of_source = saddr != 0 && (multicast || daddr == INADDR_BROADCAST);
  return {(daddr >> 24) == 127 || of_source, saddr != 0 ? saddr : kLoopback, daddr, type == RouteType::RTN_BROADCAST,
          multicast};
}

void skb_dst_set(sk_buff* skb, const rtable& route) {
  constexpr u32 kAllHosts = 0xE0000001;  // INADDR_ALLHOSTS_GROUP, the one group that lo is in
  skb->to_many = route.broadcast || route.multicast;
  skb->to_nobody = route.multicast && route.daddr != kAllHosts;
}

void inet_reset_saddr(sock* sk) {
  sk->common.skc_rcv_saddr = record::Ipv4{0};
  if (sk->common.skc_family == AF_INET6) sk->common.skc_v6_rcv_saddr = In6{};
  inet_sk(sk)->inet_saddr = record::Ipv4{0};
}

sk_buff* ip_make_skb(Kernel& k, sock* sk, Payload payload, long* error) {
  Call call(k, Fn::ip_make_skb, sk);
  Call append(k, Fn::__ip_append_data, sk);
  if (payload.size() + kHeaders > kMaxPacket) {
    *error = k.error(Rule::send_too_long, sk);
    return nullptr;
  }
  u32 truesize = datagram_truesize(payload.size(), false);
  return sock_alloc_send_pskb(k, sk, std::move(payload), truesize, error);
}

void ip_send_skb(Kernel& k, sk_buff* skb) {
  Call call(k, Fn::ip_send_skb, skb);
  ip_output(k, skb);
}

std::string quote_of(const sk_buff* skb) {
  inet_flow quote = flow_of(skb);
  return {reinterpret_cast<const char*>(&quote), sizeof quote};
}

inet_flow quoted_flow(const sk_buff* icmp) {
  inet_flow quote;
  std::memcpy(&quote, icmp->payload.data(), sizeof quote);
  return quote;
}

void icmp_send_port_unreachable(Kernel& k, const sk_buff* skb) {
  Call call(k, Fn::__icmp_send, skb);
  Call push(k, Fn::icmp_push_reply, nullptr);
  sk_buff* reply = nullptr;
  {
    Call append(k, Fn::__ip_append_data, nullptr);
    reply = alloc_skb(k, nullptr, quote_of(skb));
  }
  if (reply == nullptr) return;
  reply->protocol = IPPROTO_ICMP;
  reply->saddr = skb->daddr;
  reply->daddr = skb->saddr;
  Call pending(k, Fn::ip_push_pending_frames, reply);
  ip_send_skb(k, reply);
}

void icmp_rcv(Kernel& k, sk_buff* skb) {
  Call call(k, Fn::icmp_rcv, skb);
  {
    Call unreach(k, Fn::icmp_unreach, skb);
    Call deliver(k, Fn::icmp_socket_deliver, skb);
    udp_err(k, quoted_flow(skb));
  }
  Call consume(k, Fn::consume_skb, skb);
  k.skbs.free(skb);
}

}  // namespace wakepath::kernel
