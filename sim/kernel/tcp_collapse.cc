// Models: a receive buffer that is too full, net/ipv4/tcp_input.c, Linux 6.18: tcp_try_rmem_schedule(),
// tcp_prune_queue(), tcp_clamp_window(), tcp_collapse(). Left out: memory limits of the whole protocol, collapsing what
// is out of order.

#include <algorithm>
#include <bit>

#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp.hh"

namespace wakepath::kernel {

namespace {

constexpr u32 kPage = 4096;
constexpr u32 kSharedInfo = 320;  // skb_shared_info
constexpr u32 kStruct = 256;      // sk_buff
constexpr u32 kSmallHead = 576;   // SKB_SMALL_HEAD_CACHE_SIZE

/// Measured on 6.18.44: what is queued counts, not what comes (6.18.0 counted both). So one segment may overshoot.
bool tcp_can_ingest(const sock* sk) { return sk->sk_rmem_alloc <= sk->sk_rcvbuf; }

/// The room of a head that alloc_skb() makes for so many bytes of data: kmalloc() rounds up.
u32 head_for(u32 data) {
  const u32 bytes = (data + 63) / 64 * 64 + kSharedInfo;
  return bytes <= kSmallHead ? kSmallHead : std::bit_ceil(bytes);
}

/// A buffer of the default size grows to what it holds; else the window does not grow any more.
void tcp_clamp_window(Kernel& k, sock* sk) {
  Call call(k, Fn::tcp_clamp_window, sk);
  tcp_sock* tp = tcp_sk(sk);
  const int most = k.config.tcp_rmem[2];
  if (inet_csk(sk)->icsk_ack_quick != 0) inet_csk(sk)->icsk_ack_quick = static_cast<u8>(0);
  if (sk->sk_rcvbuf < most && (sk->sk_userlocks & SOCK_RCVBUF_LOCK) == 0)
    sk->sk_rcvbuf = std::min(sk->sk_rmem_alloc.get(), most);
  if (sk->sk_rmem_alloc > sk->sk_rcvbuf)
    tp->rcv_ssthresh = std::min(tp->window_clamp.get(), 2 * tcp_full_mss(tcp_over_v6(sk)));
}

/// Has the segment more overhead than windows are reckoned with, or was some of it read?
bool is_bloated(const sock* sk, const sk_buff* skb, u32 start) {
  return tcp_win_from_space(sk, static_cast<int>(skb->truesize)) > static_cast<int>(skb->len.get()) ||
         before(skb->seq, start);
}

void drop_collapsed(Kernel& k, sock* sk, sk_buff* skb) {
  sk->sk_receive_queue.list.erase(skb);
  --sk->sk_receive_queue.qlen;
  sock_rfree(k, sk, skb->truesize);
  kfree_skb(k, skb);
}

/// Where collapsing begins to be useful; `*start` moves along. What was read wholly goes. nullptr: nowhere.
sk_buff* first_to_collapse(Kernel& k, sock* sk, u32* start) {
  sk_buff* skb = sk->sk_receive_queue.list.front();
  while (skb != nullptr) {
    sk_buff* next = skb->node.next;
    if (!before(*start, skb->end_seq)) {
      drop_collapsed(k, sk, skb);
    } else if ((skb->flags & (TCPHDR_SYN | TCPHDR_FIN)) == 0 && is_bloated(sk, skb, *start)) {
      return skb;
    } else {
      *start = skb->end_seq;
    }
    skb = next;
  }
  return nullptr;
}

/// One page of what is queued from `*start` on, in front of `*skb`, where it goes on then. nullptr: nothing more.
void collapse_page(Kernel& k, sock* sk, sk_buff** skb, u32* start, u32 end) {
  u32 room = std::min(kPage - kSharedInfo, end - *start);
  const u32 head = head_for(room);
  sk_buff* made = alloc_skb(k, sk, "", kStruct + head);
  if (made == nullptr) {
    *skb = nullptr;
    return;
  }
  made->seq = *start;
  made->end_seq = *start;
  made->flags = (*skb)->flags.get();
  made->source = (*skb)->source.get();
  made->dest = (*skb)->dest.get();
  made->nr_frags = 0;
  const u32 charged = made->truesize;
  sk->sk_receive_queue.list.insert_behind(sk->sk_receive_queue.list.prev(*skb), made);
  ++sk->sk_receive_queue.qlen;
  sk_mem_charge(sk, charged);
  while (room > 0 && *skb != nullptr) {
    const u32 size = std::min(room, (*skb)->end_seq - *start);
    skb_append(k, made, (*skb)->payload.view().substr(*start - (*skb)->seq, size));
    room -= size;
    *start += size;
    if (before(*start, (*skb)->end_seq)) break;
    sk_buff* next = (*skb)->node.next;
    drop_collapsed(k, sk, *skb);
    *skb = next != nullptr && (next->flags & (TCPHDR_SYN | TCPHDR_FIN)) != 0 ? nullptr : next;
  }
  made->truesize = charged;  // the head was charged whole
  made->tailroom = static_cast<u16>(head - kSharedInfo - made->len);
}

void tcp_collapse(Kernel& k, sock* sk) {
  Call call(k, Fn::tcp_collapse, sk);
  k.rule(Rule::tcp_collapses, sk);
  const tcp_sock* tp = tcp_sk(sk);
  u32 start = tp->copied_seq;
  sk_buff* skb = first_to_collapse(k, sk, &start);
  while (skb != nullptr && before(start, tp->rcv_nxt)) collapse_page(k, sk, &skb, &start, tp->rcv_nxt);
}

/// What is out of order goes, the last first, as the peer has it still: all behind `incoming`, an eighth of the buffer
/// at a time until there is room.
void tcp_prune_ofo_queue(Kernel& k, sock* sk, const sk_buff* incoming) {
  tcp_sock* tp = tcp_sk(sk);
  int goal = sk->sk_rcvbuf >> 3;
  while (sk_buff* last = tp->out_of_order_queue.back()) {
    if (after(incoming->seq, last->seq)) return;
    tp->out_of_order_queue.erase(last);
    sock_rfree(k, sk, last->truesize);
    goal -= static_cast<int>(last->truesize.get());
    kfree_skb(k, last);
    if (goal > 0) continue;
    if (tcp_can_ingest(sk)) return;
    goal = sk->sk_rcvbuf >> 3;
  }
}

/// False: there is no room for `incoming`, whatever is done.
bool tcp_prune_queue(Kernel& k, sock* sk, const sk_buff* incoming) {
  Call call(k, Fn::tcp_prune_queue, sk);
  tcp_clamp_window(k, sk);
  if (tcp_can_ingest(sk)) return call.result(true);
  tcp_collapse(k, sk);
  if (tcp_can_ingest(sk)) return call.result(true);
  tcp_prune_ofo_queue(k, sk, incoming);
  if (tcp_can_ingest(sk)) return call.result(true);
  k.rule(Rule::tcp_no_room, sk);
  tcp_sk(sk)->fast_path = false;
  return call.result(false);
}

}  // namespace

bool tcp_try_rmem_schedule(Kernel& k, sock* sk, const sk_buff* skb) {
  return tcp_can_ingest(sk) || tcp_prune_queue(k, sk, skb);
}

}  // namespace wakepath::kernel
