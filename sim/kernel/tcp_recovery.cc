// Models: net/ipv4/tcp_recovery.c (RACK, RFC 8985) and the part of tcp_input.c that decides what is lost and sends it
// again, Linux 6.18. Left out: RACK's own timer (it looks when an ACK comes; else the retransmission timeout does),
// undoing, proportional rate reduction (in recovery what is lost goes out at once, as much as there is).

#include <algorithm>

#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp.hh"

namespace wakepath::kernel {

namespace {

constexpr u32 kReordering = 3;  // net.ipv4.tcp_reordering

bool has(const sk_buff* skb, skb_sacked bit) { return (skb->sacked & bit) != 0; }

void clear(sk_buff* skb, skb_sacked bit) {
  if (has(skb, bit)) skb->sacked &= static_cast<skb_sacked>(~static_cast<u32>(bit));
}

void forget_retransmission(sock* sk, sk_buff* skb) {
  if (!has(skb, TCPCB_SACKED_RETRANS)) return;
  clear(skb, TCPCB_SACKED_RETRANS);
  tcp_sk(sk)->retrans_out -= static_cast<u16>(tcp_skb_pcount(skb));
}

/// How much later than its successor a segment may arrive and still be thought of as overtaken only.
u64 tcp_rack_reo_wnd(const tcp_sock* tp) {
  if (tp->icsk_ca_state >= ca_state::TCP_CA_Recovery || tp->sacked_out >= kReordering) return 0;
  return u64{std::min(tp->min_rtt_us / 4, tp->srtt_us >> 3)} * 1000;
}

/// No time passes between two segments here. So of those of one moment the number decides, as in Linux; and what was
/// sent again in that moment is behind what has arrived, or it would be lost again at once, for ever.
bool sent_before(const sk_buff* skb, const tcp_sock* tp) {
  return skb->sent_at_ns < tp->rack_sent_ns ||
         (skb->sent_at_ns == tp->rack_sent_ns && !has(skb, TCPCB_SACKED_RETRANS) &&
          before(skb->end_seq, tp->rack_end_seq));
}

/// Segments that the peer got twice, as the first block tells: what was sent again needlessly is delivered, too. (Only
/// what was sent again comes twice here; Linux makes sure by counting.)
u32 tcp_check_dsack(const sock* sk, const sk_buff* ack) {
  const auto [begin, end] = ack->sacks.front();
  if (!before(begin, ack->ack_seq)) return 0;
  const u32 mss = tcp_current_mss(sk);
  return end - begin > mss ? (end - begin + mss - 1) / mss : 1;
}

/// Lost is what was sent before something that has arrived, if it had the time to arrive too. True: something is.
bool tcp_rack_mark_lost(Kernel& k, sock* sk) {
  Call call(k, Fn::tcp_rack_mark_lost, sk);
  const tcp_sock* tp = tcp_sk(sk);
  u64 patience = u64{tp->rack_rtt_us} * 1000 + tcp_rack_reo_wnd(tp);
  bool any = false;
  for (sk_buff* skb : sk->tcp_rtx_queue) {
    if (has(skb, TCPCB_SACKED_ACKED)) continue;
    bool waits = has(skb, TCPCB_LOST) && !has(skb, TCPCB_SACKED_RETRANS);
    if (!waits && sent_before(skb, tp) && k.now_ns() - skb->sent_at_ns >= patience) {
      forget_retransmission(sk, skb);
      skb->sacked |= TCPCB_LOST;
      waits = true;
    }
    any = any || waits;
  }
  return call.result(any);
}

void tcp_enter_recovery(Kernel& k, sock* sk) {
  Call call(k, Fn::tcp_enter_recovery, sk);
  k.rule(Rule::tcp_fast_retransmit, sk);
  tcp_sk(sk)->high_seq = tcp_sk(sk)->snd_nxt;
  tcp_sk(sk)->tlp_high_seq = 0;  // tcp_init_cwnd_reduction(), as the next
  tcp_lower_ssthresh(sk);
  tcp_sk(sk)->icsk_ca_state = ca_state::TCP_CA_Recovery;
}

}  // namespace

void tcp_rack_advance(Kernel& k, sock* sk, const sk_buff* skb) {
  tcp_sock* tp = tcp_sk(sk);
  auto rtt = static_cast<u32>((k.now_ns() - skb->sent_at_ns) / 1000);
  if (has(skb, TCPCB_EVER_RETRANS) && rtt < tp->min_rtt_us) return;  // it was the first transmission that arrived
  tp->rack_rtt_us = rtt;
  if (skb->sent_at_ns > tp->rack_sent_ns ||
      (skb->sent_at_ns == tp->rack_sent_ns && after(skb->end_seq, tp->rack_end_seq))) {
    tp->rack_sent_ns = skb->sent_at_ns;
    tp->rack_end_seq = skb->end_seq;
  }
}

void tcp_xmit_retransmit_queue(Kernel& k, sock* sk) {
  Call call(k, Fn::tcp_xmit_retransmit_queue, sk);
  const bool slowly = tcp_sk(sk)->icsk_ca_state == ca_state::TCP_CA_Loss;
  for (sk_buff* skb : sk->tcp_rtx_queue) {
    if (slowly && tcp_cwnd_test(sk) == 0) break;
    if (has(skb, TCPCB_LOST) && !has(skb, TCPCB_SACKED_RETRANS) && !has(skb, TCPCB_SACKED_ACKED))
      tcp_retransmit_skb(k, sk, skb);
  }
}

u32 tcp_sacktag_write_queue(Kernel& k, sock* sk, const sk_buff* ack) {
  Call call(k, Fn::tcp_sacktag_write_queue, sk);
  u32 delivered = tcp_check_dsack(sk, ack);
  for (sk_buff* skb : sk->tcp_rtx_queue) {
    if (has(skb, TCPCB_SACKED_ACKED)) continue;
    bool there = std::any_of(ack->sacks.begin(), ack->sacks.end(), [skb](const auto& block) {
      return !before(skb->seq, block.first) && !after(skb->end_seq, block.second);
    });
    if (!there) continue;
    forget_retransmission(sk, skb);
    clear(skb, TCPCB_LOST);
    skb->sacked |= TCPCB_SACKED_ACKED;
    tcp_sk(sk)->sacked_out += static_cast<u16>(tcp_skb_pcount(skb));
    delivered += tcp_skb_pcount(skb);
    tcp_rack_advance(k, sk, skb);
  }
  return delivered;
}

bool tcp_fastretrans_alert(Kernel& k, sock* sk) {
  Call call(k, Fn::tcp_fastretrans_alert, sk);
  tcp_sock* tp = tcp_sk(sk);
  bool recovering = tp->icsk_ca_state >= ca_state::TCP_CA_Recovery;
  if (recovering && !before(tp->snd_una, tp->high_seq)) {
    if (tp->icsk_ca_state == ca_state::TCP_CA_Recovery) tp->snd_cwnd = tp->snd_ssthresh;  // tcp_end_cwnd_reduction()
    tp->icsk_ca_state = ca_state::TCP_CA_Open;
    tp->retrans_stamp = 0;
    recovering = false;
  }
  bool lost = tcp_rack_mark_lost(k, sk);
  if (!recovering) {
    tp->icsk_ca_state = tp->sacked_out != 0 ? ca_state::TCP_CA_Disorder : ca_state::TCP_CA_Open;
    if (!lost) return call.result(false);
    tcp_enter_recovery(k, sk);
  }
  return call.result(true);
}

/// The tail is sent again, its last MSS of several, or what waits and has room: the answer tells what was lost.
void tcp_send_loss_probe(Kernel& k, sock* sk) {
  Call call(k, Fn::tcp_send_loss_probe, sk);
  tcp_sock* tp = tcp_sk(sk);
  const u32 mss = tcp_current_mss(sk);
  sk_buff* last = sk->tcp_rtx_queue.back();
  if (tp->tlp_high_seq == 0 && last != nullptr) {
    k.rule(Rule::tcp_probes_tail, sk);
    const sk_buff* waits = sk->sk_write_queue.list.front();
    const bool fits =
        waits != nullptr && !after(waits->seq + std::min(waits->len.get(), mss), tp->snd_una + tp->snd_wnd);
    bool sent = fits && tcp_write_xmit(k, sk, mss, TCP_NAGLE_OFF, Push::probe);
    if (!fits) {
      const u32 before_last = last->mss != 0 ? (last->len - 1) / last->mss * last->mss : 0;
      if (before_last == 0 || tcp_fragment(k, sk, last, before_last)) {
        tcp_retransmit_skb(k, sk, sk->tcp_rtx_queue.back());
        sent = true;
      }
    }
    if (sent) tp->tlp_high_seq = tp->snd_nxt;
  }
  tcp_rearm_rto(k, sk);
}

void tcp_enter_loss(Kernel& k, sock* sk) {
  Call call(k, Fn::tcp_enter_loss, sk);
  tcp_sock* tp = tcp_sk(sk);
  for (sk_buff* skb : sk->tcp_rtx_queue) {
    forget_retransmission(sk, skb);
    if (!has(skb, TCPCB_SACKED_ACKED)) skb->sacked |= TCPCB_LOST;
  }
  const bool mended = !after(tp->high_seq, tp->snd_una);
  if (tp->icsk_ca_state <= ca_state::TCP_CA_Disorder || mended ||
      (tp->icsk_ca_state == ca_state::TCP_CA_Loss && inet_csk(sk)->icsk_retransmits == 0))
    tcp_lower_ssthresh(sk);
  tp->snd_cwnd = static_cast<u16>(tcp_packets_in_flight(sk) + 1);
  inet_csk(sk)->snd_cwnd_cnt = 0;
  tp->high_seq = tp->snd_nxt;
  tp->icsk_ca_state = ca_state::TCP_CA_Loss;
}

}  // namespace wakepath::kernel
