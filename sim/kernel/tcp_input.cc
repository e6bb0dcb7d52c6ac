// Models: the receiving half of net/ipv4/tcp_input.c, Linux 6.18: queueing data, acknowledging it (at once, or
// delayed), the peer's FIN, and the sending half's view of an ACK. Left out: out-of-order segments (loopback keeps the
// order; one that comes is dropped and will be sent again), SACK, urgent data, receive buffer auto-tuning, round-trip
// measurement.

#include <algorithm>

#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp.hh"

namespace wakepath::kernel {

namespace {

constexpr u32 kMaxQuickAcks = 16;       // TCP_MAX_QUICKACKS
constexpr u64 kAtoMin = 40 * kNsPerMs;  // TCP_ATO_MIN
constexpr u32 kMostCoalesced = 64 * 1024;

bool in_quickack_mode(const sock* sk) {
  const inet_connection_sock* icsk = inet_csk(sk);
  return icsk->icsk_ack_quick > 0 && icsk->icsk_ack_pingpong == 0;
}

void tcp_incr_quickack(sock* sk) {
  inet_connection_sock* icsk = inet_csk(sk);
  u32 quick = tcp_sk(sk)->rcv_wnd / (2 * icsk->rcv_mss);
  quick = std::clamp(quick, 2u, kMaxQuickAcks);
  if (quick > icsk->icsk_ack_quick) icsk->icsk_ack_quick = static_cast<u8>(quick);
}

void tcp_measure_rcv_mss(sock* sk, const sk_buff* skb) {
  inet_connection_sock* icsk = inet_csk(sk);
  if (skb->len >= icsk->rcv_mss) {
    if (skb->len != icsk->rcv_mss) icsk->scaling_ratio = std::max(1u, skb->len * 256 / skb->truesize);
    icsk->rcv_mss = std::min(skb->len.get(), kTcpMss);
    return;
  }
  if ((icsk->icsk_ack_pending & ICSK_ACK_PUSHED) != 0) icsk->icsk_ack_pending |= ICSK_ACK_PUSHED2;
  icsk->icsk_ack_pending |= ICSK_ACK_PUSHED;
}

/// Joins a segment to the last one of the queue when the sender no longer holds that one's data (a clone is shared
/// until it is acknowledged).
bool tcp_try_coalesce(Kernel& k, sock* sk, sk_buff* skb) {
  sk_buff* tail = sk->sk_receive_queue.list.back();
  const tcp_sock* tp = tcp_sk(sk);
  if (tail == nullptr || (tail->flags & TCPHDR_FIN) != 0 || (skb->flags & TCPHDR_FIN) != 0 || skb->len == 0 ||
      tail->end_seq != skb->seq || after(tail->end_seq, tp->rcv_wup) || tail->len + skb->len > kMostCoalesced)
    return false;
  Call call(k, Fn::tcp_try_coalesce, sk);
  skb_append(k, tail, skb->payload);
  sk_mem_charge(sk, skb->len);
  k.skbs.free(skb);
  return call.result(true);
}

/// Order of the writes as on 6.18: rcv_nxt, then the queue and its length, then the memory.
/// False: the segment was joined to another one.
bool tcp_queue_rcv(Kernel& k, sock* sk, sk_buff* skb) {
  Call call(k, Fn::tcp_queue_rcv, sk);
  sk_rmem_schedule(sk, skb->truesize);
  tcp_sk(sk)->rcv_nxt = skb->end_seq;
  if (tcp_try_coalesce(k, sk, skb)) return call.result(false);
  skb->sk = sk;
  sk->sk_receive_queue.list.push_back(skb);
  ++sk->sk_receive_queue.qlen;
  sk_mem_charge(sk, skb->truesize);
  return call.result(true);
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
      tcp_time_wait(k, sk, TcpState::TIME_WAIT);
      break;
    default:
      break;
  }
  if (!sock_flag(sk, SOCK_DEAD_BIT)) sk->sk_state_change(k, sk);
}

void tcp_check_space(Kernel& k, sock* sk) {
  if (sk->nospace && sk->sk_socket != nullptr) {
    Call call(k, Fn::tcp_check_space, sk);
    sk->sk_write_space(k, sk);
  }
}

}  // namespace

void inet_csk_schedule_ack(sock* sk) { inet_csk(sk)->icsk_ack_pending |= ICSK_ACK_SCHED; }
void inet_csk_enter_pingpong_mode(sock* sk) { inet_csk(sk)->icsk_ack_pingpong = 1; }

void tcp_event_data_recv(Kernel& k, sock* sk, const sk_buff* skb) {
  inet_connection_sock* icsk = inet_csk(sk);
  inet_csk_schedule_ack(sk);
  tcp_measure_rcv_mss(sk, skb);
  if (icsk->icsk_ack_ato.get().ns == 0) {
    tcp_incr_quickack(sk);
    icsk->icsk_ack_ato = record::Time{kAtoMin};
  }
  icsk->last_data_received_ns = k.now_ns();
}

