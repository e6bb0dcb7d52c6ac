// Models: TIME_WAIT in net/ipv4/tcp_minisocks.c and inet_timewait_sock.c, Linux 6.18: the small object that remembers a
// connection, and what it answers. Left out: PAWS and timestamps (a new SYN is told by its sequence number alone, which
// grows with every connection here), net.ipv4.tcp_rfc1337.

#include <algorithm>

#include "sim/kernel/ip.hh"
#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp.hh"
#include "sim/kernel/timer.hh"

namespace wakepath::kernel {

namespace {

void arm_tw_timer(Kernel& k, tcp_timewait_sock* tw, u64 timeout_ns) {
  __mod_timer(k, tw->tw_timer, k.now_ns() + timeout_ns, tw);
  tw->tw_timer_expires = record::Time{k.now_ns() + timeout_ns};
}

void run_tw_timer(Kernel& k, tcp_timewait_sock* tw) {
  timer_softirq(k, Fn::tw_timer_handler, tw, [&k, tw] { inet_twsk_kill(k, tw); });
}

}  // namespace

void tcp_time_wait(Kernel& k, sock* sk, TcpState substate, u64 timeout_ns) {
  Call call(k, Fn::tcp_time_wait, sk);
  const tcp_sock* tp = tcp_sk(sk);
  u64 rto = inet_csk(sk)->icsk_rto.get().ns;
  timeout_ns = substate == TcpState::TIME_WAIT ? k.config.timewait_ns : std::max(timeout_ns, rto * 4 - rto / 2);
  tcp_timewait_sock* tw = nullptr;
  {
    Call alloc(k, Fn::inet_twsk_alloc, sk);
    tw = k.alloc(k.timewait_socks);
  }
  if (tw == nullptr) {  // then without it
    tcp_done(k, sk);
    return;
  }
  sock_common* c = as_common(tw);
  c->skc_family = sk->common.skc_family;
  c->skc_state = TcpState::TIME_WAIT;
  c->skc_rcv_saddr = sk->common.skc_rcv_saddr;
  c->skc_num = sk->common.skc_num;
  c->skc_daddr = sk->common.skc_daddr;
  c->skc_dport = sk->common.skc_dport;
  c->skc_reuse = sk->common.skc_reuse;
  c->skc_reuseport = sk->common.skc_reuseport;
  c->skc_ipv6only = sk->common.skc_ipv6only;
  c->skc_v6_rcv_saddr = sk->common.skc_v6_rcv_saddr;
  c->skc_v6_daddr = sk->common.skc_v6_daddr;
  tw->tw_sk.tw_substate = substate;
  tw->since_ns = k.now_ns();
  tw->tw_sk.tw_sport = sk->common.skc_num;
  tw->tw_rcv_nxt = tp->rcv_nxt;
  tw->tw_snd_nxt = tp->snd_nxt;
  tw->tw_rcv_wnd = tcp_receive_window(sk);
  tw->tw_rcv_wscale = tcp_sk(sk)->rcv_wscale;
  {
    Call dance(k, Fn::inet_twsk_hashdance_schedule, tw);
    inet_twsk_bind_node_add(tw, sk);
    c->skc_refcnt = 3;  // ehash, the port's bucket, the timer
    ehash_remove(k, &sk->common);
    ehash_insert(k, c);
    tw->tw_timer.function = timer_of<&tcp_timewait_sock::tw_timer, run_tw_timer>;
    Call schedule(k, Fn::__inet_twsk_schedule, tw);
    arm_tw_timer(k, tw, timeout_ns);
  }
  if (k.mutant(Mutant::timewait_forgotten)) inet_twsk_kill(k, tw);
  tcp_done(k, sk);
}

void inet_twsk_kill(Kernel& k, tcp_timewait_sock* tw) {
  Call call(k, Fn::inet_twsk_kill, tw);
  k.scheduler.cancel(tw->tw_timer);
  ehash_remove(k, as_common(tw));
  inet_twsk_bind_unhash(k, tw);
  k.timewait_socks.free(tw);
}

namespace {

void tcp_v4_timewait_ack(Kernel& k, const tcp_timewait_sock* tw) {
  const sock_common& c = tw->tw_sk.tw_common;
  bool v6 = speaks_v6(&c);
  Call call(k, v6 ? Fn::tcp_v6_send_ack : Fn::tcp_v4_send_ack, tw);
  ip_send_unicast_reply(k, {{c.skc_rcv_saddr.get().value, c.skc_num},
                            {c.skc_daddr.get().value, c.skc_dport},
                            tw->tw_snd_nxt,
                            tw->tw_rcv_nxt,
                            tw->tw_rcv_wnd,
                            TCPHDR_ACK,
                            v6,
                            c.skc_v6_rcv_saddr,
                            c.skc_v6_daddr,
                            tw->tw_rcv_wscale});
}

/// What becomes of a segment for a connection that is over; kEnd: and of what remembers it.
enum class TimewaitAnswer { kNothing, kEnd, kAck, kReset, kNewConnection };

TimewaitAnswer tcp_timewait_check_oow_rate_limit(Kernel& k, tcp_timewait_sock* tw, const sk_buff* skb) {
  bool limited = tcp_oow_rate_limited(k, skb, &tw->tw_last_oow_ack_time, tw);
  return limited ? TimewaitAnswer::kNothing : TimewaitAnswer::kAck;
}

/// Our FIN is acknowledged, the peer's has not come: the checks are those of a whole socket.
TimewaitAnswer in_fin_wait2(Kernel& k, tcp_timewait_sock* tw, const sk_buff* skb) {
  if (!tcp_in_window(skb->seq, skb->end_seq, tw->tw_rcv_nxt, tw->tw_rcv_nxt + tw->tw_rcv_wnd))
    return tcp_timewait_check_oow_rate_limit(k, tw, skb);
  if ((skb->flags & TCPHDR_RST) != 0) return TimewaitAnswer::kEnd;
  if ((skb->flags & TCPHDR_SYN) != 0 && !before(skb->seq, tw->tw_rcv_nxt)) return TimewaitAnswer::kReset;
  if ((skb->flags & TCPHDR_ACK) == 0 || !after(skb->end_seq, tw->tw_rcv_nxt) || skb->end_seq == skb->seq)
    return TimewaitAnswer::kNothing;
  if ((skb->flags & TCPHDR_FIN) == 0 || skb->end_seq != tw->tw_rcv_nxt + 1)
    return TimewaitAnswer::kReset;  // data: nobody is there to read it
  tw->tw_sk.tw_substate = TcpState::TIME_WAIT;
  tw->tw_rcv_nxt = skb->end_seq;
  arm_tw_timer(k, tw, k.config.timewait_ns);
  return TimewaitAnswer::kAck;
}

TimewaitAnswer tcp_timewait_state_process(Kernel& k, tcp_timewait_sock* tw, const sk_buff* skb) {
  Call call(k, Fn::tcp_timewait_state_process, tw);
  if (tw->tw_sk.tw_substate == TcpState::FIN_WAIT2) return in_fin_wait2(k, tw, skb);
  bool syn = (skb->flags & TCPHDR_SYN) != 0;
  bool ack = (skb->flags & TCPHDR_ACK) != 0;
  bool rst = (skb->flags & TCPHDR_RST) != 0;
  if (skb->seq == tw->tw_rcv_nxt && (skb->seq == skb->end_seq || rst)) {
    if (rst) return TimewaitAnswer::kEnd;  // TIME_WAIT's assassination, RFC 1337
    arm_tw_timer(k, tw, k.config.timewait_ns);
    return TimewaitAnswer::kNothing;
  }
  if (syn && !rst && !ack && after(skb->seq, tw->tw_rcv_nxt)) return TimewaitAnswer::kNewConnection;
  if (rst) return TimewaitAnswer::kNothing;
  if (ack) arm_tw_timer(k, tw, k.config.timewait_ns);  // the peer's FIN once more: it has not heard our last ACK
  return tcp_timewait_check_oow_rate_limit(k, tw, skb);
}

}  // namespace

bool tcp_timewait_rcv(Kernel& k, tcp_timewait_sock* tw, sk_buff* skb) {
  switch (tcp_timewait_state_process(k, tw, skb)) {
    case TimewaitAnswer::kNothing:
      break;
    case TimewaitAnswer::kAck:
      tcp_v4_timewait_ack(k, tw);
      break;
    case TimewaitAnswer::kEnd:
      inet_twsk_kill(k, tw);
      break;
    case TimewaitAnswer::kReset:
      tcp_v4_send_reset(k, skb);
      inet_twsk_kill(k, tw);
      break;
    case TimewaitAnswer::kNewConnection:
      if (inet_lookup_listener(k, flow_of(skb)) != nullptr) {
        inet_twsk_kill(k, tw);
        return true;
      }
      tcp_v4_timewait_ack(k, tw);
      break;
  }
  Call drop(k, Fn::sk_skb_reason_drop, skb);
  k.skbs.free(skb);
  return false;
}

}  // namespace wakepath::kernel
