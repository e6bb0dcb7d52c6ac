// Models: the end of a connection in net/ipv4/tcp.c and tcp_minisocks.c, Linux 6.18: close(), shutdown(), resets,
// TIME_WAIT.
// Left out: limits on orphans.

#include <algorithm>

#include "sim/kernel/ip.hh"
#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp.hh"
#include "sim/kernel/tcp_close.hh"

namespace wakepath::kernel {

namespace {

/// What our end's close makes of a state. True: a FIN has to go out.
bool tcp_close_state(Kernel& k, sock* sk) {
  switch (tcp_state(sk)) {
    case TcpState::ESTABLISHED:
    case TcpState::SYN_RECV:
      tcp_set_state(k, sk, TcpState::FIN_WAIT1);
      return true;
    case TcpState::CLOSE_WAIT:
      tcp_set_state(k, sk, TcpState::LAST_ACK);
      return true;
    case TcpState::SYN_SENT:
      tcp_set_state(k, sk, TcpState::CLOSE);
      return false;
    default:
      return false;
  }
}

/// As tcp_need_reset(): states in which an abort tells the peer.
bool tcp_need_reset(TcpState state) {
  return state == TcpState::ESTABLISHED || state == TcpState::CLOSE_WAIT || state == TcpState::FIN_WAIT1 ||
         state == TcpState::FIN_WAIT2 || state == TcpState::SYN_RECV;
}

void tcp_write_queue_purge(Kernel& k, sock* sk) {
  Call call(k, Fn::tcp_write_queue_purge, sk);
  while (sk_buff* skb = sk->sk_write_queue.list.pop_front()) {
    --sk->sk_write_queue.qlen;
    sk->sk_wmem_queued -= static_cast<int>(skb->truesize.get());
    kfree_skb(k, skb);
  }
  while (sk_buff* skb = sk->tcp_rtx_queue.pop_front()) {
    sk->sk_wmem_queued -= static_cast<int>(skb->truesize.get());
    kfree_skb(k, skb);
  }
  tcp_sock* tp = tcp_sk(sk);
  tp->packets_out = 0u;
  if (tp->sacked_out != 0) tp->sacked_out = 0u;
  if (tp->retrans_out != 0) tp->retrans_out = 0u;
  if (tp->icsk_ca_state != ca_state::TCP_CA_Open) tp->icsk_ca_state = ca_state::TCP_CA_Open;
  inet_csk(sk)->icsk_backoff = 0;
}

/// Throws away what was received. True when there was data in it that nobody had read.
bool drop_receive_queue(Kernel& k, sock* sk) {
  bool unread = false;
  while (sk_buff* skb = sk->sk_receive_queue.list.pop_front()) {
    --sk->sk_receive_queue.qlen;
    unread = unread || skb->len > skb->consumed;
    sock_rfree(k, sk, skb->truesize);
    kfree_skb(k, skb);
  }
  return unread;
}

void drop_out_of_order_queue(Kernel& k, sock* sk) {
  while (sk_buff* skb = tcp_sk(sk)->out_of_order_queue.pop_front()) {
    sock_rfree(k, sk, skb->truesize);
    kfree_skb(k, skb);
  }
}

/// An orphan whose FIN is acknowledged: who waits for the peer's? Nobody (TCP_LINGER2 below 0), the socket itself for
/// what is more than TIME_WAIT's minute, or a time-wait socket.
void orphan_in_fin_wait2(Kernel& k, sock* sk) {
  u64 wait = tcp_fin_time_ns(k, sk);
  if (tcp_sk(sk)->linger2_s < 0) {
    tcp_set_state(k, sk, TcpState::CLOSE);
    tcp_send_active_reset(k, sk);
  } else if (wait > k.config.timewait_ns) {
    tcp_reset_keepalive_timer(k, sk, wait - k.config.timewait_ns);
  } else {
    tcp_time_wait(k, sk, TcpState::FIN_WAIT2, wait);
  }
}

/// Our side is over: what the peer is told depends on the state.
void tell_peer(Kernel& k, sock* sk) {
  sk->sk_shutdown = SHUTDOWN_MASK;
  if (tcp_state(sk) == TcpState::LISTEN) {
    tcp_set_state(k, sk, TcpState::CLOSE);
    inet_csk_listen_stop(k, sk);
  } else {
    bool unread = drop_receive_queue(k, sk);
    if (tcp_state(sk) == TcpState::CLOSE) {
      // nothing to tell anybody
    } else if (unread && !k.mutant(Mutant::unread_data_closes_politely)) {
      k.rule(Rule::close_unread_data_resets, sk);
      TcpState before = tcp_state(sk);
      tcp_set_state(k, sk, TcpState::CLOSE);
      if (tcp_need_reset(before)) tcp_send_active_reset(k, sk);
    } else if (sock_flag(sk, SOCK_LINGER_BIT) && sk->linger_s == 0 && !k.mutant(Mutant::linger_ignored)) {
      tcp_disconnect(k, sk);
    } else if (tcp_close_state(k, sk)) {
      tcp_send_fin(k, sk);
    }
  }
}

/// From here on the sock has no socket; it ends now, or when peer or timer say so. Leaves a reference to its caller.
void become_orphan(Kernel& k, sock* sk) {
  TcpState state = tcp_state(sk);
  sock_hold(sk);
  sock_orphan(k, sk);
  local_bh_disable(k);
  if (!sk->sk_backlog.empty()) __release_sock(k, sk);
  bool gone_meanwhile = state != TcpState::CLOSE && tcp_state(sk) == TcpState::CLOSE;
  if (!gone_meanwhile) {
    bool was_closed = tcp_state(sk) == TcpState::CLOSE;
    if (tcp_state(sk) == TcpState::FIN_WAIT2) orphan_in_fin_wait2(k, sk);
    if (was_closed || (tcp_state(sk) == TcpState::CLOSE && tcp_sk(sk)->linger2_s < 0)) inet_csk_destroy_sock(k, sk);
  }
  local_bh_enable(k);
}

void run_tw_timer(Kernel& k, tcp_timewait_sock* tw) {
  timer_softirq(k, Fn::tw_timer_handler, tw, [&k, tw] { inet_twsk_kill(k, tw); });
}

void arm_tw_timer(Kernel& k, tcp_timewait_sock* tw, u64 timeout_ns) {
  k.scheduler.arm(tw->tw_timer, k.now_ns() + timeout_ns);
  tw->tw_timer_expires = record::Time{k.now_ns() + timeout_ns};
}

}  // namespace

u64 tcp_fin_time_ns(const Kernel& k, const sock* sk) {
  int seconds = tcp_sk(sk)->linger2_s != 0 ? tcp_sk(sk)->linger2_s : k.config.tcp_fin_timeout;
  u64 rto = inet_csk(sk)->icsk_rto_ns;
  return std::max(static_cast<u64>(std::max(seconds, 0)) * 1000 * kNsPerMs, rto * 4 - rto / 2);
}

TcpClose::Locked::Locked(Kernel& kernel, sock* socket) : k(kernel), sk(socket) { lock_sock(k, sk); }

TcpClose::Locked::~Locked() {
  release_sock(k, sk);
  sock_put(k, sk);
}

TcpClose::TcpClose(Kernel& k, sock* sk) : call_(k, Fn::tcp_close, sk), locked_(k, sk), inner_(k, Fn::__tcp_close, sk) {
  tell_peer(k, sk);
}

TcpClose::~TcpClose() {
  if (!locked_.sk->sk_lock_owned) lock_sock(locked_.k, locked_.sk);  // killed while it lingered
  become_orphan(locked_.k, locked_.sk);
}

MaySleep<> TcpClose::linger() {
  Kernel& k = locked_.k;
  sock* sk = locked_.sk;
  u64 timeout = static_cast<u64>(sk->linger_s) * 1000 * kNsPerMs;
  auto closing = [sk] {
    TcpState state = tcp_state(sk);
    return state == TcpState::FIN_WAIT1 || state == TcpState::CLOSING || state == TcpState::LAST_ACK;
  };
  Call call(k, Fn::sk_stream_wait_close, sk);
  while (closing() && timeout != 0 && !signal_pending(k)) {
    k.rule(Rule::close_lingers, sk);
    timeout = co_await sk_wait(k, sk, timeout);
  }
}

void tcp_close(Kernel& k, sock* sk) { TcpClose close(k, sk); }

void tcp_shutdown(Kernel& k, sock* sk, int how) {
  if ((how & SEND_SHUTDOWN) == 0) return;
  TcpState state = tcp_state(sk);
  if (state != TcpState::ESTABLISHED && state != TcpState::SYN_SENT && state != TcpState::CLOSE_WAIT) return;
  Call call(k, Fn::tcp_shutdown, sk);
  if (tcp_close_state(k, sk)) tcp_send_fin(k, sk);
}

void inet_csk_destroy_sock(Kernel& k, sock* sk) {
  Call call(k, Fn::inet_csk_destroy_sock, sk);
  Call destroy(k, Fn::tcp_v4_destroy_sock, sk);
  inet_csk_clear_xmit_timers(k, sk);
  tcp_write_queue_purge(k, sk);
  drop_out_of_order_queue(k, sk);
  inet_put_port(k, sk);
  sock_put(k, sk);
}

void tcp_done(Kernel& k, sock* sk) {
  Call call(k, Fn::tcp_done, sk);
  tcp_set_state(k, sk, TcpState::CLOSE);
  inet_csk_clear_xmit_timers(k, sk);
  sk->sk_shutdown = SHUTDOWN_MASK;
  if (!sock_flag(sk, SOCK_DEAD_BIT) && (sk->sk_socket != nullptr || sk->sk_wq != nullptr)) {
    if (!k.mutant(Mutant::reset_without_wake)) sk->sk_state_change(k, sk);
  } else if (sock_flag(sk, SOCK_DEAD_BIT)) {
    inet_csk_destroy_sock(k, sk);
  }
}

void tcp_done_with_error(Kernel& k, sock* sk, int error) {
  Call call(k, Fn::tcp_done_with_error, sk);
  sk->sk_err = error;
  tcp_write_queue_purge(k, sk);
  tcp_done(k, sk);
  if (!sock_flag(sk, SOCK_DEAD_BIT) && !k.mutant(Mutant::reset_without_wake)) sk_error_report(k, sk);
}

long tcp_disconnect(Kernel& k, sock* sk) {
  Call call(k, Fn::tcp_disconnect, sk);
  TcpState before = tcp_state(sk);
  if (before != TcpState::CLOSE) tcp_set_state(k, sk, TcpState::CLOSE);
  if (before == TcpState::LISTEN) {
    inet_csk_listen_stop(k, sk);
  } else if (tcp_need_reset(before)) {
    tcp_send_active_reset(k, sk);
    sk->sk_err = ECONNRESET;
  } else if (before == TcpState::SYN_SENT) {
    sk->sk_err = ECONNRESET;
  }
  inet_csk_clear_xmit_timers(k, sk);
  drop_receive_queue(k, sk);
  drop_out_of_order_queue(k, sk);
  tcp_write_queue_purge(k, sk);
  sk->common.skc_dport = static_cast<u16>(0);
  sk->common.skc_daddr = record::Ipv4{0};
  sk->common.skc_v6_daddr = In6{};
  if ((sk->sk_userlocks & SOCK_BINDADDR_LOCK) == 0) {
    inet_reset_saddr(sk);
    inet_bhash2_update_saddr(k, sk);
  }
  inet_csk(sk)->icsk_retransmits = static_cast<u8>(0);
  inet_csk(sk)->icsk_ack_quick = static_cast<u8>(0);  // inet_csk_delack_init()
  inet_csk(sk)->icsk_ack_pingpong = static_cast<u8>(0);
  sk->sk_shutdown = SHUTDOWN_NONE;
  sk->sk_flags &= static_cast<sock_flags>(~static_cast<u32>(SOCK_DONE_BIT));
  tcp_sock* tp = tcp_sk(sk);
  tp->copied_seq = tp->rcv_nxt;
  if (tp->urg_data != TCP_URG_NONE) tp->urg_data = TCP_URG_NONE;
  tp->snd_up = tp->snd_una;
  tp->mss_clamp = 0;
  tp->max_window = 0;
  tp->srtt_us = 0;
  tp->rttvar_us = 0;
  tp->retrans_stamp_ns = 0;
  tp->rcv_tstamp_ns = 0;
  inet_csk(sk)->icsk_rto_ns = 1000 * kNsPerMs;
  inet_csk(sk)->icsk_probes_tstamp_ns = 0;
  if (sk->sk_wq != nullptr) sk_error_report(k, sk);
  return call.result(0);
}

void tcp_time_wait(Kernel& k, sock* sk, TcpState substate, u64 timeout_ns) {
  Call call(k, Fn::tcp_time_wait, sk);
  const tcp_sock* tp = tcp_sk(sk);
  u64 rto = inet_csk(sk)->icsk_rto_ns;
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
  {
    Call dance(k, Fn::inet_twsk_hashdance_schedule, tw);
    inet_twsk_bind_node_add(tw, sk);
    ehash_remove(k, &sk->common);
    ehash_insert(k, c);
    tw->tw_timer.function = timer_of<&tcp_timewait_sock::tw_timer, run_tw_timer>;
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
                            c.skc_v6_daddr});
}