bool tcp_epollin_ready(const sock* sk, int target) {
  const tcp_sock* tp = tcp_sk(sk);
  auto available = static_cast<std::int32_t>(tp->rcv_nxt - tp->copied_seq);
  if (available <= 0) return false;
  return available >= target || sk->sk_rmem_alloc > sk->sk_rcvbuf || tcp_receive_window(sk) <= inet_csk(sk)->rcv_mss;
}

void tcp_data_ready(Kernel& k, sock* sk) {
  Call call(k, Fn::tcp_data_ready, sk);
  if (tcp_epollin_ready(sk, sk->sk_rcvlowat) || sock_flag(sk, SOCK_DONE_BIT)) sk->sk_data_ready(k, sk);
}

void tcp_rcv_fast(Kernel& k, sock* sk, sk_buff* skb) {
  tcp_sock* tp = tcp_sk(sk);
  tcp_event_data_recv(k, sk, skb);
  bool acks_something = skb->ack_seq != tp->snd_una;
  if (acks_something) {
    tcp_ack(k, sk, skb);
  }
  tcp_queue_rcv(k, sk, skb);
  if (acks_something) tcp_data_snd_check(k, sk);
  if (!acks_something || (inet_csk(sk)->icsk_ack_pending & ICSK_ACK_SCHED) != 0) __tcp_ack_snd_check(k, sk);
  tcp_data_ready(k, sk);
}

void tcp_data_queue(Kernel& k, sock* sk, sk_buff* skb) {
  Call call(k, Fn::tcp_data_queue, sk);
  tcp_sock* tp = tcp_sk(sk);
  if (skb->seq == skb->end_seq) {
    kfree_skb(k, skb);
    return;
  }
  bool in_order = skb->seq == tp->rcv_nxt;
  bool fits = sk->sk_rmem_alloc <= sk->sk_rcvbuf && skb->len <= tcp_receive_window(sk);
  if (!in_order || !fits) {
    inet_csk(sk)->icsk_ack_pending |= static_cast<ack_pending>(ICSK_ACK_SCHED | ICSK_ACK_NOW);
    kfree_skb(k, skb);
    return;
  }
  bool fin = (skb->flags & TCPHDR_FIN) != 0;
  if (skb->len > 0) tcp_event_data_recv(k, sk, skb);
  tcp_queue_rcv(k, sk, skb);
  if (fin) tcp_fin(k, sk);
  if (!sock_flag(sk, SOCK_DEAD_BIT)) tcp_data_ready(k, sk);
}

bool tcp_ack(Kernel& k, sock* sk, sk_buff* skb) {
  Call call(k, Fn::tcp_ack, sk);
  tcp_sock* tp = tcp_sk(sk);
  u32 ack = skb->ack_seq;
  if (after(ack, tp->snd_nxt)) return call.result(false);  // acknowledges what was never sent
  if (!before(ack, tp->snd_una)) {
    tp->snd_wnd = skb->window.get().value;
    tp->max_window = std::max(tp->max_window, tp->snd_wnd.get());
  }
  inet_csk(sk)->icsk_probes_out = 0;
  if (const sk_buff* head = sk->sk_write_queue.list.front();
      head != nullptr && !after(head->end_seq, tp->snd_una + tp->snd_wnd))
    inet_csk(sk)->icsk_backoff = 0;
  if (!after(ack, tp->snd_una)) return call.result(true);
  tp->snd_una = ack;
  inet_csk(sk)->icsk_retransmits = 0;
  {
    Call clean(k, Fn::tcp_clean_rtx_queue, sk);
    while (sk_buff* sent = sk->tcp_rtx_queue.front()) {
      if (after(sent->end_seq, ack)) break;
      sk->tcp_rtx_queue.erase(sent);
      --tp->packets_out;
      sk->sk_wmem_queued -= static_cast<int>(sent->truesize.get());
      kfree_skb(k, sent);
    }
  }
  if (tp->packets_out == 0)
    tcp_clear_retrans(k, sk);
  else
    tcp_reset_xmit_timer(k, sk);
  return call.result(true);
}

void tcp_data_snd_check(Kernel& k, sock* sk) {
  __tcp_push_pending_frames(k, sk, false);
  tcp_check_space(k, sk);
}

void __tcp_ack_snd_check(Kernel& k, sock* sk) {
  Call call(k, Fn::__tcp_ack_snd_check, sk);
  const tcp_sock* tp = tcp_sk(sk);
  const inet_connection_sock* icsk = inet_csk(sk);
  bool much_received = tp->rcv_nxt - tp->rcv_wup > icsk->rcv_mss &&
                       (static_cast<std::int32_t>(tp->rcv_nxt - tp->copied_seq) < sk->sk_rcvlowat ||
                        __tcp_select_window(sk) >= tp->rcv_wnd);
  if (much_received || in_quickack_mode(sk) || (icsk->icsk_ack_pending & ICSK_ACK_NOW) != 0)
    tcp_send_ack(k, sk);
  else
    tcp_send_delayed_ack(k, sk);
}

void tcp_ack_snd_check(Kernel& k, sock* sk) {
  if ((inet_csk(sk)->icsk_ack_pending & ICSK_ACK_SCHED) != 0) __tcp_ack_snd_check(k, sk);
}

}  // namespace wakepath::kernel
