// Models: the end of a connection in net/ipv4/tcp.c, Linux 6.18: close(), shutdown(), resets. TIME_WAIT:
// tcp_timewait.cc. Left out: limits on orphans.

#include <algorithm>

#include "sim/kernel/ip.hh"
#include "sim/kernel/keepalive.hh"
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
    sk_wmem_uncharge(sk, skb->truesize);
    kfree_skb(k, skb);
  }
  while (sk_buff* skb = sk->tcp_rtx_queue.pop_front()) {
    sk_wmem_uncharge(sk, skb->truesize);
    kfree_skb(k, skb);
  }
  tcp_sock* tp = tcp_sk(sk);
  tp->packets_out = u16{0};
  tp->sacked_out = u16{0};
  tp->retrans_out = u16{0};
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
  if (tcp_sk(sk)->linger2 < 0) {
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
      tcp_set_state(k, sk, TcpState::CLOSE);
      tcp_send_active_reset(k, sk);
    } else if (sock_flag(sk, SOCK_LINGER_BIT) && sk->sk_lingertime == 0 && !k.mutant(Mutant::linger_ignored)) {
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
    if (was_closed || (tcp_state(sk) == TcpState::CLOSE && tcp_sk(sk)->linger2 < 0)) inet_csk_destroy_sock(k, sk);
  }
  local_bh_enable(k);
}

}  // namespace

u64 tcp_fin_time_ns(const Kernel& k, const sock* sk) {
  int seconds = tcp_sk(sk)->linger2 != 0 ? tcp_sk(sk)->linger2 : k.config.tcp_fin_timeout;
  u64 rto = inet_csk(sk)->icsk_rto.get().ns;
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
  u64 timeout = sk->sk_lingertime < 0 ? kForever : static_cast<u64>(sk->sk_lingertime) * 1000 * kNsPerMs;
  auto closing = [sk] {
    TcpState state = tcp_state(sk);
    return state == TcpState::FIN_WAIT1 || state == TcpState::CLOSING || state == TcpState::LAST_ACK;
  };
  Call call(k, Fn::sk_stream_wait_close, sk);
  StackWaitEntry wait(k, woken_wake_function);
  add_wait_queue(k, sk->sk_wq->wait, wait);
  while (closing() && timeout != 0 && !signal_pending(k)) {
    k.rule(Rule::close_lingers, sk);
    timeout = co_await sk_wait_event(k, sk, wait, timeout, [closing] { return !closing(); });
  }
  remove_wait_queue(k, wait);
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
  } else if (tcp_need_reset(before) ||
             (tcp_sk(sk)->snd_nxt != tcp_sk(sk)->write_seq &&
              (before == TcpState::CLOSING || before == TcpState::LAST_ACK))) {  // not all was sent: it is cut off
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
  inet_csk(sk)->icsk_ack_ato = record::Time{};
  inet_csk(sk)->lrcvtime = kLongAgo;
  sk->sk_shutdown = SHUTDOWN_NONE;
  sk->sk_flags &= static_cast<sock_flags>(~static_cast<u32>(SOCK_DONE_BIT));
  tcp_sock* tp = tcp_sk(sk);
  tp->write_seq += tp->max_window + 2;  // beyond what the peer may still expect; SIOCOUTQ counts it
  tp->copied_seq = tp->rcv_nxt;
  if (tp->urg_data != TCP_URG_NONE) tp->urg_data = TCP_URG_NONE;
  tp->snd_up = tp->snd_una;
  if (tp->mss_clamp != 0) tp->mss_cache = static_cast<u16>(tcp_current_mss(sk));
  tp->mss_clamp = 0;
  if (tp->user_mss != 0) tp->user_mss = static_cast<u16>(0);  // with all of rx_opt
  tp->max_window = 0;
  tp->fast_path = true;
  tcp_init_cwnd(sk);
  tp->window_clamp = 0;
  inet_csk(sk)->rcv_mss = static_cast<u16>(88);  // TCP_MIN_MSS
  if (inet_csk(sk)->icsk_ack_pending != ICSK_ACK_NONE) inet_csk(sk)->icsk_ack_pending = ICSK_ACK_NONE;
  tp->srtt_us = 0;
  tp->rttvar_us = 0;
  tp->retrans_stamp = 0;
  tp->tlp_high_seq = 0;
  tp->rcv_tstamp = 0u;
  tp->bytes_sent = 0u;
  tp->bytes_acked = 0u;
  tp->bytes_received = 0u;
  inet_csk(sk)->icsk_rto = record::Duration{kRtoInitial};
  inet_csk(sk)->icsk_probes_tstamp = 0;
  tp->last_oow_ack_time = 0;
  if (sk->sk_wq != nullptr) sk_error_report(k, sk);
  return call.result(0);
}

}  // namespace wakepath::kernel
