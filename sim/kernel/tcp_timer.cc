// Models: net/ipv4/tcp_timer.c of Linux 6.18: retransmission with backoff, delayed ACK, how long to go on; the probes
// are in tcp_probe.cc.
// Left out: thin streams, fast open, the tail loss probe of a single segment (it comes when the timeout would, and does
// the same to it, but for backoff and the window).

#include <algorithm>

#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp.hh"
#include "sim/kernel/timer.hh"

namespace wakepath::kernel {

namespace {

constexpr u64 kSecond = 1000 * kNsPerMs;
constexpr u64 kRtoMin = 200 * kNsPerMs;  // TCP_RTO_MIN
constexpr u64 kRtoMax = 120 * kSecond;   // TCP_RTO_MAX
constexpr u64 kJiffy = 4 * kNsPerMs;     // HZ 250

bool opening(const sock* sk) { return tcp_state(sk) == TcpState::SYN_SENT || tcp_state(sk) == TcpState::SYN_RECV; }

/// How long `boundary` retransmissions take that begin with `base` and double up to the largest timeout.
u64 tcp_model_timeout(int boundary, u64 base) {
  int doublings = 0;
  while (base << (doublings + 1) <= kRtoMax) ++doublings;
  if (boundary <= doublings) return ((u64{2} << boundary) - 1) * base;
  return ((u64{2} << doublings) - 1) * base + static_cast<u64>(boundary - doublings) * kRtoMax;
}

/// Have retransmissions gone on for longer than `boundary` of them take, or than the user's timeout?
bool retransmits_timed_out(const Kernel& k, const sock* sk, int boundary, u64 timeout_ns) {
  if (inet_csk(sk)->icsk_retransmits == 0) return false;
  if (timeout_ns == 0) timeout_ns = tcp_model_timeout(boundary, opening(sk) ? kSecond : kRtoMin);
  return (tcp_stamp_ms(k) - tcp_sk(sk)->retrans_stamp) * kNsPerMs >= timeout_ns;
}

u64 tcp_clamp_rto_to_user_timeout(const Kernel& k, const sock* sk) {
  const inet_connection_sock* icsk = inet_csk(sk);
  u64 limit = icsk->icsk_user_timeout * kNsPerMs;
  if (limit == 0) return icsk->icsk_rto.get().ns;
  u64 elapsed = (tcp_stamp_ms(k) - tcp_sk(sk)->retrans_stamp) * kNsPerMs;
  return elapsed >= limit ? kJiffy : std::min(icsk->icsk_rto.get().ns, limit - elapsed);
}

/// Is it time to give up? Then the socket is over.
bool tcp_write_timeout(Kernel& k, sock* sk) {
  const inet_connection_sock* icsk = inet_csk(sk);
  int retries = k.config.tcp_retries2;
  bool expired = false;
  if (opening(sk)) {
    retries = icsk->icsk_syn_retries != 0 ? icsk->icsk_syn_retries : k.config.tcp_syn_retries;
    int linear = tcp_state(sk) == TcpState::SYN_SENT ? k.config.tcp_syn_linear_timeouts : 0;
    expired = icsk->icsk_retransmits >= retries + linear;
  } else if (sock_flag(sk, SOCK_DEAD_BIT)) {
    retries = tcp_orphan_retries(k, icsk->icsk_rto.get().ns < kRtoMax);
  }
  if (!expired) expired = retransmits_timed_out(k, sk, retries, icsk->icsk_user_timeout * kNsPerMs);
  if (expired) tcp_write_err(k, sk);
  return expired;
}

/// The peer has taken its window back below what is in flight: its first segment, sent again, is a probe, and nobody
/// counts it. An orphan may not wait for a window in this way.
bool is_probed_with_data(const sock* sk) {
  return tcp_sk(sk)->snd_wnd == 0 && !sock_flag(sk, SOCK_DEAD_BIT) && !opening(sk);
}

/// Such a probing ends only when the peer has not even answered for long, or at the user's timeout.
bool tcp_rtx_probe0_timed_out(const Kernel& k, const sock* sk, const sk_buff* first) {
  const tcp_sock* tp = tcp_sk(sk);
  u64 begun = tp->retrans_stamp != 0 ? tp->retrans_stamp * kNsPerMs : first->sent_at_ns + kNsPerMs;
  u64 lasts = tcp_stamp_ms(k) * kNsPerMs - begun;
  u64 user_timeout = inet_csk(sk)->icsk_user_timeout * kNsPerMs;
  if (user_timeout != 0 && lasts > user_timeout) return true;
  u64 limit = user_timeout != 0 ? std::min(2 * kRtoMax, user_timeout) : 2 * kRtoMax;
  return (tcp_stamp_ms(k) - tp->rcv_tstamp) * kNsPerMs > limit && lasts > limit;
}

void tcp_retransmit_timer(Kernel& k, sock* sk) {
  Call call(k, Fn::tcp_retransmit_timer, sk);
  inet_connection_sock* icsk = inet_csk(sk);
  sk_buff* first = sk->tcp_rtx_queue.front();
  if (first == nullptr) return;
  if (is_probed_with_data(sk)) {
    if (tcp_rtx_probe0_timed_out(k, sk, first)) return tcp_write_err(k, sk);
    tcp_enter_loss(k, sk);
  } else {
    if (tcp_write_timeout(k, sk)) return;
    tcp_enter_loss(k, sk);
    ++icsk->icsk_retransmits;
  }
  tcp_retransmit_skb(k, sk, first);
  // the first SYNs go out second by second
  if (tcp_state(sk) != TcpState::SYN_SENT || icsk->icsk_retransmits > k.config.tcp_syn_linear_timeouts) {
    ++icsk->icsk_backoff;
    icsk->icsk_rto = record::Duration{std::min(icsk->icsk_rto.get().ns * 2, kRtoMax)};
  }
  tcp_reset_xmit_timer(k, sk, tcp_clamp_rto_to_user_timeout(k, sk));
}

/// What the retransmit timer means depends on what waits, as icsk_pending tells in Linux.
void tcp_write_timer(Kernel& k, sock* sk) {
  if (!inet_csk(sk)->icsk_pending) return;
  inet_csk(sk)->icsk_pending = false;
  if (tcp_sk(sk)->packets_out == 0)
    tcp_probe_timer(k, sk);
  else if (inet_csk(sk)->loss_probe)
    tcp_send_loss_probe(k, sk);
  else
    tcp_retransmit_timer(k, sk);
}

void tcp_delack_timer(Kernel& k, sock* sk) {
  inet_connection_sock* icsk = inet_csk(sk);
  if ((icsk->icsk_ack_pending & ICSK_ACK_TIMER) == 0) return;
  icsk->icsk_ack_pending &= static_cast<ack_pending>(~static_cast<u32>(ICSK_ACK_TIMER));
  if ((icsk->icsk_ack_pending & ICSK_ACK_SCHED) == 0) return;
  if (icsk->icsk_ack_pingpong == 0) {
    icsk->icsk_ack_ato = record::Time{std::min(icsk->icsk_ack_ato.get().ns * 2, icsk->icsk_rto.get().ns)};
  } else {
    icsk->icsk_ack_pingpong = 0;  // nothing came to ride on: not so interactive after all
    icsk->icsk_ack_ato = record::Time{kAtoMin};
  }
  tcp_send_ack(k, sk);
}

/// A timer finds the socket owned by a system call: Linux defers to release_sock(). Nothing sleeps with the lock held
/// and time does not move in a call, so here the socket is always free.
template <Fn name, void (*body)(Kernel&, sock*)>
void run_sock_timer(Kernel& k, inet_connection_sock* icsk) {
  sock* sk = as_sock(icsk);
  timer_softirq(k, name, sk, [&k, sk] {
    body(k, sk);
    sock_put(k, sk);  // the timer's; whoever has armed it anew has taken another
  });
}

}  // namespace

void tcp_write_err(Kernel& k, sock* sk) {
  k.rule(Rule::tcp_gave_up, sk);
  tcp_done_with_error(k, sk, ETIMEDOUT);
}

int tcp_orphan_retries(const Kernel& k, bool alive) {
  int retries = k.config.tcp_orphan_retries;
  return retries == 0 && alive ? 8 : retries;
}

void tcp_init_timers(sock* sk) {
  using Csk = inet_connection_sock;
  Csk* icsk = inet_csk(sk);
  icsk->icsk_retransmit_timer.function =
      timer_of<&Csk::icsk_retransmit_timer, run_sock_timer<Fn::tcp_write_timer, tcp_write_timer>>;
  icsk->icsk_delack_timer.function =
      timer_of<&Csk::icsk_delack_timer, run_sock_timer<Fn::tcp_delack_timer, tcp_delack_timer>>;
  icsk->sk_timer.function = timer_of<&Csk::sk_timer, run_sock_timer<Fn::tcp_keepalive_timer, tcp_keepalive_timer>>;
}

namespace {

/// An armed timer holds the sock.
void sk_reset_timer(Kernel& k, sock* sk, engine::Timer& timer, u64 expires_ns) {
  Call call(k, Fn::sk_reset_timer, sk);
  bool was_pending = timer.active();
  __mod_timer(k, timer, expires_ns, sk);
  if (!was_pending) sock_hold(sk);
}

/// Whether it was pending.
bool sk_stop_timer(Kernel& k, sock* sk, engine::Timer& timer) {
  Call call(k, Fn::sk_stop_timer, sk);
  if (!timer_delete(k, timer, sk)) return call.result(false);
  --sk->common.skc_refcnt;  // __sock_put(): never the last one
  return call.result(true);
}

}  // namespace

void tcp_reset_xmit_timer(Kernel& k, sock* sk, u64 delay_ns) {
  inet_connection_sock* icsk = inet_csk(sk);
  u64 expires_ns = k.now_ns() + std::min(delay_ns, kRtoMax);
  sk_reset_timer(k, sk, icsk->icsk_retransmit_timer, expires_ns);
  icsk->icsk_timeout = record::Time{expires_ns};
  icsk->icsk_pending = true;
  icsk->loss_probe = false;
}

void tcp_rearm_rto(Kernel& k, sock* sk) { tcp_reset_xmit_timer(k, sk, inet_csk(sk)->icsk_rto.get().ns); }

void tcp_schedule_loss_probe(Kernel& k, sock* sk) {
  constexpr u64 kTick = 4 * kNsPerMs;
  constexpr u64 kTimeoutMin = 2 * kTick;  // TCP_TIMEOUT_MIN_US is 2 ms; rounded up to a tick, and the wheel adds one
  const tcp_sock* tp = tcp_sk(sk);
  inet_connection_sock* icsk = inet_csk(sk);
  const sk_buff* first = sk->tcp_rtx_queue.front();
  // of a single one the ACK may be delayed: its probe would come with the timeout
  if (tp->icsk_ca_state != ca_state::TCP_CA_Open || tp->srtt_us == 0 || first == nullptr ||
      (first == sk->tcp_rtx_queue.back() && first->mss == 0))
    return;
  const u64 timeout = std::min(u64{tp->srtt_us >> 2} * 1000 + kTimeoutMin, icsk->icsk_rto.get().ns);
  if (!icsk->icsk_pending || icsk->icsk_timeout.get().ns != k.now_ns() + timeout) tcp_reset_xmit_timer(k, sk, timeout);
  icsk->loss_probe = true;
}

void tcp_clear_retrans(sock* sk) {
  if (inet_csk(sk)->icsk_pending) inet_csk(sk)->icsk_pending = false;
}

void tcp_arm_delack(Kernel& k, sock* sk, u64 delay_ns) {
  inet_csk(sk)->icsk_ack_pending |= ICSK_ACK_TIMER;
  sk_reset_timer(k, sk, inet_csk(sk)->icsk_delack_timer, k.now_ns() + delay_ns);
}

void tcp_reset_keepalive_timer(Kernel& k, sock* sk, u64 delay_ns) {
  sk_reset_timer(k, sk, inet_csk(sk)->sk_timer, k.now_ns() + delay_ns);
  inet_csk(sk)->sk_timer_expires = record::Time{k.now_ns() + delay_ns};
}

void tcp_delete_keepalive_timer(Kernel& k, sock* sk) {
  if (sk_stop_timer(k, sk, inet_csk(sk)->sk_timer)) inet_csk(sk)->sk_timer_expires = record::Time{};
}

void inet_csk_clear_xmit_timers(Kernel& k, sock* sk) {
  Call call(k, Fn::inet_csk_clear_xmit_timers, sk);
  inet_connection_sock* icsk = inet_csk(sk);
  tcp_clear_retrans(sk);
  sk_stop_timer(k, sk, icsk->icsk_retransmit_timer);
  sk_stop_timer(k, sk, icsk->icsk_delack_timer);
  tcp_delete_keepalive_timer(k, sk);
  icsk->icsk_ack_pending = ICSK_ACK_NONE;
}

}  // namespace wakepath::kernel
