// Models: what net/ipv4/tcp_timer.c and tcp_output.c of Linux 6.18 ask of a peer that says nothing: probes of a closed
// window, which also send what cork or Nagle has held for too long, and keepalive; the end of an orphan in FIN_WAIT2,
// which shares keepalive's timer.
// Left out: probes that find the machine out of memory, thin streams.

#include <algorithm>

#include "sim/kernel/keepalive.hh"
#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp.hh"

namespace wakepath::kernel {

namespace {

constexpr u64 kSecond = 1000 * kNsPerMs;
constexpr u64 kRtoMin = 200 * kNsPerMs;         // TCP_RTO_MIN
constexpr u64 kRtoMax = 120 * kSecond;          // TCP_RTO_MAX
constexpr u64 kTimeoutMin = 8 * kNsPerMs;       // TCP_TIMEOUT_MIN: two jiffies
constexpr u64 kResourceProbe = 500 * kNsPerMs;  // TCP_RESOURCE_PROBE_INTERVAL
constexpr u32 kFarthestUrgent = 0xffff;

u64 tcp_probe0_base(const sock* sk) { return std::max(inet_csk(sk)->icsk_rto.get().ns, kRtoMin); }

u64 tcp_probe0_when(const sock* sk) {
  u64 when = tcp_probe0_base(sk);
  for (int i = 0; i < inet_csk(sk)->icsk_backoff && when < kRtoMax; ++i) when *= 2;
  return std::min(when, kRtoMax);
}

u64 tcp_clamp_probe0_to_user_timeout(const Kernel& k, const sock* sk, u64 when) {
  const inet_connection_sock* icsk = inet_csk(sk);
  if (icsk->icsk_user_timeout == 0 || icsk->icsk_probes_tstamp == 0) return when;
  u64 limit = icsk->icsk_user_timeout * kNsPerMs;
  u64 elapsed = (tcp_stamp_ms(k) - icsk->icsk_probes_tstamp) * kNsPerMs;
  u64 left = std::max(elapsed < limit ? limit - elapsed : 0, kTimeoutMin);
  return std::min(left, when);
}

/// A segment that carries nothing, from before the window (or, to show the urgent mark, its first byte's place): the
/// peer must answer with what it has.
void tcp_xmit_probe_skb(Kernel& k, sock* sk, bool urgent) {
  Call call(k, Fn::tcp_xmit_probe_skb, sk);
  sk_buff* skb = alloc_skb(k, nullptr, "");
  if (skb == nullptr) return;
  skb->flags = TCPHDR_ACK;
  skb->seq = tcp_sk(sk)->snd_una - (urgent ? 0 : 1);
  skb->end_seq = skb->seq;
  __tcp_transmit_skb(k, sk, skb, false);
}

void tcp_send_probe0(Kernel& k, sock* sk) {
  Call call(k, Fn::tcp_send_probe0, sk);
  inet_connection_sock* icsk = inet_csk(sk);
  bool sent = tcp_write_wakeup(k, sk);
  if (tcp_sk(sk)->packets_out != 0 || sk->sk_write_queue.list.empty()) {  // data went out: no probe any more
    icsk->icsk_probes_out = 0;
    icsk->icsk_backoff = 0;
    icsk->icsk_probes_tstamp = 0;
    return;
  }
  ++icsk->icsk_probes_out;
  u64 wait = kResourceProbe;
  if (sent) {
    if (icsk->icsk_backoff < k.config.tcp_retries2) ++icsk->icsk_backoff;
    wait = tcp_probe0_when(sk);
  }
  tcp_reset_xmit_timer(k, sk, tcp_clamp_probe0_to_user_timeout(k, sk, wait));
}

/// An orphan has waited for its peer's FIN long enough; or the rest of the wait is TIME_WAIT's business.
void end_of_orphan(Kernel& k, sock* sk) {
  if (tcp_sk(sk)->linger2 >= 0) {
    u64 whole = tcp_fin_time_ns(k, sk);
    if (whole > k.config.timewait_ns) {
      tcp_time_wait(k, sk, TcpState::FIN_WAIT2, whole - k.config.timewait_ns);
      return;
    }
  }
  tcp_send_active_reset(k, sk);
  tcp_done(k, sk);
}

u64 keepalive_intvl_ns(const Kernel& k, const sock* sk) {
  int own = tcp_sk(sk)->keepalive_intvl;
  return static_cast<u64>(own != 0 ? own : k.config.tcp_keepalive_intvl) * kSecond;
}

/// The peer has been silent for as long as TCP_KEEPIDLE says. False: given up.
bool probe_silent_peer(Kernel& k, sock* sk, u64 silent_ns) {
  inet_connection_sock* icsk = inet_csk(sk);
  u64 user_timeout = icsk->icsk_user_timeout * kNsPerMs;
  int most = tcp_sk(sk)->keepalive_probes != 0 ? tcp_sk(sk)->keepalive_probes : k.config.tcp_keepalive_probes;
  bool gone =
      user_timeout != 0 ? silent_ns >= user_timeout && icsk->icsk_probes_out > 0 : icsk->icsk_probes_out >= most;
  if (gone) {
    tcp_send_active_reset(k, sk);
    tcp_write_err(k, sk);
    return false;
  }
  k.rule(Rule::tcp_keepalive_probes, sk);
  if (tcp_write_wakeup(k, sk)) ++icsk->icsk_probes_out;
  return true;
}

}  // namespace

bool tcp_write_wakeup(Kernel& k, sock* sk) {
  if (tcp_state(sk) == TcpState::CLOSE) return false;
  Call call(k, Fn::tcp_write_wakeup, sk);
  tcp_sock* tp = tcp_sk(sk);
  sk_buff* skb = sk->sk_write_queue.list.front();
  u32 window_end = tp->snd_una + tp->snd_wnd;
  if (skb != nullptr && before(skb->seq, window_end)) {
    u32 room = std::min(window_end - skb->seq, tcp_current_mss(sk));
    if (skb->len > room && !tcp_fragment(k, sk, skb, room)) return call.result(false);
    skb->flags |= TCPHDR_PSH;
    if (__tcp_transmit_skb(k, sk, skb, true) != 0) return call.result(false);
    tcp_event_new_data_sent(k, sk, skb);
    return call.result(true);
  }
  if (tp->snd_up - (tp->snd_una + 1) < kFarthestUrgent) tcp_xmit_probe_skb(k, sk, true);
  tcp_xmit_probe_skb(k, sk, false);
  return call.result(true);
}

void tcp_probe_timer(Kernel& k, sock* sk) {
  Call call(k, Fn::tcp_probe_timer, sk);
  inet_connection_sock* icsk = inet_csk(sk);
  if (sk->sk_write_queue.list.empty()) {
    icsk->icsk_probes_out = 0;
    icsk->icsk_probes_tstamp = 0;
    return;
  }
  u64 user_timeout = icsk->icsk_user_timeout * kNsPerMs;
  bool too_long = false;
  if (icsk->icsk_probes_tstamp == 0)
    icsk->icsk_probes_tstamp = tcp_stamp_ms(k);
  else
    too_long = user_timeout != 0 && (tcp_stamp_ms(k) - icsk->icsk_probes_tstamp) * kNsPerMs >= user_timeout;
  int most = k.config.tcp_retries2;
  if (sock_flag(sk, SOCK_DEAD_BIT)) {
    bool alive = tcp_probe0_when(sk) < kRtoMax;
    most = tcp_orphan_retries(k, alive);
    too_long = too_long || (!alive && icsk->icsk_backoff >= most);
  }
  if (too_long || icsk->icsk_probes_out >= most)
    tcp_write_err(k, sk);
  else
    tcp_send_probe0(k, sk);
}

void tcp_ack_probe(Kernel& k, sock* sk) {
  const sk_buff* head = sk->sk_write_queue.list.front();
  if (head == nullptr) return;
  inet_connection_sock* icsk = inet_csk(sk);
  const tcp_sock* tp = tcp_sk(sk);
  if (!after(head->end_seq, tp->snd_una + tp->snd_wnd)) {
    icsk->icsk_backoff = 0;
    icsk->icsk_probes_tstamp = 0;
    tcp_clear_retrans(sk);  // what is to be sent will be, by tcp_data_snd_check()
    return;
  }
  tcp_reset_xmit_timer(k, sk, tcp_clamp_probe0_to_user_timeout(k, sk, tcp_probe0_when(sk)));
}

void tcp_check_probe_timer(Kernel& k, sock* sk) {
  const inet_connection_sock* icsk = inet_csk(sk);
  if (tcp_sk(sk)->packets_out != 0 || sk->sk_write_queue.list.empty() || icsk->icsk_pending) return;
  tcp_reset_xmit_timer(k, sk, tcp_probe0_base(sk));
}

u64 keepalive_time_elapsed_ns(const Kernel& k, const sock* sk) {
  const u32 now = tcp_stamp_ms(k);
  return std::min(now - inet_csk(sk)->lrcvtime, now - tcp_sk(sk)->rcv_tstamp) * kNsPerMs;
}

u64 keepalive_time_when_ns(const Kernel& k, const sock* sk) {
  int own = tcp_sk(sk)->keepalive_time;
  return static_cast<u64>(own != 0 ? own : k.config.tcp_keepalive_time) * kSecond;
}

void tcp_set_keepalive(Kernel& k, sock* sk, bool on) {
  if (tcp_state(sk) == TcpState::CLOSE || tcp_state(sk) == TcpState::LISTEN) return;
  if (on && !sock_flag(sk, SOCK_KEEPOPEN_BIT))
    tcp_reset_keepalive_timer(k, sk, keepalive_time_when_ns(k, sk));
  else if (!on)
    tcp_delete_keepalive_timer(k, sk);
}

void tcp_keepalive_timer(Kernel& k, sock* sk) {
  inet_csk(sk)->sk_timer_expires = record::Time{};
  if (tcp_state(sk) == TcpState::FIN_WAIT2 && sock_flag(sk, SOCK_DEAD_BIT)) {
    end_of_orphan(k, sk);
    return;
  }
  if (!sock_flag(sk, SOCK_KEEPOPEN_BIT) || tcp_state(sk) == TcpState::CLOSE || tcp_state(sk) == TcpState::SYN_SENT)
    return;
  u64 wait = keepalive_time_when_ns(k, sk);
  if (tcp_sk(sk)->packets_out == 0 && sk->sk_write_queue.list.empty()) {
    u64 silent = keepalive_time_elapsed_ns(k, sk);
    if (silent >= wait) {
      if (!probe_silent_peer(k, sk, silent)) return;
      wait = keepalive_intvl_ns(k, sk);
    } else {
      wait -= silent;
    }
  }
  tcp_reset_keepalive_timer(k, sk, wait);
}

}  // namespace wakepath::kernel
