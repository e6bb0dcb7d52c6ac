// Models: the congestion window, Linux 6.18, as Reno moves it: net/ipv4/tcp_cong.c, and what tcp_output.c and
// tcp_input.c ask of it: tcp_cwnd_test(), tcp_cwnd_validate(), tcp_slow_start_after_idle_check(), tcp_cong_control().
// Left out: proportional rate reduction (in recovery the window stays, and what is lost goes out at once), the window
// of a sender that has not filled it for a whole timeout (tcp_cwnd_application_limited()), other congestion controls.

#include <algorithm>

#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp.hh"

namespace wakepath::kernel {

namespace {

constexpr u16 kInitialWindow = 10;        // TCP_INIT_CWND, RFC 6928
constexpr u16 kInfiniteSsthresh = 65535;  // TCP_INFINITE_SSTHRESH is larger; ss shows neither

bool has(const sk_buff* skb, skb_sacked bit) { return (skb->sacked & bit) != 0; }

bool tcp_in_slow_start(const tcp_sock* tp) { return tp->snd_cwnd < tp->snd_ssthresh; }

/// A window that is not used says nothing of the network, and does not grow.
bool tcp_is_cwnd_limited(const tcp_sock* tp) {
  return tp->is_cwnd_limited || (tcp_in_slow_start(tp) && tp->snd_cwnd < 2 * tp->max_packets_out);
}

u16 tcp_reno_ssthresh(const tcp_sock* tp) { return std::max(static_cast<u16>(tp->snd_cwnd >> 1), u16{2}); }

}  // namespace

void tcp_init_cwnd(sock* sk) {
  tcp_sock* tp = tcp_sk(sk);
  tp->snd_cwnd = kInitialWindow;
  tp->snd_ssthresh = kInfiniteSsthresh;
  tp->is_cwnd_limited = false;
  tp->max_packets_out = 0;
  inet_csk(sk)->snd_cwnd_cnt = 0;
}

u32 tcp_packets_in_flight(const sock* sk) {
  u32 segments = 0;
  for (const sk_buff* skb : sk->tcp_rtx_queue) {
    const bool left = has(skb, TCPCB_SACKED_ACKED) || has(skb, TCPCB_LOST);
    segments += tcp_skb_pcount(skb) * ((left ? 0 : 1) + (has(skb, TCPCB_SACKED_RETRANS) ? 1 : 0));
  }
  return segments;
}

u32 tcp_cwnd_test(const sock* sk) {
  const u32 in_flight = tcp_packets_in_flight(sk);
  const u32 cwnd = tcp_sk(sk)->snd_cwnd;
  return in_flight >= cwnd ? 0 : std::min(std::max(cwnd / 2, 1u), cwnd - in_flight);
}

void tcp_cwnd_validate(sock* sk) {
  tcp_sock* tp = tcp_sk(sk);
  const bool limited = tcp_packets_in_flight(sk) >= tp->snd_cwnd;
  const u16 out = tp->packets_out;
  if (before(tp->snd_una, inet_csk(sk)->cwnd_usage_seq) && !limited &&
      (tp->is_cwnd_limited || out <= tp->max_packets_out))
    return;
  tp->is_cwnd_limited = limited;
  tp->max_packets_out = out;
  inet_csk(sk)->cwnd_usage_seq = tp->snd_nxt;
}

void tcp_slow_start_after_idle_check(Kernel& k, sock* sk) {
  tcp_sock* tp = tcp_sk(sk);
  const u64 idle = (tcp_stamp_ms(k) - tp->lsndtime) * kNsPerMs;
  const u64 rto = inet_csk(sk)->icsk_rto.get().ns;
  if (tp->packets_out != 0 || tp->snd_cwnd <= kInitialWindow || idle <= rto) return;
  tp->snd_ssthresh = std::max(tp->snd_ssthresh.get(), static_cast<u16>(tp->snd_cwnd - tp->snd_cwnd / 4));
  u16 cwnd = tp->snd_cwnd;
  for (u64 periods = (idle - 1) / rto; periods > 0 && cwnd > kInitialWindow; --periods) cwnd >>= 1;
  tp->snd_cwnd = std::max(cwnd, kInitialWindow);
}

void tcp_cong_avoid(sock* sk, u32 acked) {
  tcp_sock* tp = tcp_sk(sk);
  inet_connection_sock* icsk = inet_csk(sk);
  if (tp->icsk_ca_state == ca_state::TCP_CA_Recovery || acked == 0 || !tcp_is_cwnd_limited(tp)) return;
  if (tcp_in_slow_start(tp)) {
    const u32 room = tp->snd_ssthresh - tp->snd_cwnd;
    const u32 growth = std::min(acked, room);
    tp->snd_cwnd = static_cast<u16>(tp->snd_cwnd + growth);
    acked -= growth;
    if (acked == 0) return;
  }
  // by one for each window that is acknowledged (RFC 5681, section 3.1)
  if (icsk->snd_cwnd_cnt >= tp->snd_cwnd) {
    icsk->snd_cwnd_cnt = 0;
    ++tp->snd_cwnd;
  }
  u32 count = icsk->snd_cwnd_cnt + acked;
  const u32 cwnd = tp->snd_cwnd;
  icsk->snd_cwnd_cnt = static_cast<u16>(count % cwnd);
  if (count >= cwnd) tp->snd_cwnd = static_cast<u16>(std::min(cwnd + count / cwnd, 65535u));
}

void tcp_lower_ssthresh(sock* sk) { tcp_sk(sk)->snd_ssthresh = tcp_reno_ssthresh(tcp_sk(sk)); }

}  // namespace wakepath::kernel
