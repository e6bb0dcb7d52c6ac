// Models: tcp_ack() of net/ipv4/tcp_input.c, Linux 6.18: what is acknowledged leaves the retransmit queue, the peer's
// window, round trips. Left out: timestamps and PAWS, undoing of needless retransmissions.

#include <algorithm>

#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp.hh"

namespace wakepath::kernel {

namespace {

constexpr u32 kRtoMinUs = 200'000;  // TCP_RTO_MIN

bool tcp_may_update_window(const tcp_sock* tp, const sk_buff* skb, u32 window) {
  return after(skb->ack_seq, tp->snd_una) || after(skb->seq, tp->snd_wl1) ||
         (skb->seq == tp->snd_wl1 && (window > tp->snd_wnd || window == 0));
}

/// Window, then what is acknowledged, as on 6.18.
void tcp_ack_update_window(sock* sk, const sk_buff* skb) {
  tcp_sock* tp = tcp_sk(sk);
  u32 window = skb->window.get().value;
  if (tcp_may_update_window(tp, skb, window)) {
    tp->snd_wl1 = skb->seq;
    if (tp->snd_wnd != window) {
      tp->fast_path = false;
      tcp_fast_path_check(sk);
    }
    tp->snd_wnd = window;
    tp->max_window = std::max(tp->max_window.get(), window);
  }
  if (after(skb->ack_seq, tp->snd_una)) {
    tp->bytes_acked += skb->ack_seq - tp->snd_una;
    tp->snd_una = skb->ack_seq;
  }
}

/// tcp_tso_acked(): the first of a segment's several MSS were acknowledged, so their memory is free. Returns how many
/// of them are whole; what is left of one waits for the rest.
u32 tcp_tso_acked(sock* sk, sk_buff* skb) {
  const u32 before_it = tcp_skb_pcount(skb);
  const u32 acked = tcp_sk(sk)->snd_una - skb->seq;
  skb->payload = skb->payload.view().substr(acked);
  skb->len -= acked;
  skb->seq += acked;
  skb->page_off = static_cast<u16>((skb->page_off + acked) % kPageFrag);
  skb->truesize -= acked;
  sk_wmem_uncharge(sk, acked);
  if (skb->len <= skb->mss) skb->mss = u16{0};
  return before_it - tcp_skb_pcount(skb);
}

/// Returns how many segments of one MSS were delivered, as it turns out; a SYN is none.
u32 tcp_clean_rtx_queue(Kernel& k, sock* sk, u32 prior_una) {
  Call call(k, Fn::tcp_clean_rtx_queue, sk);
  tcp_sock* tp = tcp_sk(sk);
  u32 delivered = 0;
  u64 rtt_ns = kForever;
  while (sk_buff* sent = sk->tcp_rtx_queue.front()) {
    const bool whole = !after(sent->end_seq, tp->snd_una);
    if (!whole && (tcp_skb_pcount(sent) == 1 || !after(tp->snd_una, sent->seq))) break;
    const auto acked = static_cast<u16>(whole ? tcp_skb_pcount(sent) : tcp_tso_acked(sk, sent));
    if (acked == 0) break;
    tp->packets_out -= acked;
    if ((sent->sacked & TCPCB_SACKED_ACKED) != 0) {
      tp->sacked_out -= acked;
    } else {
      tcp_rack_advance(k, sk, sent);
      delivered += (sent->flags & TCPHDR_SYN) != 0 ? 0 : acked;
      rtt_ns = k.now_ns() - sent->sent_at_ns;
    }
    if ((sent->sacked & TCPCB_SACKED_RETRANS) != 0) tp->retrans_out -= acked;
    if (!whole) break;
    sk->tcp_rtx_queue.erase(sent);
    sk_wmem_uncharge(sk, sent->truesize);
    kfree_skb(k, sent);
  }
  if (tp->snd_up - prior_una <= tp->snd_una - prior_una) tp->snd_up = tp->snd_una;
  if (rtt_ns != kForever) tcp_rtt_estimator(sk, rtt_ns);
  return delivered;
}

/// What is still in flight has time again.
void tcp_set_xmit_timer(Kernel& k, sock* sk) {
  inet_csk(sk)->loss_probe = false;
  tcp_schedule_loss_probe(k, sk);
  if (!inet_csk(sk)->loss_probe) tcp_rearm_rto(k, sk);
}

}  // namespace

void tcp_rtt_estimator(sock* sk, u64 rtt_ns) {
  tcp_sock* tp = tcp_sk(sk);
  tp->min_rtt_us = std::min(tp->min_rtt_us, static_cast<u32>(rtt_ns / 1000));
  auto rtt = static_cast<std::int64_t>(rtt_ns / 1000);
  auto smoothed = static_cast<std::int64_t>(tp->srtt_us);
  auto deviation = static_cast<std::int64_t>(tp->rttvar_us);
  if (smoothed == 0) {
    smoothed = rtt << 3;
    deviation = rtt << 1;
  } else {  // Van Jacobson's: gains of an eighth and a quarter
    std::int64_t error = rtt - (smoothed >> 3);
    smoothed += error;
    deviation += (error < 0 ? -error : error) - (deviation >> 2);
  }
  tp->srtt_us = static_cast<u32>(std::max<std::int64_t>(smoothed, 1));
  tp->rttvar_us = static_cast<u32>(std::max<std::int64_t>(deviation, 0));
  inet_csk(sk)->icsk_rto = record::Duration{u64{(tp->srtt_us >> 3) + std::max(tp->rttvar_us.get(), kRtoMinUs)} * 1000};
  inet_csk(sk)->icsk_backoff = 0;
}

bool tcp_ack(Kernel& k, sock* sk, const sk_buff* skb) {
  Call call(k, Fn::tcp_ack, sk);
  tcp_sock* tp = tcp_sk(sk);
  inet_connection_sock* icsk = inet_csk(sk);
  u32 prior_una = tp->snd_una;
  bool prior_packets = tp->packets_out != 0;
  if (after(skb->ack_seq, tp->snd_nxt)) return call.result(false);  // acknowledges what was never sent
  bool old = before(skb->ack_seq, prior_una);
  if (!old) {
    if (skb->ack_seq != prior_una) icsk->icsk_retransmits = 0;
    tcp_ack_update_window(sk, skb);
    icsk->icsk_probes_out = 0;
    tp->rcv_tstamp = tcp_stamp_ms(k);
    if (!prior_packets) {
      tcp_ack_probe(k, sk);
      return call.result(true);
    }
  }
  u32 delivered = skb->sacks.empty() ? 0 : tcp_sacktag_write_queue(k, sk, skb);
  if (tp->snd_una != prior_una) {
    delivered += tcp_clean_rtx_queue(k, sk, prior_una);
    if (tp->packets_out == 0)
      tcp_clear_retrans(sk);
    else
      tcp_set_xmit_timer(k, sk);
  }
  if (tp->tlp_high_seq != 0 && !before(skb->ack_seq, tp->tlp_high_seq)) tp->tlp_high_seq = 0;  // tcp_process_tlp_ack()
  bool again = false;
  if (tp->sacked_out != 0 || tp->icsk_ca_state != ca_state::TCP_CA_Open) again = tcp_fastretrans_alert(k, sk);
  if (tp->snd_una != prior_una) tcp_cong_avoid(sk, delivered);
  if (again) tcp_xmit_retransmit_queue(k, sk);
  return call.result(true);
}

}  // namespace wakepath::kernel