enum class TimewaitAnswer { kNothing, kAck, kReset, kNewConnection };

TimewaitAnswer tcp_timewait_state_process(Kernel& k, tcp_timewait_sock* tw, const sk_buff* skb) {
  Call call(k, Fn::tcp_timewait_state_process, tw);
  bool fin = (skb->flags & TCPHDR_FIN) != 0;
  bool syn = (skb->flags & TCPHDR_SYN) != 0;
  if ((skb->flags & TCPHDR_RST) != 0) {
    inet_twsk_kill(k, tw);
    return TimewaitAnswer::kNothing;
  }
  if (tw->tw_sk.tw_substate == TcpState::FIN_WAIT2) {
    if (syn && !before(skb->seq, tw->tw_rcv_nxt)) {
      inet_twsk_kill(k, tw);
      return TimewaitAnswer::kReset;
    }
    if (!after(skb->end_seq, tw->tw_rcv_nxt) || skb->end_seq == skb->seq) return TimewaitAnswer::kNothing;
    if (!fin || skb->end_seq != tw->tw_rcv_nxt + 1) {  // data: nobody is there to read it
      inet_twsk_kill(k, tw);
      return TimewaitAnswer::kReset;
    }
    tw->tw_sk.tw_substate = TcpState::TIME_WAIT;
    tw->tw_rcv_nxt = skb->end_seq;
    arm_tw_timer(k, tw, k.config.timewait_ns);
    return TimewaitAnswer::kAck;
  }
  if (syn && after(skb->seq, tw->tw_rcv_nxt)) return TimewaitAnswer::kNewConnection;
  if (skb->end_seq == skb->seq && skb->seq == tw->tw_rcv_nxt) return TimewaitAnswer::kNothing;
  return TimewaitAnswer::kAck;
}

}  // namespace

bool tcp_timewait_rcv(Kernel& k, tcp_timewait_sock* tw, sk_buff* skb) {
  switch (tcp_timewait_state_process(k, tw, skb)) {
    case TimewaitAnswer::kNothing:
      break;
    case TimewaitAnswer::kAck:
      tcp_v4_timewait_ack(k, tw);
      break;
    case TimewaitAnswer::kReset:
      tcp_v4_send_reset(k, skb);
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
