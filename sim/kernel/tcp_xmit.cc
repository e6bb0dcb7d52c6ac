// Models: tcp_write_xmit() of net/ipv4/tcp_output.c, Linux 6.18, and what it asks before a segment goes out: window,
// Nagle, how much of the queue makes one segment.
// Left out: pacing; small queues (lo gives a segment's memory back before the next one is sent); MTU probing; and
// tcp_tso_should_defer(): it holds back what would not fill a third of the window when the oldest segment in flight is
// between half a round trip and a millisecond old, and here no time passes within a call.

#include <algorithm>

#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp.hh"

namespace wakepath::kernel {

namespace {

/// Nagle with Minshall's change: a small segment waits while another small one is not acknowledged. Cork: it waits
/// until it is full.
bool tcp_nagle_check(bool partial, const tcp_sock* tp, u32 nonagle) {
  if (!partial) return false;
  if ((nonagle & TCP_NAGLE_CORK) != 0) return true;
  bool small_in_flight = after(tp->snd_sml, tp->snd_una) && !after(tp->snd_sml, tp->snd_nxt);
  return nonagle == TCP_NAGLE_ON && tp->packets_out != 0 && small_in_flight;
}

bool tcp_nagle_test(const tcp_sock* tp, const sk_buff* skb, u32 mss, u32 nonagle) {
  if ((nonagle & TCP_NAGLE_PUSH) != 0 || tcp_urg_mode(tp) || (skb->flags & TCPHDR_FIN) != 0) return true;
  return !tcp_nagle_check(skb->len < mss, tp, nonagle);
}

/// Is there room in the peer's window for the segment, or for one MSS of it? What does not fit whole waits: no silly
/// small pieces; only a probe sends what the window has room for.
bool tcp_snd_wnd_test(const tcp_sock* tp, const sk_buff* skb, u32 mss) {
  u32 end = skb->len > mss ? skb->seq + mss : skb->end_seq.get();
  return !after(end, tp->snd_una + tp->snd_wnd);
}

/// As tcp_tso_autosize(): how many MSS a segment may stand for. Two at least (net.ipv4.tcp_min_tso_segs), even when
/// that is more than the device takes: then it is cut again (skb_segment()).
u32 tcp_tso_segs(u32 mss) {
  constexpr u32 kMinTsoSegs = 2;
  return std::max(kGsoMax / mss, kMinTsoSegs);
}

/// How much of a segment of several MSS goes now: what the window has room for, its last part if Nagle lets it.
u32 tcp_mss_split_point(const sock* sk, const sk_buff* skb, u32 mss, u32 segs, u32 nonagle) {
  const tcp_sock* tp = tcp_sk(sk);
  const u32 window = tp->snd_una + tp->snd_wnd - skb->seq;
  const u32 most = mss * segs;
  if (most <= window && skb != sk->sk_write_queue.list.back()) return most;
  const u32 needed = std::min(skb->len.get(), window);
  if (most <= needed) return most;
  const u32 partial = needed % mss;
  return tcp_nagle_check(partial != 0, tp, nonagle) ? needed - partial : needed;
}

/// As tcp_grow_skb() since 6.10: what was written while the window was closed travels as few large segments. Takes over
/// from the segment behind what there is room for.
void tcp_grow_skb(Kernel& k, sock* sk, sk_buff* skb, u32 most) {
  sk_buff* next = skb->node.next;
  if (next == nullptr || skb->len >= most || skb->len == 0 || next->len == 0) return;
  u32 moved = std::min(most - skb->len, next->len.get());
  skb_append(k, skb, next->payload.view().substr(0, moved));
  if (moved < next->len) {
    next->payload = next->payload.view().substr(moved);
    next->len -= moved;
    next->seq += moved;
    next->truesize -= moved;
    next->page_off = static_cast<u16>((next->page_off + moved) % kPageFrag);
    return;
  }
  skb->end_seq = next->end_seq;
  skb->flags |= next->flags;
  sk_wmem_uncharge(sk, next->truesize - moved);
  sk->sk_write_queue.list.erase(next);
  --sk->sk_write_queue.qlen;
  kfree_skb(k, next);
}

}  // namespace

bool tcp_write_xmit(Kernel& k, sock* sk, u32 mss, u32 nonagle, Push push) {
  Call call(k, Fn::tcp_write_xmit, sk);
  tcp_sock* tp = tcp_sk(sk);
  const u32 most_segs = tcp_tso_segs(mss);
  bool sent = false;
  while (sk_buff* skb = sk->sk_write_queue.list.front()) {
    u32 segs = std::min(tcp_cwnd_test(sk), most_segs);
    if (segs == 0 && push == Push::probe) segs = 1;
    if (segs == 0) {
      k.rule(Rule::tcp_cwnd_full, sk);
      break;
    }
    tcp_grow_skb(k, sk, skb, segs * mss);
    if (!tcp_snd_wnd_test(tp, skb, mss) && !k.mutant(Mutant::window_ignored)) {
      k.rule(Rule::tcp_window_closed, sk);
      break;
    }
    const bool last = skb == sk->sk_write_queue.list.back();  // Nagle is about the last segment: more behind pushes it
    if (skb->len <= mss && !tcp_nagle_test(tp, skb, mss, last ? nonagle : static_cast<u32>(TCP_NAGLE_PUSH))) {
      k.rule((nonagle & TCP_NAGLE_CORK) != 0 ? Rule::tcp_cork_holds : Rule::tcp_nagle_holds, sk);
      break;
    }
    const u32 most = skb->len > mss && !tcp_urg_mode(tp) ? tcp_mss_split_point(sk, skb, mss, segs, nonagle) : mss;
    if (skb->len > most && !tcp_fragment(k, sk, skb, most)) break;
    skb->mss = skb->len > mss ? static_cast<u16>(mss) : u16{0};
    if (__tcp_transmit_skb(k, sk, skb, true) != 0) break;
    if (skb->len % mss != 0) tp->snd_sml = skb->end_seq;
    tcp_event_new_data_sent(k, sk, skb);
    sent = true;
    if (push != Push::all) break;
  }
  if (sent || tcp_cwnd_test(sk) == 0) tcp_cwnd_validate(sk);
  if (sent) tcp_schedule_loss_probe(k, sk);
  return call.result(sent);
}

void __tcp_push_pending_frames(Kernel& k, sock* sk, u32 mss, u32 nonagle) {
  if (sk->sk_write_queue.list.empty() || tcp_state(sk) == TcpState::CLOSE) return;
  Call call(k, Fn::__tcp_push_pending_frames, sk);
  tcp_write_xmit(k, sk, mss, nonagle, Push::all);
  tcp_check_probe_timer(k, sk);
}

}  // namespace wakepath::kernel
