// Models: net/ipv4/tcp_output.c of Linux 6.18: building segments, retransmission, ACKs. What goes out when:
// tcp_xmit.cc; the window that we offer: tcp_window.cc. Left out: timestamps (their 12 bytes count in the MSS, but are
// in no packet), path MTU discovery, window scaling as an encoding (a segment carries the window in bytes).

#include <algorithm>

#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp.hh"

namespace wakepath::kernel {

namespace {

void tcp_event_ack_sent(sock* sk) {
  inet_connection_sock* icsk = inet_csk(sk);
  if (icsk->icsk_ack_quick > 0 && (icsk->icsk_ack_pending & ICSK_ACK_SCHED) != 0) {
    --icsk->icsk_ack_quick;
    if (icsk->icsk_ack_quick == 0 && icsk->icsk_ack_ato.get().ns != kAtoMin) icsk->icsk_ack_ato = record::Time{kAtoMin};
  }
  icsk->icsk_ack_pending = ICSK_ACK_NONE;
}

/// An answer soon after data came: the connection is interactive.
void tcp_event_data_sent(Kernel& k, sock* sk) {
  inet_connection_sock* icsk = inet_csk(sk);
  const u32 now = tcp_stamp_ms(k);
  tcp_sk(sk)->lsndtime = now;
  if ((now - icsk->lrcvtime) * kNsPerMs < icsk->icsk_ack_ato.get().ns) icsk->icsk_ack_pingpong = 1;
}

}  // namespace

void tcp_event_new_data_sent(Kernel& k, sock* sk, sk_buff* skb) {
  Call call(k, Fn::tcp_event_new_data_sent, sk);
  tcp_sock* tp = tcp_sk(sk);
  bool was_none = tp->packets_out == 0;
  tp->snd_nxt = skb->end_seq;
  sk->sk_write_queue.list.erase(skb);
  --sk->sk_write_queue.qlen;
  sk->tcp_rtx_queue.push_back(skb);
  tp->packets_out += static_cast<u16>(tcp_skb_pcount(skb));
  if (was_none || inet_csk(sk)->loss_probe) tcp_rearm_rto(k, sk);
  tcp_check_space(k, sk);
}

bool tcp_fragment(Kernel& k, sock* sk, sk_buff* skb, u32 keep) {
  const bool sent =
      !before(tcp_sk(sk)->snd_nxt, skb->end_seq) && !sk->tcp_rtx_queue.empty();  // from there it goes again
  Call call(k, Fn::tcp_fragment, skb);
  const u32 old_segments = tcp_skb_pcount(skb);
  sk_buff* rest = tcp_stream_alloc_skb(k, sk, skb->payload.view().substr(keep));
  if (rest == nullptr) return false;
  rest->seq = skb->seq + keep;
  rest->end_seq = skb->end_seq;
  rest->flags = skb->flags;
  rest->page_off = static_cast<u16>((skb->page_off + keep) % kPageFrag);
  skb->flags &= static_cast<tcp_flags>(TCPHDR_ACK | TCPHDR_SYN);
  skb->payload.truncate(keep);
  skb->len = keep;
  skb->end_seq = skb->seq + keep;
  skb->truesize -= rest->len;  // its data is charged to the new segment, which adds its own overhead
  sk_wmem_charge(sk, rest->truesize - rest->len);
  if (sent) {
    if (skb->mss != 0) {
      rest->mss = rest->len > skb->mss ? skb->mss : u16{0};
      if (keep <= skb->mss) skb->mss = 0;
    }
    rest->sacked = skb->sacked;
    const auto more = static_cast<u16>(tcp_skb_pcount(skb) + tcp_skb_pcount(rest) - old_segments);
    if ((rest->sacked & TCPCB_SACKED_ACKED) != 0) tcp_sk(sk)->sacked_out += more;
    if ((rest->sacked & TCPCB_SACKED_RETRANS) != 0) tcp_sk(sk)->retrans_out += more;
    tcp_sk(sk)->packets_out += more;
    rest->sent_at_ns = skb->sent_at_ns;
    sk->tcp_rtx_queue.insert_behind(skb, rest);
  } else {
    sk->sk_write_queue.list.insert_behind(skb, rest);
    ++sk->sk_write_queue.qlen;
  }
  return true;
}

u32 tcp_current_mss(const sock* sk) {
  constexpr u32 kDefaultMss = 536, kLeast = 68 - 20 - kTcpTimestamps;  // TCP_MSS_DEFAULT
  const tcp_sock* tp = tcp_sk(sk);
  u32 mss = tcp_full_mss(tcp_over_v6(sk));
  if (tp->mss_clamp != 0) mss = std::min(mss, tp->mss_clamp - kTcpTimestamps);
  // tcp_bound_to_half_wnd(): two segments fit into a window, unless it is tiny
  const u32 most = tp->max_window > kDefaultMss ? tp->max_window / 2 : tp->max_window.get();
  return most == 0 ? mss : std::min(mss, std::max(most, kLeast));
}

u16 tcp_advertise_mss(const sock* sk, bool v6) {
  u16 own = tcp_sk(sk)->user_mss;
  return own != 0 ? std::min(own, tcp_lo_mss(v6)) : tcp_lo_mss(v6);
}

long __tcp_transmit_skb(Kernel& k, sock* sk, sk_buff* skb, bool clone) {
  Call call(k, Fn::__tcp_transmit_skb, sk);
  // the first copy's room came with the segment (alloc_skb_fclone()); while that one lives another must be found
  if (clone && skb->fclone != nullptr && k.allocation_fails()) return call.result(k.error(Rule::no_buffer, sk));
  tcp_sock* tp = tcp_sk(sk);
  skb->sent_at_ns = k.now_ns();
  // what goes down is a copy that shares the data; the original stays on our queue for retransmission
  sk_buff* out = clone ? skb_clone(k, skb) : skb;
  if (clone) {
    if (skb->fclone != nullptr) skb->fclone->fclone = nullptr;  // of an earlier transmission
    skb->fclone = out;
    out->fclone = skb;
  }
  out->v6 = tcp_over_v6(sk);
  if (out->v6) {
    out->saddr6 = sk->common.skc_v6_rcv_saddr;
    out->daddr6 = sk->common.skc_v6_daddr;
  }
  out->saddr = sk->common.skc_rcv_saddr.get().value;
  out->daddr = sk->common.skc_daddr.get().value;
  out->source = inet_sk(sk)->inet_sport;  // skc_num is 0 already when a closed socket sends its reset
  out->dest = sk->common.skc_dport;
  out->window = record::Hex{(out->flags & TCPHDR_SYN) != 0 ? tcp_syn_window(tp->rcv_wnd) : tcp_select_window(k, sk)};
  out->wscale = tp->rcv_wscale;
  if (tcp_skb_pcount(out) > 1) out->flags |= TCPHDR_PSH;  // so that nobody waits to join it with more (since 5.4)
  if ((out->flags & TCPHDR_ACK) != 0) {
    out->ack_seq = tp->rcv_nxt;
    if (!tp->out_of_order_queue.empty() || tp->dsack_len != 0) out->sacks = tcp_sack_option(sk);
    tcp_event_ack_sent(sk);
  }
  if (skb->len > 0) {
    tcp_event_data_sent(k, sk);
    tp->bytes_sent += skb->len;
  }
  if (tcp_urg_mode(tp) && before(out->seq, tp->snd_up)) {
    constexpr u32 kFurthest = 0xffff;  // as far as the field points; a mark beyond it is announced by the newest data
    const u32 distance = tp->snd_up - out->seq;
    if (distance <= kFurthest || after(out->seq + kFurthest, tp->snd_nxt)) {
      out->flags |= TCPHDR_URG;
      out->urg_ptr = static_cast<u16>(std::min(distance, kFurthest));
    }
  }
  if (speaks_v6(&sk->common) && !out->v6) {  // once connected over IPv4: its packets take a route of IPv6, and get lost
    kfree_skb(k, out);
    return call.result(0);
  }
  inet_csk(sk)->icsk_af_ops->queue_xmit(k, out);
  return call.result(0);
}

namespace {

/// How much of a segment may go again: one MSS, or what the window has room for. Of the oldest one MSS goes even into a
/// window that has shrunk to before it: it probes. 0: nothing.
u32 tcp_retransmit_room(const sock* sk, const sk_buff* skb) {
  const tcp_sock* tp = tcp_sk(sk);
  const u32 mss = tcp_current_mss(sk);
  const auto room = static_cast<std::int32_t>(tp->snd_una + tp->snd_wnd - skb->seq);
  if (room <= 0) return skb->seq == tp->snd_una ? mss : 0;
  return std::min(static_cast<u32>(room), mss);
}

}  // namespace

void tcp_retransmit_skb(Kernel& k, sock* sk, sk_buff* skb) {
  Call call(k, Fn::tcp_retransmit_skb, sk);
  tcp_sock* tp = tcp_sk(sk);
  if (skb->len > 0) {
    const u32 room = tcp_retransmit_room(sk, skb);
    if (room == 0 || (skb->len > room && !tcp_fragment(k, sk, skb, room))) return;
  }
  k.rule(Rule::tcp_retransmits, sk);
  if (__tcp_transmit_skb(k, sk, skb, true) != 0) return;
  if ((skb->sacked & TCPCB_SACKED_RETRANS) == 0) tp->retrans_out += static_cast<u16>(tcp_skb_pcount(skb));
  skb->sacked |= static_cast<skb_sacked>(TCPCB_SACKED_RETRANS | TCPCB_EVER_RETRANS);
  if (tp->retrans_stamp == 0) tp->retrans_stamp = tcp_stamp_ms(k);
}

u32 tcp_acceptable_seq(const sock* sk) {
  const tcp_sock* tp = tcp_sk(sk);
  const u32 end = tp->snd_una + tp->snd_wnd;
  // windows are told in units: one that seems a little smaller than before was only rounded
  bool promised = !before(end, tp->snd_nxt) || tp->snd_nxt - end < 1u << tp->rcv_wscale;
  return promised ? tp->snd_nxt.get() : end;
}

void tcp_send_ack(Kernel& k, sock* sk) {
  if (tcp_state(sk) == TcpState::CLOSE) return;
  Call call(k, Fn::__tcp_send_ack, sk);
  sk_buff* skb = alloc_skb(k, nullptr, "");
  if (skb == nullptr) {                         // later, then
    constexpr u64 kDelackMax = 200 * kNsPerMs;  // TCP_DELACK_MAX
    inet_csk_schedule_ack(sk);
    tcp_arm_delack(k, sk, kDelackMax);
    return;
  }
  skb->flags = TCPHDR_ACK;
  skb->seq = tcp_acceptable_seq(sk);
  skb->end_seq = skb->seq;
  __tcp_transmit_skb(k, sk, skb, false);
}

void tcp_send_delayed_ack(Kernel& k, sock* sk) {
  Call call(k, Fn::tcp_send_delayed_ack, sk);
  constexpr u64 kDelackMin = 40 * kNsPerMs;  // TCP_DELACK_MIN; loopback's round trip never makes it longer
  constexpr u64 kTick = 4 * kNsPerMs;        // without data before there is no time to wait: at the next tick
  u64 delay = std::clamp(inet_csk(sk)->icsk_ack_ato.get().ns, kTick, kDelackMin);
  inet_csk_schedule_ack(sk);
  k.rule(Rule::tcp_ack_delayed, sk);
  if ((inet_csk(sk)->icsk_ack_pending & ICSK_ACK_TIMER) == 0) tcp_arm_delack(k, sk, delay);
}

void tcp_send_fin(Kernel& k, sock* sk) {
  Call call(k, Fn::tcp_send_fin, sk);
  tcp_sock* tp = tcp_sk(sk);
  if (sk_buff* tail = sk->sk_write_queue.list.back()) {  // the FIN rides on the last data that waits
    tail->flags |= TCPHDR_FIN;
    ++tail->end_seq;
  } else {
    sk_buff* skb = alloc_skb_nofail(k, sk, "");
    skb->flags = static_cast<tcp_flags>(TCPHDR_ACK | TCPHDR_FIN);
    skb->seq = tp->write_seq;
    skb->end_seq = skb->seq + 1;
    sk->sk_write_queue.list.push_back(skb);
    ++sk->sk_write_queue.qlen;
    sk_wmem_charge(sk, skb->truesize);
  }
  ++tp->write_seq;
  __tcp_push_pending_frames(k, sk, tcp_current_mss(sk), TCP_NAGLE_OFF);
}

void tcp_send_active_reset(Kernel& k, sock* sk) {
  Call call(k, Fn::tcp_send_active_reset, sk);
  sk_buff* skb = alloc_skb(k, nullptr, "");
  if (skb == nullptr) return;  // the peer will find out when it sends
  skb->flags = static_cast<tcp_flags>(TCPHDR_ACK | TCPHDR_RST);
  skb->seq = tcp_acceptable_seq(sk);
  skb->end_seq = skb->seq;
  __tcp_transmit_skb(k, sk, skb, false);
}

sk_buff* make_bare_segment(Kernel& k, const BareSegment& segment) {
  sk_buff* skb = alloc_skb(k, nullptr, "");
  if (skb == nullptr) return nullptr;
  skb->saddr = segment.from.ip;
  skb->daddr = segment.to.ip;
  skb->v6 = segment.v6;
  skb->saddr6 = segment.from6;
  skb->daddr6 = segment.to6;
  skb->source = segment.from.port;
  skb->dest = segment.to.port;
  skb->seq = segment.seq;
  skb->end_seq = segment.seq + ((segment.flags & TCPHDR_SYN) != 0 ? 1 : 0);
  skb->ack_seq = segment.ack;
  skb->window = record::Hex{segment.window};
  skb->wscale = segment.wscale;
  skb->flags = segment.flags;
  return skb;
}

void tcp_v4_send_reset(Kernel& k, const sk_buff* skb) {
  if ((skb->flags & TCPHDR_RST) != 0) return;  // never answer a reset with a reset
  Call call(k, skb->v6 ? Fn::tcp_v6_send_reset : Fn::tcp_v4_send_reset, skb);
  bool has_ack = (skb->flags & TCPHDR_ACK) != 0;
  BareSegment reset{{skb->daddr, skb->dest}, {skb->saddr, skb->source}, 0, 0, 0, TCPHDR_RST};
  if (has_ack) {
    reset.seq = skb->ack_seq;
  } else {
    reset.flags = static_cast<tcp_flags>(TCPHDR_RST | TCPHDR_ACK);
    reset.ack = skb->end_seq;
  }
  reset.v6 = skb->v6;
  reset.from6 = skb->daddr6;
  reset.to6 = skb->saddr6;
  ip_send_unicast_reply(k, reset);
}

}  // namespace wakepath::kernel
