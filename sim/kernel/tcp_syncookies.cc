// Models: net/ipv4/syncookies.c of Linux 6.18: a listener whose SYN queue is full keeps nothing; what it would have
// kept stands in the sequence number of its SYN-ACK, which the client's ACK brings back.
// Left out: the secret keys and the minute counter of the number (here it is a plain mixture of the addresses and the
// client's number, so that a run is repeatable), options that Linux hides in the timestamp (here they are never lost).

#include <array>

#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp.hh"

namespace wakepath::kernel {

namespace {

constexpr u32 kCookieValidMs = 120'000;  // TCP_SYNCOOKIE_VALID

using SegmentSizes = std::array<u16, 4>;

/// All sizes of segments that a cookie has room for: the peer's is rounded down to one of them.
constexpr SegmentSizes msstab(bool v6) {
  return v6 ? SegmentSizes{1280 - 60, 1480 - 60, 1500 - 60, 9000 - 60} : SegmentSizes{536, 1300, 1440, 1460};
}

/// The last that is not above `mss`, or the first.
u32 index_of(const SegmentSizes& sizes, u16 mss) {
  u32 index = static_cast<u32>(sizes.size()) - 1;
  while (index > 0 && mss < sizes[index]) --index;
  return index;
}

u32 cookie_of(u32 saddr, u16 sport, u32 daddr, u16 dport, u32 client_isn) {
  u32 mixed = saddr * 2654435761u ^ daddr * 40503u ^ (static_cast<u32>(sport) << 16 | dport);
  return (mixed ^ mixed >> 15) * 2246822519u + client_isn;
}

/// Cookies are believed for two minutes after the last one was sent.
bool tcp_synq_no_recent_overflow(const Kernel& k, const sock* listener) {
  u32 last = tcp_sk(listener)->synq_overflow_ts;
  return last == 0 || tcp_stamp_ms(k) - last > kCookieValidMs;
}

/// The child of a cookie goes straight to the accept queue: there never was a request on the SYN queue.
sock* tcp_get_cookie_sock(Kernel& k, sock* listener, tcp_request_sock* req) {
  Call call(k, Fn::tcp_get_cookie_sock, listener);
  sock* child = tcp_v4_syn_recv_sock(k, listener, req);
  if (child == nullptr) {
    reqsk_free(k, req);
    return nullptr;
  }
  ehash_insert(k, &child->common);
  inet_csk_reqsk_queue_add(k, listener, req, child);
  return child;
}

}  // namespace

u32 cookie_v4_init_sequence(Kernel& k, sock* listener, const sk_buff* syn, u16 mss) {
  Call call(k, syn->v6 ? Fn::cookie_v6_init_sequence : Fn::cookie_v4_init_sequence, listener);
  tcp_sk(listener)->synq_overflow_ts = tcp_stamp_ms(k);
  return cookie_of(syn->saddr, syn->source, syn->daddr, syn->dest, syn->seq) + index_of(msstab(syn->v6), mss);
}

sock* cookie_v4_check(Kernel& k, sock* listener, sk_buff* skb) {
  if (k.config.tcp_syncookies == 0 || (skb->flags & TCPHDR_RST) != 0) return listener;
  Call call(k, skb->v6 ? Fn::cookie_v6_check : Fn::cookie_v4_check, listener);
  u32 client_isn = skb->seq - 1;
  u32 cookie = skb->ack_seq - 1;
  u32 index = cookie - cookie_of(skb->saddr, skb->source, skb->daddr, skb->dest, client_isn);
  const SegmentSizes sizes = msstab(skb->v6);
  if (tcp_synq_no_recent_overflow(k, listener) || index >= sizes.size()) return listener;
  tcp_request_sock* req = inet_reqsk_alloc(k, listener, skb, false);
  if (req == nullptr) return nullptr;
  req->rcv_isn = client_isn;
  req->snt_isn = cookie;
  req->mss = sizes[index];
  tcp_openreq_init_rwin(k, listener, req, req->mss);
  k.rule(Rule::syn_cookie_came_back, listener);
  return tcp_get_cookie_sock(k, listener, req);
}

}  // namespace wakepath::kernel
