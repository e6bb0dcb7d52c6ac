// Models: net/ipv4/tcp_timer.c of Linux 6.18: retransmission, delayed ACK, the end of an orphan.
// Left out: keepalive probes, TCP_USER_TIMEOUT, thin streams; the timeout is the minimum (200 ms,
// a second for a SYN) doubled at each try (a SYN's not before the fifth), as loopback's round trip never makes it
// longer.

#include <algorithm>

#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp.hh"

namespace wakepath::kernel {

namespace {

constexpr u64 kRtoMin = 200 * kNsPerMs;        // TCP_RTO_MIN
constexpr u64 kTimeoutInit = 1000 * kNsPerMs;  // TCP_TIMEOUT_INIT
constexpr u64 kRtoMax = 120'000 * kNsPerMs;    // TCP_RTO_MAX
constexpr int kRetries2 = 15;                  // net.ipv4.tcp_retries2
constexpr int kOrphanRetries = 8;
constexpr int kSynLinearTimeouts = 4;  // net.ipv4.tcp_syn_linear_timeouts: the first SYNs go out second by second
constexpr int kOrphanBackoff = 10;     // then the time between probes would be longer than TCP_RTO_MAX

bool opening(const sock* sk) { return tcp_state(sk) == TcpState::SYN_SENT || tcp_state(sk) == TcpState::SYN_RECV; }

u64 rto(const sock* sk) {
  u64 base = opening(sk) ? kTimeoutInit : kRtoMin;
  int doubled = inet_csk(sk)->icsk_retransmits;
  if (tcp_state(sk) == TcpState::SYN_SENT) doubled = std::max(0, doubled - kSynLinearTimeouts);
  for (int i = 0; i < doubled && base < kRtoMax; ++i) base *= 2;
  return base < kRtoMax ? base : kRtoMax;
}

void tcp_retransmit_timer(Kernel& k, sock* sk) {
  inet_connection_sock* icsk = inet_csk(sk);
  sk_buff* first = sk->tcp_rtx_queue.front();
  if (first == nullptr) return;
  int limit = sock_flag(sk, SOCK_DEAD_BIT) ? kOrphanRetries : kRetries2;
  if (opening(sk)) limit = k.config.tcp_syn_retries;
  if (tcp_state(sk) == TcpState::SYN_SENT) limit += kSynLinearTimeouts;
  if (icsk->icsk_retransmits >= limit) {
    k.rule(Rule::tcp_gave_up, sk);
    tcp_done_with_error(k, sk, ETIMEDOUT);
    return;
  }
  Call call(k, Fn::tcp_retransmit_skb, sk);
  k.rule(Rule::tcp_retransmits, sk);
  ++icsk->icsk_retransmits;
  __tcp_transmit_skb(k, sk, first, true);
  tcp_reset_xmit_timer(k, sk);
}

/// Asks for the window again, and again, each time after twice as long.
void tcp_probe_timer(Kernel& k, sock* sk) {
  Call call(k, Fn::tcp_probe_timer, sk);
  inet_connection_sock* icsk = inet_csk(sk);
  bool orphan = sock_flag(sk, SOCK_DEAD_BIT);
  if (orphan ? icsk->icsk_backoff >= kOrphanBackoff : icsk->icsk_probes_out >= kRetries2) {
    k.rule(Rule::tcp_gave_up, sk);
    tcp_done_with_error(k, sk, ETIMEDOUT);
    return;
  }
  ++icsk->icsk_probes_out;
  ++icsk->icsk_backoff;
  tcp_xmit_probe_skb(k, sk);
  tcp_check_probe_timer(k, sk);
}

/// What the retransmit timer means depends on what waits, as icsk_pending tells in Linux.
void tcp_write_timer(Kernel& k, sock* sk) {
  inet_csk(sk)->retransmit_pending = false;
  if (tcp_sk(sk)->packets_out == 0 && !sk->sk_write_queue.list.empty())
    tcp_probe_timer(k, sk);
  else
    tcp_retransmit_timer(k, sk);
}

void tcp_delack_timer(Kernel& k, sock* sk) {
  inet_connection_sock* icsk = inet_csk(sk);
  icsk->delack_pending = false;
  if ((icsk->icsk_ack_pending & ICSK_ACK_SCHED) == 0) return;
  icsk->icsk_ack_pingpong = 0;  // nothing came to ride on: not so interactive after all
  tcp_send_ack(k, sk);
}

/// An orphan that waited in FIN_WAIT2 for a FIN long enough, with a system call in the way when it began to.
void tcp_keepalive_timer(Kernel& k, sock* sk) {
  inet_csk(sk)->sk_timer_expires = record::Time{};
  if (tcp_state(sk) != TcpState::FIN_WAIT2 || !sock_flag(sk, SOCK_DEAD_BIT)) return;
  tcp_send_active_reset(k, sk);
  tcp_done(k, sk);
}

/// A timer finds the socket owned by a system call: Linux defers to release_sock(). Nothing sleeps with the lock held
/// and time does not move in a call, so here the socket is always free.
void run_sock_timer(Kernel& k, Fn name, sock* sk, void (*body)(Kernel&, sock*)) {
  timer_softirq(k, name, sk, [&k, sk, body] {
    sock_hold(sk);
    body(k, sk);
    sock_put(k, sk);
  });
}

void arm_retransmit_timer(Kernel& k, inet_connection_sock* icsk, u64 delay_ns) {
  k.scheduler.arm(icsk->icsk_retransmit_timer, k.now_ns() + delay_ns);
  icsk->icsk_timeout = record::Time{k.now_ns() + delay_ns};
  icsk->retransmit_pending = true;
}

}  // namespace

void tcp_init_timers(Kernel& k, sock* sk) {
  inet_connection_sock* icsk = inet_csk(sk);
  icsk->icsk_retransmit_timer.function = [&k, sk] { run_sock_timer(k, Fn::tcp_write_timer, sk, tcp_write_timer); };
  icsk->icsk_delack_timer.function = [&k, sk] { run_sock_timer(k, Fn::tcp_delack_timer, sk, tcp_delack_timer); };
  icsk->sk_timer.function = [&k, sk] { run_sock_timer(k, Fn::tcp_keepalive_timer, sk, tcp_keepalive_timer); };
}

void tcp_reset_xmit_timer(Kernel& k, sock* sk) {
  Call call(k, Fn::sk_reset_timer, sk);
  inet_connection_sock* icsk = inet_csk(sk);
  arm_retransmit_timer(k, icsk, rto(sk));
}

void tcp_check_probe_timer(Kernel& k, sock* sk) {
  inet_connection_sock* icsk = inet_csk(sk);
  if (tcp_sk(sk)->packets_out != 0 || sk->sk_write_queue.list.empty() || icsk->icsk_retransmit_timer.active()) return;
  Call call(k, Fn::sk_reset_timer, sk);
  u64 wait = kRtoMin << std::min(icsk->icsk_backoff, kOrphanBackoff);
  arm_retransmit_timer(k, icsk, std::min(wait, kRtoMax));
}

void tcp_clear_retrans(Kernel& k, sock* sk) {
  if (k.scheduler.cancel(inet_csk(sk)->icsk_retransmit_timer)) inet_csk(sk)->retransmit_pending = false;
}

void tcp_arm_delack(Kernel& k, sock* sk, u64 delay_ns) {
  Call call(k, Fn::sk_reset_timer, sk);
  k.scheduler.arm(inet_csk(sk)->icsk_delack_timer, k.now_ns() + delay_ns);
  inet_csk(sk)->delack_pending = true;
}

void tcp_reset_keepalive_timer(Kernel& k, sock* sk, u64 delay_ns) {
  Call call(k, Fn::sk_reset_timer, sk);
  k.scheduler.arm(inet_csk(sk)->sk_timer, k.now_ns() + delay_ns);
  inet_csk(sk)->sk_timer_expires = record::Time{k.now_ns() + delay_ns};
}

void inet_csk_clear_xmit_timers(Kernel& k, sock* sk) {
  Call call(k, Fn::inet_csk_clear_xmit_timers, sk);
  inet_connection_sock* icsk = inet_csk(sk);
  tcp_clear_retrans(k, sk);
  if (k.scheduler.cancel(icsk->icsk_delack_timer)) icsk->delack_pending = false;
  if (k.scheduler.cancel(icsk->sk_timer)) icsk->sk_timer_expires = record::Time{};
  icsk->icsk_ack_pending = ICSK_ACK_NONE;
}

}  // namespace wakepath::kernel
