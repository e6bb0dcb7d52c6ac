// Models: the receiving half of net/ipv4/tcp_input.c, Linux 6.18: queueing data, acknowledging it (at once, or
// delayed), the peer's FIN. What comes out of order is in tcp_ofo.cc, what an ACK does in tcp_ack.cc.
// A buffer that is too full: tcp_collapse.cc. Left out: compressed ACKs (each segment out of order is answered at once,
// where Linux holds back the fourth and later ones for a millisecond).

#include <algorithm>

#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp.hh"

namespace wakepath::kernel {

namespace {

constexpr u32 kRemnant = TCPHDR_FIN | TCPHDR_URG | TCPHDR_SYN | TCPHDR_PSH;  // TCP_REMNANT
constexpr u32 kMaxQuickAcks = 16;                                            // TCP_MAX_QUICKACKS
constexpr int kMaxSkbFrags = 17;                                             // MAX_SKB_FRAGS

bool in_quickack_mode(const sock* sk) {
  const inet_connection_sock* icsk = inet_csk(sk);
  return icsk->icsk_ack_quick > 0 && icsk->icsk_ack_pingpong == 0;
}

void tcp_incr_quickack(sock* sk) {
  inet_connection_sock* icsk = inet_csk(sk);
  u32 quick = tcp_sk(sk)->rcv_wnd / (2u * icsk->rcv_mss);
  quick = quick == 0 ? 2 : std::min(quick, kMaxQuickAcks);
  if (quick > icsk->icsk_ack_quick) icsk->icsk_ack_quick = static_cast<u8>(quick);
}

void tcp_measure_rcv_mss(sock* sk, const sk_buff* skb) {
  inet_connection_sock* icsk = inet_csk(sk);
  constexpr u32 kHeader = 20, kDefaultMss = 536, kLeastMss = 88;  // TCP_MSS_DEFAULT, TCP_MIN_MSS
  u32 len = skb->mss != 0 ? skb->mss : skb->len.get();
  const u32 last = icsk->last_seg_size;
  icsk->last_seg_size = 0;
  if (len >= icsk->rcv_mss) {
    if (len != icsk->rcv_mss) tcp_set_scaling_ratio(sk, skb);
    icsk->rcv_mss = static_cast<u16>(std::min<u32>(len, tcp_sk(sk)->advmss));
    // perhaps the end of what was written: whoever reads all of it acknowledges it, too (since 6.6)
    if ((skb->flags & TCPHDR_PSH) != 0) icsk->icsk_ack_pending |= ICSK_ACK_PUSHED;
    return;
  }
  // two of the same length in a row, long ones or without PSH: that is what the peer takes for its MSS
  const u32 whole = len + kHeader + kTcpTimestamps;
  if (whole >= kDefaultMss + kHeader || (whole >= kLeastMss + kHeader && (skb->flags & kRemnant) == 0)) {
    icsk->last_seg_size = static_cast<u16>(len);
    if (len == last) {
      icsk->rcv_mss = static_cast<u16>(len);
      return;
    }
  }
  if ((icsk->icsk_ack_pending & ICSK_ACK_PUSHED) != 0) icsk->icsk_ack_pending |= ICSK_ACK_PUSHED2;
  icsk->icsk_ack_pending |= ICSK_ACK_PUSHED;
}

}  // namespace

void inet_csk_schedule_ack(sock* sk) { inet_csk(sk)->icsk_ack_pending |= ICSK_ACK_SCHED; }
void tcp_enter_quickack_mode(sock* sk) {
  tcp_incr_quickack(sk);
  inet_csk(sk)->icsk_ack_pingpong = 0;
  inet_csk(sk)->icsk_ack_ato = record::Time{kAtoMin};
}
void inet_csk_enter_pingpong_mode(sock* sk) { inet_csk(sk)->icsk_ack_pingpong = 1; }

void tcp_event_data_recv(Kernel& k, sock* sk, const sk_buff* skb) {
  inet_connection_sock* icsk = inet_csk(sk);
  inet_csk_schedule_ack(sk);
  tcp_measure_rcv_mss(sk, skb);
  u64 ato = icsk->icsk_ack_ato.get().ns;
  u64 gap = (tcp_stamp_ms(k) - icsk->lrcvtime) * kNsPerMs;
  if (ato == 0) {  // the first data
    tcp_incr_quickack(sk);
    icsk->icsk_ack_ato = record::Time{kAtoMin};
  } else if (gap <= kAtoMin / 2) {
    if (ato != kAtoMin) icsk->icsk_ack_ato = record::Time{ato / 2 + kAtoMin / 2};
  } else if (gap < ato) {
    icsk->icsk_ack_ato = record::Time{std::min(ato / 2 + gap, icsk->icsk_rto.get().ns)};
  } else if (gap > icsk->icsk_rto.get().ns) {
    tcp_incr_quickack(sk);  // the sender may have started anew, and waits for ACKs
  }
  icsk->lrcvtime = tcp_stamp_ms(k);
  if (skb->len >= 128) tcp_grow_window(k, sk, skb);
}

bool tcp_epollin_ready(const sock* sk, int target) {
  const tcp_sock* tp = tcp_sk(sk);
  auto available = static_cast<std::int32_t>(tp->rcv_nxt - tp->copied_seq);
  if (available <= 0) return false;
  return available >= target || sk->sk_rmem_alloc > sk->sk_rcvbuf || tcp_receive_window(sk) <= inet_csk(sk)->rcv_mss;
}

void tcp_data_ready(Kernel& k, sock* sk) {
  Call call(k, Fn::tcp_data_ready, sk);
  int target = k.mutant(Mutant::rcvlowat_ignored) ? 1 : sk->sk_rcvlowat.get();
  if (tcp_epollin_ready(sk, target) || sock_flag(sk, SOCK_DONE_BIT)) sk->sk_data_ready(k, sk);
}

bool skb_can_coalesce(const sk_buff* to, const sk_buff* from) {
  // data that the sender still has on its retransmit queue is shared: nothing can be added to it
  if (to->fclone != nullptr) return false;
  return from->len <= to->tailroom || (to->len == 0 ? 0 : to->nr_frags) + from->nr_frags <= kMaxSkbFrags;
}

u32 skb_coalesce(Kernel& k, sk_buff* to, const sk_buff* from) {
  if (from->len == 0) return 0;
  const int frags = (to->len == 0 ? 0 : to->nr_frags) + from->nr_frags;
  skb_append(k, to, from->payload.view());
  if (from->len <= to->tailroom) {  // it needs no memory of its own
    to->truesize -= from->len;
    to->tailroom = static_cast<u16>(to->tailroom - from->len);
    return 0;
  }
  to->nr_frags = static_cast<u8>(frags);
  to->tailroom = 0;
  return from->len;
}

bool tcp_try_coalesce(Kernel& k, sock* sk, sk_buff* tail, const sk_buff* skb) {
  if (tail == nullptr || (tail->flags & TCPHDR_FIN) != 0 || (skb->flags & TCPHDR_FIN) != 0 || skb->len == 0 ||
      tail->end_seq != skb->seq || !skb_can_coalesce(tail, skb))
    return false;
  Call call(k, Fn::tcp_try_coalesce, sk);
  if (const u32 memory = skb_coalesce(k, tail, skb); memory > 0) sk_mem_charge(sk, memory);
  return call.result(true);
}

bool tcp_queue_rcv(Kernel& k, sock* sk, sk_buff* skb) {
  Call call(k, Fn::tcp_queue_rcv, sk);
  tcp_sock* tp = tcp_sk(sk);
  sk_rmem_schedule(sk, skb->truesize);
  if (before(skb->seq, tp->rcv_nxt)) skb->consumed = tp->rcv_nxt - skb->seq;  // its beginning was here before
  tp->bytes_received += skb->end_seq - tp->rcv_nxt;
  tp->rcv_nxt = skb->end_seq;
  if (tcp_try_coalesce(k, sk, sk->sk_receive_queue.list.back(), skb)) return call.result(true);
  skb->sk = sk;
  sk->sk_receive_queue.list.push_back(skb);
  ++sk->sk_receive_queue.qlen;
  sk_mem_charge(sk, skb->truesize);
  return call.result(false);
}

void tcp_fast_path_check(sock* sk) {
  tcp_sock* tp = tcp_sk(sk);
  if (tp->rcv_wnd != 0 && sk->sk_rmem_alloc < sk->sk_rcvbuf) tp->fast_path = true;
}

void tcp_fin(Kernel& k, sock* sk) {
  Call call(k, Fn::tcp_fin, sk);
  inet_csk_schedule_ack(sk);
  sk->sk_shutdown |= RCV_SHUTDOWN;
  sk->sk_flags |= SOCK_DONE_BIT;
  switch (tcp_state(sk)) {
    case TcpState::SYN_RECV:
    case TcpState::ESTABLISHED:
      tcp_set_state(k, sk, TcpState::CLOSE_WAIT);
      inet_csk_enter_pingpong_mode(sk);
      break;
    case TcpState::FIN_WAIT1:  // both end at once
      tcp_send_ack(k, sk);
      tcp_set_state(k, sk, TcpState::CLOSING);
      break;
    case TcpState::FIN_WAIT2:
      tcp_send_ack(k, sk);
      tcp_time_wait(k, sk, TcpState::TIME_WAIT, 0);
      break;
    default:
      break;
  }
  while (sk_buff* beyond = tcp_sk(sk)->out_of_order_queue.pop_front()) {  // nothing may come behind a FIN
    sock_rfree(k, sk, beyond->truesize);
    kfree_skb(k, beyond);
  }
  if (!sock_flag(sk, SOCK_DEAD_BIT) && !k.mutant(Mutant::fin_without_wake)) sk->sk_state_change(k, sk);
}

/// Order as on 6.18: the data is queued, then what it acknowledges is taken, then the ACK goes out, then the reader
/// is told.
void tcp_rcv_fast(Kernel& k, sock* sk, sk_buff* skb) {
  bool eaten = tcp_queue_rcv(k, sk, skb);
  tcp_event_data_recv(k, sk, skb);
  bool acks_something = skb->ack_seq != tcp_sk(sk)->snd_una;
  if (acks_something) {
    tcp_ack(k, sk, skb);
    tcp_data_snd_check(k, sk);
  }
  if (!acks_something || (inet_csk(sk)->icsk_ack_pending & ICSK_ACK_SCHED) != 0) __tcp_ack_snd_check(k, sk);
  if (eaten) k.skbs.free(skb);
  tcp_data_ready(k, sk);
}

namespace {

/// A segment that cannot be taken: old, or beyond the window. The sender must hear what is expected.
void out_of_window(Kernel& k, sock* sk, sk_buff* skb) {
  tcp_enter_quickack_mode(sk);
  inet_csk_schedule_ack(sk);
  kfree_skb(k, skb);
}

void queue_in_order(Kernel& k, sock* sk, sk_buff* skb) {
  tcp_sock* tp = tcp_sk(sk);
  bool fin = (skb->flags & TCPHDR_FIN) != 0;
  bool early = k.mutant(Mutant::wake_before_queueing);
  if (early) tcp_data_ready(k, sk);
  bool eaten = tcp_queue_rcv(k, sk, skb);
  if (skb->len > 0) tcp_event_data_recv(k, sk, skb);
  if (fin) tcp_fin(k, sk);
  if (!tp->out_of_order_queue.empty()) {
    tcp_ofo_queue(k, sk);
    // the hole is gone: the sender should know at once (RFC 5681, section 4.2)
    if (tp->out_of_order_queue.empty()) inet_csk(sk)->icsk_ack_pending |= ICSK_ACK_NOW;
  }
  tcp_fast_path_check(sk);
  if (eaten) k.skbs.free(skb);
  bool silent = early || (fin && k.mutant(Mutant::fin_without_wake));
  if (!sock_flag(sk, SOCK_DEAD_BIT) && !silent) tcp_data_ready(k, sk);
}

/// More is queued than the buffer is for: the sender is told, whatever was promised, and a reader is woken. A bare FIN
/// is taken all the same.
bool no_room(Kernel& k, sock* sk, const sk_buff* skb) {
  inet_csk(sk)->icsk_ack_pending |= static_cast<ack_pending>(ICSK_ACK_SCHED | ICSK_ACK_NOW | ICSK_ACK_NOMEM);
  sk->sk_data_ready(k, sk);
  return skb->len == 0 || sk->sk_receive_queue.list.empty();
}

}  // namespace

void tcp_data_queue(Kernel& k, sock* sk, sk_buff* skb) {
  Call call(k, Fn::tcp_data_queue, sk);
  const tcp_sock* tp = tcp_sk(sk);
  u32 window = tcp_receive_window(sk);
  const bool next = skb->seq == tp->rcv_nxt;
  const bool lone_fin = next && skb->len == 0;
  if (before(skb->seq, tp->rcv_nxt) && skb->seq != skb->end_seq) tcp_dsack_set(sk, skb);
  if (skb->seq == skb->end_seq) {
    kfree_skb(k, skb);
  } else if (!after(skb->end_seq, tp->rcv_nxt)) {  // sent again, and was here before
    out_of_window(k, sk, skb);
  } else if (window == 0 ? !lone_fin : !before(skb->seq, tp->rcv_nxt + window)) {
    out_of_window(k, sk, skb);
  } else if (after(skb->seq, tp->rcv_nxt)) {
    tcp_data_queue_ofo(k, sk, skb);
  } else if (tcp_try_rmem_schedule(k, sk, skb) || no_room(k, sk, skb)) {
    queue_in_order(k, sk, skb);  // what comes next, its beginning may have been here before
  } else {
    kfree_skb(k, skb);
  }
}

void tcp_data_snd_check(Kernel& k, sock* sk) {
  tcp_push_pending_frames(k, sk);
  tcp_check_space(k, sk);
}

void __tcp_ack_snd_check(Kernel& k, sock* sk) {
  Call call(k, Fn::__tcp_ack_snd_check, sk);
  const tcp_sock* tp = tcp_sk(sk);
  const inet_connection_sock* icsk = inet_csk(sk);
  bool much_received = tp->rcv_nxt - tp->rcv_wup > icsk->rcv_mss &&
                       (static_cast<std::int32_t>(tp->rcv_nxt - tp->copied_seq) < sk->sk_rcvlowat ||
                        __tcp_select_window(sk) >= tp->rcv_wnd);
  bool hole = !tp->out_of_order_queue.empty();
  if (much_received || hole || in_quickack_mode(sk) || (icsk->icsk_ack_pending & ICSK_ACK_NOW) != 0)
    tcp_send_ack(k, sk);
  else
    tcp_send_delayed_ack(k, sk);
}

void tcp_ack_snd_check(Kernel& k, sock* sk) {
  if ((inet_csk(sk)->icsk_ack_pending & ICSK_ACK_SCHED) != 0) __tcp_ack_snd_check(k, sk);
}

}  // namespace wakepath::kernel
