// Models: net/ipv4/tcp_output.c of Linux 6.18: building segments, Nagle, the window we advertise, ACKs.
// Left out: congestion control and pacing (loopback's window is smaller than the initial congestion window's 10 large
// segments), SACK, timestamps (their 12 bytes count in the MSS), path MTU discovery, window scaling as an encoding (a
// segment carries the window in bytes).

#include <algorithm>

#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp.hh"

namespace wakepath::kernel {

namespace {

void tcp_event_ack_sent(Kernel& k, sock* sk) {
  inet_connection_sock* icsk = inet_csk(sk);
  if (icsk->icsk_ack_quick > 0) --icsk->icsk_ack_quick;
  icsk->icsk_ack_pending = ICSK_ACK_NONE;
  if (icsk->icsk_delack_timer.active()) {
    k.scheduler.cancel(icsk->icsk_delack_timer);
    icsk->delack_pending = false;
  }
}

/// An answer soon after data came: the connection is interactive.
void tcp_event_data_sent(Kernel& k, sock* sk) {
  inet_connection_sock* icsk = inet_csk(sk);
  if (k.now_ns() - icsk->last_data_received_ns < icsk->icsk_ack_ato.get().ns) icsk->icsk_ack_pingpong = 1;
}

/// Nagle with Minshall's change: a small segment waits while another small one is not acknowledged.
bool tcp_nagle_test(const tcp_sock* tp, const sk_buff* skb, u32 mss, bool push) {
  if (push || tp->nonagle || (skb->flags & TCPHDR_FIN) != 0 || skb->len >= mss) return true;
  bool small_in_flight = after(tp->snd_sml, tp->snd_una) && !after(tp->snd_sml, tp->snd_nxt);
  return tp->packets_out == 0 || !small_in_flight;
}

void tcp_event_new_data_sent(Kernel& k, sock* sk, sk_buff* skb) {
  Call call(k, Fn::tcp_event_new_data_sent, sk);
  tcp_sock* tp = tcp_sk(sk);
  bool was_none = tp->packets_out == 0;
  tp->snd_nxt = skb->end_seq;
  sk->sk_write_queue.list.erase(skb);
  --sk->sk_write_queue.qlen;
  sk->tcp_rtx_queue.push_back(skb);
  ++tp->packets_out;
  if (was_none) tcp_reset_xmit_timer(k, sk);
}

/// Cuts a segment that is larger than the window leaves room for.
void tcp_fragment(Kernel& k, sock* sk, sk_buff* skb, u32 keep) {
  Call call(k, Fn::tcp_fragment, skb);
  sk_buff* rest = tcp_stream_alloc_skb(k, sk, skb->payload.substr(keep));
  rest->seq = skb->seq + keep;
  rest->end_seq = skb->end_seq;
  rest->flags = skb->flags;
  skb->flags &= static_cast<tcp_flags>(TCPHDR_ACK | TCPHDR_SYN);
  skb->payload.resize(keep);
  skb->len = keep;
  skb->end_seq = skb->seq + keep;
  skb->truesize -= rest->len;  // its data is charged to the new segment, which adds its own overhead
  sk->sk_wmem_queued += static_cast<int>(rest->truesize - rest->len);
  sk->sk_write_queue.list.insert_behind(skb, rest);
  ++sk->sk_write_queue.qlen;
}

bool tcp_write_xmit(Kernel& k, sock* sk, bool push) {
  Call call(k, Fn::tcp_write_xmit, sk);
  tcp_sock* tp = tcp_sk(sk);
  u32 mss = tcp_current_mss(sk);
  while (sk_buff* skb = sk->sk_write_queue.list.front()) {
    u32 window_end = tp->snd_una + tp->snd_wnd;
    if (skb->len > 0 && !before(skb->seq, window_end)) {
      k.rule(Rule::tcp_window_closed, sk);
      break;
    }
    u32 room = std::min(mss, window_end - skb->seq);
    if (skb->len > room) tcp_fragment(k, sk, skb, room);
    bool last = skb == sk->sk_write_queue.list.back();  // Nagle is about the last segment: more behind one pushes it
    if (!tcp_nagle_test(tp, skb, mss, push || !last)) {
      k.rule(Rule::tcp_nagle_holds, sk);
      break;
    }
    __tcp_transmit_skb(k, sk, skb, true);
    if (skb->len > 0) tcp_event_data_sent(k, sk);
    if (skb->len > 0 && skb->len < mss) tp->snd_sml = skb->end_seq;
    tcp_event_new_data_sent(k, sk, skb);
  }
  return call.result(true);
}

}  // namespace

u32 tcp_current_mss(const sock* sk) {
  u32 half = tcp_sk(sk)->max_window / 2;
  return half > 536 ? std::min(kTcpMss, half) : kTcpMss;
}

u32 tcp_receive_window(const sock* sk) {
  const tcp_sock* tp = tcp_sk(sk);
  auto left = static_cast<std::int32_t>(tp->rcv_wup + tp->rcv_wnd - tp->rcv_nxt);
  return left < 0 ? 0 : static_cast<u32>(left);
}

u32 __tcp_select_window(const sock* sk) {
  // as tcp_win_from_space(): at first half of the buffer is for the overhead of segments
  auto ratio = static_cast<std::int64_t>(inet_csk(sk)->scaling_ratio);
  auto full = static_cast<int>(sk->sk_rcvbuf * ratio / 256);
  auto free = static_cast<int>((sk->sk_rcvbuf - sk->sk_rmem_alloc) * ratio / 256);
  if (free < 0) free = 0;
  if (free < full / 2 && (free < full / 16 || static_cast<u32>(free) < inet_csk(sk)->rcv_mss)) return 0;
  return static_cast<u32>(free) / 128 * 128;
}

u32 tcp_select_window(Kernel&, sock* sk) {
  tcp_sock* tp = tcp_sk(sk);
  u32 window = std::max(__tcp_select_window(sk), tcp_receive_window(sk));  // never take back what was promised
  tp->rcv_wnd = window;
  tp->rcv_wup = tp->rcv_nxt;
  return window;
}

void __tcp_transmit_skb(Kernel& k, sock* sk, sk_buff* skb, bool clone) {
  Call call(k, Fn::__tcp_transmit_skb, sk);
  tcp_sock* tp = tcp_sk(sk);
  skb->sent_at_ns = k.now_ns();
  // what goes down is a copy that shares the data; the original stays on our queue for retransmission
  sk_buff* out = clone ? skb_clone(k, skb) : skb;
  out->saddr = sk->common.skc_rcv_saddr.get().value;
  out->daddr = sk->common.skc_daddr.get().value;
  out->source = inet_sk(sk)->inet_sport;  // skc_num is 0 already when a closed socket sends its reset
  out->dest = sk->common.skc_dport;
  out->window = record::Hex{tcp_select_window(k, sk)};
  if ((out->flags & TCPHDR_ACK) != 0) {
    out->ack_seq = tp->rcv_nxt;
    tcp_event_ack_sent(k, sk);
  }
  __ip_queue_xmit(k, out);
}

void __tcp_push_pending_frames(Kernel& k, sock* sk, bool push) {
  if (sk->sk_write_queue.list.empty()) return;
  Call call(k, Fn::__tcp_push_pending_frames, sk);
  tcp_write_xmit(k, sk, push);
  tcp_check_probe_timer(k, sk);
}

void tcp_xmit_probe_skb(Kernel& k, sock* sk) {
  Call call(k, Fn::tcp_xmit_probe_skb, sk);
  sk_buff* skb = alloc_skb(k, nullptr, "");
  skb->flags = TCPHDR_ACK;
  skb->seq = tcp_sk(sk)->snd_una - 1;
  skb->end_seq = skb->seq;
  __tcp_transmit_skb(k, sk, skb, false);
}

void tcp_send_ack(Kernel& k, sock* sk) {
  if (tcp_state(sk) == TcpState::CLOSE) return;
  Call call(k, Fn::__tcp_send_ack, sk);
  sk_buff* skb = alloc_skb(k, nullptr, "");
  skb->flags = TCPHDR_ACK;
  skb->seq = tcp_sk(sk)->snd_nxt;
  skb->end_seq = skb->seq;
  __tcp_transmit_skb(k, sk, skb, false);
}

void tcp_send_delayed_ack(Kernel& k, sock* sk) {
  Call call(k, Fn::tcp_send_delayed_ack, sk);
  constexpr u64 kDelackMin = 40 * kNsPerMs;  // TCP_DELACK_MIN; loopback's round trip never makes it longer
  inet_csk(sk)->icsk_ack_pending |= static_cast<ack_pending>(ICSK_ACK_SCHED | ICSK_ACK_TIMER);
  k.rule(Rule::tcp_ack_delayed, sk);
  if (!inet_csk(sk)->icsk_delack_timer.active()) tcp_arm_delack(k, sk, kDelackMin);
}

void tcp_send_fin(Kernel& k, sock* sk) {
  Call call(k, Fn::tcp_send_fin, sk);
  tcp_sock* tp = tcp_sk(sk);
  if (sk_buff* tail = sk->sk_write_queue.list.back()) {  // the FIN rides on the last data that waits
    tail->flags |= TCPHDR_FIN;
    ++tail->end_seq;
  } else {
    sk_buff* skb = alloc_skb(k, sk, "");
    skb->flags = static_cast<tcp_flags>(TCPHDR_ACK | TCPHDR_FIN);
    skb->seq = tp->write_seq;
    skb->end_seq = skb->seq + 1;
    sk->sk_write_queue.list.push_back(skb);
    ++sk->sk_write_queue.qlen;
    sk->sk_wmem_queued += static_cast<int>(skb->truesize.get());
  }
  ++tp->write_seq;
  __tcp_push_pending_frames(k, sk, true);
}

void tcp_send_active_reset(Kernel& k, sock* sk) {
  Call call(k, Fn::tcp_send_active_reset, sk);
  sk_buff* skb = alloc_skb(k, nullptr, "");
  skb->flags = static_cast<tcp_flags>(TCPHDR_ACK | TCPHDR_RST);
  skb->seq = tcp_sk(sk)->snd_nxt;
  skb->end_seq = skb->seq;
  __tcp_transmit_skb(k, sk, skb, false);
}

sk_buff* make_bare_segment(Kernel& k, const BareSegment& segment) {
  sk_buff* skb = alloc_skb(k, nullptr, "");
  skb->saddr = segment.from.ip;
  skb->daddr = segment.to.ip;
  skb->source = segment.from.port;
  skb->dest = segment.to.port;
  skb->seq = segment.seq;
  skb->end_seq = segment.seq + ((segment.flags & TCPHDR_SYN) != 0 ? 1 : 0);
  skb->ack_seq = segment.ack;
  skb->window = record::Hex{segment.window};
  skb->flags = segment.flags;
  return skb;
}

void tcp_v4_send_reset(Kernel& k, const sk_buff* skb) {
  if ((skb->flags & TCPHDR_RST) != 0) return;  // never answer a reset with a reset
  Call call(k, Fn::tcp_v4_send_reset, skb);
  bool has_ack = (skb->flags & TCPHDR_ACK) != 0;
  BareSegment reset{{skb->daddr, skb->dest}, {skb->saddr, skb->source}, 0, 0, 0, TCPHDR_RST};
  if (has_ack) {
    reset.seq = skb->ack_seq;
  } else {
    reset.flags = static_cast<tcp_flags>(TCPHDR_RST | TCPHDR_ACK);
    reset.ack = skb->end_seq;
  }
  ip_send_unicast_reply(k, reset);
}

}  // namespace wakepath::kernel
