// Models: of net/ipv4/udp.c, ip_output.c and their IPv6 twins, Linux 6.18: datagrams that grow over several calls
// (UDP_CORK, MSG_MORE). Left out: what grows beyond one packet of lo (65,535 bytes, IPv6 alone allows a little more).

#include <netinet/udp.h>

#include "sim/kernel/ipv6.hh"
#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp.hh"
#include "sim/kernel/uaccess.hh"
#include "sim/kernel/udp.hh"

namespace wakepath::kernel {

namespace {

constexpr std::size_t kUdpHeader = 8;
constexpr std::size_t kMost4 = 65535 - 20;  ///< Of a datagram with its header: an IPv4 packet without its own.
constexpr std::size_t kMost6 = 65535;       ///< IPV6_MAXPLEN

/// The first part: a packet as that of any datagram, but it stays on sk_write_queue. Over IPv6 its address is settled
/// here.
long begin(Kernel& k, sock* sk, const OutMessage& message, const UdpCork& cork) {
  bool v6 = cork.family == AF_INET6;
  Call call(k, v6 ? Fn::ip6_append_data : Fn::ip_append_data, sk);
  Payload payload = user_payload(k, message.data, message.size);
  if (payload.size() + kUdpHeader > (v6 ? kMost6 : kMost4)) return call.result(k.error(Rule::send_too_long, sk));
  long error = 0;
  u32 truesize = datagram_truesize(payload.size(), v6);
  sk_buff* skb = sock_alloc_send_pskb(k, sk, std::move(payload), truesize, &error);
  if (skb == nullptr) return call.result(error);
  if (!user_has(k, message.data, message.size)) {
    kfree_skb(k, skb);
    return call.result(k.error(Rule::bad_address, sk));
  }
  skb->protocol = IPPROTO_UDP;
  skb->v6 = v6;
  if (v6) {
    skb->saddr6 = in6_loopback(k);
    skb->daddr6 = cork.daddr6;
    skb->dest = cork.dport;
  } else {
    skb_dst_set(skb, cork.route);
  }
  __skb_queue_tail(sk->sk_write_queue, skb);
  return call.result(0);
}

/// A further part goes into pages behind what is there; the socket is charged with its bytes alone.
long append(Kernel& k, sock* sk, const OutMessage& message) {
  sk_buff* skb = sk->sk_write_queue.list.front();
  Call call(k, skb->v6 ? Fn::ip6_append_data : Fn::ip_append_data, sk);
  if (skb->len + kUdpHeader + message.size > (skb->v6 ? kMost6 : kMost4))
    return call.result(k.error(Rule::send_too_long, sk));
  if (!user_has(k, message.data, message.size)) return call.result(k.error(Rule::bad_address_loses, sk));
  skb->payload.append({message.data, message.size});
  skb->len += static_cast<u32>(message.size);
  skb->truesize += static_cast<u32>(message.size);
  sk->sk_wmem_alloc += static_cast<int>(message.size);
  return call.result(0);
}

void udp_push_pending_frames(Kernel& k, sock* sk) {
  udp_sock* up = udp_sk(sk);
  Call call(k, up->pending == AF_INET6 ? Fn::udp_v6_push_pending_frames : Fn::udp_push_pending_frames, sk);
  if (sk_buff* skb = __skb_dequeue(sk->sk_write_queue)) {
    skb->source = inet_sk(sk)->inet_sport;
    if (!skb->v6) {
      skb->saddr = up->fl4_saddr.get().value;
      skb->daddr = up->fl4_daddr.get().value;
      skb->dest = up->fl4_dport;
    }
    Call send(k, skb->v6 ? Fn::udp_v6_send_skb : Fn::udp_send_skb, skb);
    skb->v6 ? ip6_send_skb(k, skb) : ip_send_skb(k, skb);
  }
  up->len = 0u;
  up->pending = 0;
}

}  // namespace

bool udp_corks(const sock* sk, const OutMessage& message) {
  return udp_sk(sk)->corkflag || (message.flags & MSG_MORE) != 0;
}

long udp_append(Kernel& k, sock* sk, const OutMessage& message, const UdpCork& cork) {
  udp_sock* up = udp_sk(sk);
  if (up->pending != 0 && up->pending != cork.family) return k.error(Rule::udp_cork_of_another_family, sk);
  lock_sock(k, sk);
  bool first = up->pending == 0;
  up->pending = cork.family;
  // stays even when this fails
  if (first && cork.family == AF_INET) udp_set_flow(sk, cork.route.saddr, cork.route.daddr, cork.dport);
  up->len += static_cast<u16>(message.size + (first ? kUdpHeader : 0));
  long error = first ? begin(k, sk, message, cork) : append(k, sk, message);
  if (error != 0)
    udp_flush_pending_frames(k, sk);
  else if (udp_corks(sk, message))
    k.rule(Rule::udp_cork_holds, sk);
  else
    udp_push_pending_frames(k, sk);
  release_sock(k, sk);
  return error != 0 ? error : static_cast<long>(message.size);
}

void udp_flush_pending_frames(Kernel& k, sock* sk) {
  udp_sock* up = udp_sk(sk);
  if (up->pending == 0) return;
  Call call(k, Fn::udp_flush_pending_frames, sk);
  up->len = 0u;
  up->pending = 0;
  if (sk_buff* skb = __skb_dequeue(sk->sk_write_queue)) kfree_skb(k, skb);
}

void udp_set_flow(sock* sk, u32 saddr, u32 daddr, u16 dport) {
  udp_sock* up = udp_sk(sk);
  up->fl4_saddr = record::Ipv4{saddr};
  up->fl4_daddr = record::Ipv4{daddr};
  up->fl4_dport = dport;
}

long udp_setsockopt(Kernel& k, sock* sk, int option, OptionValue value) {
  Call call(k, Fn::udp_lib_setsockopt, sk);
  if (value.empty()) return call.result(k.error(Rule::option_too_short, sk));
  if (!is_there(value)) return call.result(k.error(Rule::bad_address, sk));
  if (option != UDP_CORK) return call.result(k.error(Rule::option_unknown, sk));
  udp_sk(sk)->corkflag = value[0] != 0;
  if (value[0] == 0) {
    lock_sock(k, sk);
    udp_push_pending_frames(k, sk);
    release_sock(k, sk);
  }
  return call.result(0);
}

long udp_getsockopt(Kernel& k, sock* sk, int option, std::vector<int>* value) {
  Call call(k, Fn::udp_lib_getsockopt, sk);
  if (value == nullptr) return call.result(k.error(Rule::bad_address, sk));
  if (option != UDP_CORK) return call.result(k.error(Rule::option_unknown, sk));
  *value = {udp_sk(sk)->corkflag ? 1 : 0};
  return call.result(0);
}

}  // namespace wakepath::kernel
