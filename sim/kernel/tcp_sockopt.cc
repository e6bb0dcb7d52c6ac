// Models: tcp_setsockopt(), tcp_getsockopt(), tcp_init_sock() of net/ipv4/tcp.c and tcp_prot of net/ipv4/tcp_ipv4.c,
// Linux 6.18. Left out: options that no call of the model can tell; they give -ENOPROTOOPT, and a scenario that asks
// for one is refused before it runs.

#include <netinet/tcp.h>

#include <algorithm>

#include "sim/kernel/ipv6.hh"
#include "sim/kernel/keepalive.hh"
#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp.hh"

namespace wakepath::kernel {

namespace {

constexpr int kMostKeepSeconds = 32767;  // MAX_TCP_KEEPIDLE, MAX_TCP_KEEPINTVL
constexpr int kMostTries = 127;          // MAX_TCP_SYNCNT, MAX_TCP_KEEPCNT
constexpr int kMostLinger2 = 120;        // TCP_FIN_TIMEOUT_MAX
constexpr int kLeastMss = 88;            // TCP_MIN_MSS
constexpr int kMostMss = 32767;          // MAX_TCP_WINDOW
constexpr int kRtoMaxSeconds = 120;

/// TCP_DEFER_ACCEPT is kept as a number of SYN-ACKs, whose times between double.
int secs_to_retrans(int seconds) {
  if (seconds <= 0) return 0;
  int times = 1;
  for (int timeout = 1, period = 1; seconds > period && times < 255; ++times) {
    timeout = std::min(timeout * 2, kRtoMaxSeconds);
    period += timeout;
  }
  return times;
}

int retrans_to_secs(int times) {
  if (times == 0) return 0;
  int period = 1;
  for (int timeout = 1; times > 1; --times) {
    timeout = std::min(timeout * 2, kRtoMaxSeconds);
    period += timeout;
  }
  return period;
}

void tcp_sock_set_nodelay(Kernel& k, sock* sk, bool on) {
  tcp_sock* tp = tcp_sk(sk);
  if (on) {
    tp->nonagle |= static_cast<nagle_flags>(TCP_NAGLE_OFF | TCP_NAGLE_PUSH);
    tcp_push_pending_frames(k, sk);
  } else {
    tp->nonagle &= static_cast<nagle_flags>(TCP_NAGLE_CORK | TCP_NAGLE_PUSH);
  }
}

void tcp_sock_set_cork(Kernel& k, sock* sk, bool on) {
  tcp_sock* tp = tcp_sk(sk);
  if (on) {
    tp->nonagle |= TCP_NAGLE_CORK;
    return;
  }
  tp->nonagle &= static_cast<nagle_flags>(TCP_NAGLE_OFF | TCP_NAGLE_PUSH);
  if ((tp->nonagle & TCP_NAGLE_OFF) != 0) tp->nonagle |= TCP_NAGLE_PUSH;
  tcp_push_pending_frames(k, sk);
}

void tcp_sock_set_quickack(Kernel& k, sock* sk, int value) {
  inet_connection_sock* icsk = inet_csk(sk);
  if (value == 0) {
    inet_csk_enter_pingpong_mode(sk);
    return;
  }
  icsk->icsk_ack_pingpong = 0;
  bool open = tcp_state(sk) == TcpState::ESTABLISHED || tcp_state(sk) == TcpState::CLOSE_WAIT;
  if (!open || (icsk->icsk_ack_pending & ICSK_ACK_SCHED) == 0) return;
  icsk->icsk_ack_pending |= ICSK_ACK_PUSHED;
  tcp_cleanup_rbuf(k, sk, 1);
  if ((value & 1) == 0) inet_csk_enter_pingpong_mode(sk);
}

void tcp_sock_set_keepidle(Kernel& k, sock* sk, int seconds) {
  tcp_sk(sk)->keepalive_time = static_cast<u16>(seconds);
  TcpState state = tcp_state(sk);
  if (!sock_flag(sk, SOCK_KEEPOPEN_BIT) || state == TcpState::CLOSE || state == TcpState::LISTEN) return;
  u64 silent = keepalive_time_elapsed_ns(k, sk);
  u64 wait = keepalive_time_when_ns(k, sk);
  tcp_reset_keepalive_timer(k, sk, wait > silent ? wait - silent : 0);
}

/// Options that are numbers with bounds. False: it is none of them.
bool set_number(Kernel& k, sock* sk, int option, int value, bool* in_range) {
  tcp_sock* tp = tcp_sk(sk);
  inet_connection_sock* icsk = inet_csk(sk);
  auto within = [&](int low, int high) { return *in_range = value >= low && value <= high; };
  switch (option) {
    case TCP_SYNCNT:
      if (within(1, kMostTries)) icsk->icsk_syn_retries = static_cast<u8>(value);
      return true;
    case TCP_USER_TIMEOUT:
      if (within(0, 0x7fffffff)) icsk->icsk_user_timeout = static_cast<u32>(value);
      return true;
    case TCP_KEEPIDLE:
      if (within(1, kMostKeepSeconds)) tcp_sock_set_keepidle(k, sk, value);
      return true;
    case TCP_KEEPINTVL:
      if (within(1, kMostKeepSeconds)) tp->keepalive_intvl = static_cast<u16>(value);
      return true;
    case TCP_KEEPCNT:
      if (within(1, kMostTries)) tp->keepalive_probes = static_cast<u8>(value);
      return true;
    case TCP_MAXSEG:
      if (value == 0 || within(kLeastMss, kMostMss)) tp->user_mss = static_cast<u16>(value);
      return true;
    case TCP_LINGER2:
      tp->linger2 = static_cast<short>(value < 0 ? -1 : std::min(value, kMostLinger2));
      return true;
    case TCP_DEFER_ACCEPT:
      icsk->icsk_accept_queue.rskq_defer_accept = static_cast<u8>(secs_to_retrans(value));
      return true;
    case TCP_NOTSENT_LOWAT:
      tp->notsent_lowat = static_cast<u32>(value);
      tp->notsent_limit = value != 0 ? tp->notsent_lowat : k.config.tcp_notsent_lowat;
      sk->sk_write_space(k, sk);
      return true;
    default:
      return false;
  }
}

int mss_of(const sock* sk) {
  bool idle = tcp_state(sk) == TcpState::CLOSE || tcp_state(sk) == TcpState::LISTEN;
  if (idle && tcp_sk(sk)->user_mss != 0) return tcp_sk(sk)->user_mss;
  return tcp_sk(sk)->mss_clamp == 0 ? tcp_sk(sk)->mss_cache : static_cast<int>(tcp_current_mss(sk));
}

}  // namespace

long tcp_setsockopt(Kernel& k, sock* sk, int option, OptionValue value) {
  Call call(k, Fn::tcp_setsockopt, sk);
  if (value.empty()) return call.result(k.error(Rule::option_too_short, sk));
  if (!is_there(value)) return call.result(k.error(Rule::bad_address, sk));
  bool in_range = true;
  lock_sock(k, sk);
  bool known = true;
  if (option == TCP_NODELAY)
    tcp_sock_set_nodelay(k, sk, value[0] != 0);
  else if (option == TCP_CORK)
    tcp_sock_set_cork(k, sk, value[0] != 0);
  else if (option == TCP_QUICKACK)
    tcp_sock_set_quickack(k, sk, value[0]);
  else
    known = set_number(k, sk, option, value[0], &in_range);
  release_sock(k, sk);
  if (!known) return call.result(k.error(Rule::option_unknown, sk));
  return call.result(in_range ? 0 : k.error(Rule::option_bad_value, sk));
}

long tcp_getsockopt(Kernel& k, sock* sk, int option, std::vector<int>* value) {
  Call call(k, Fn::tcp_getsockopt, sk);
  if (value == nullptr) return call.result(k.error(Rule::bad_address, sk));
  const tcp_sock* tp = tcp_sk(sk);
  const inet_connection_sock* icsk = inet_csk(sk);
  auto or_else = [](int own, int sysctl) { return own != 0 ? own : sysctl; };
  switch (option) {
    case TCP_NODELAY:
      *value = {(tp->nonagle & TCP_NAGLE_OFF) != 0 ? 1 : 0};
      break;
    case TCP_CORK:
      *value = {(tp->nonagle & TCP_NAGLE_CORK) != 0 ? 1 : 0};
      break;
    case TCP_MAXSEG:
      *value = {mss_of(sk)};
      break;
    case TCP_KEEPIDLE:
      *value = {or_else(tp->keepalive_time, k.config.tcp_keepalive_time)};
      break;
    case TCP_KEEPINTVL:
      *value = {or_else(tp->keepalive_intvl, k.config.tcp_keepalive_intvl)};
      break;
    case TCP_KEEPCNT:
      *value = {or_else(tp->keepalive_probes, k.config.tcp_keepalive_probes)};
      break;
    case TCP_SYNCNT:
      *value = {or_else(icsk->icsk_syn_retries, k.config.tcp_syn_retries)};
      break;
    case TCP_LINGER2:
      *value = {or_else(tp->linger2.get(), k.config.tcp_fin_timeout)};
      break;
    case TCP_DEFER_ACCEPT:
      *value = {retrans_to_secs(icsk->icsk_accept_queue.rskq_defer_accept)};
      break;
    case TCP_QUICKACK:
      *value = {icsk->icsk_ack_pingpong == 0 ? 1 : 0};
      break;
    case TCP_USER_TIMEOUT:
      *value = {static_cast<int>(icsk->icsk_user_timeout)};
      break;
    case TCP_NOTSENT_LOWAT:
      *value = {static_cast<int>(tp->notsent_lowat)};
      break;
    default:
      return call.result(k.error(Rule::option_unknown, sk));
  }
  return call.result(0);
}

int tcp_init_sock(Kernel& k, sock* sk) {
  sk->sk_rcvbuf = k.config.tcp_rmem[1];
  sk->sk_sndbuf = k.config.tcp_wmem[1];
  sk->sk_write_space = sk_stream_write_space;
  tcp_sk(sk)->notsent_limit = k.config.tcp_notsent_lowat;
  inet_csk(sk)->lrcvtime = kLongAgo;
  inet_csk(sk)->rcv_mss = static_cast<u16>(536);  // TCP_MSS_DEFAULT
  inet_csk(sk)->icsk_rto = record::Duration{kRtoInitial};
  tcp_init_cwnd(sk);
  if (inet_csk(sk)->icsk_af_ops == nullptr) inet_csk(sk)->icsk_af_ops = &ipv4_specific;
  tcp_init_timers(sk);
  return 0;
}

void tcp_init_transfer(Kernel& k, sock* sk) {
  tcp_sk(sk)->advmss -= static_cast<u16>(kTcpTimestamps);
  tcp_init_cwnd(sk);  // a SYN that was lost is forgiven (left out: two of them are not, and the window begins with 1)
  tcp_initialize_rcv_mss(sk);
  tcp_init_buffer_space(k, sk);
  if (sock_flag(sk, SOCK_KEEPOPEN_BIT)) tcp_reset_keepalive_timer(k, sk, keepalive_time_when_ns(k, sk));
}

namespace {

sock* tcp_slab_alloc(Kernel& k) { return as_sock(k.tcp_socks.make()); }
void tcp_slab_free(Kernel& k, sock* sk) { k.tcp_socks.free(tcp_sk(sk)); }

}  // namespace

const proto tcp_prot = {.name = "TCP",
                        .slab_alloc = tcp_slab_alloc,
                        .slab_free = tcp_slab_free,
                        .init = tcp_init_sock,
                        .close = tcp_close,
                        .connect = tcp_v4_connect,
                        .get_port = inet_csk_get_port,
                        .setsockopt = tcp_setsockopt,
                        .getsockopt = tcp_getsockopt,
                        .sendmsg = tcp_sendmsg,
                        .recvmsg = tcp_recvmsg,
                        .backlog_rcv = tcp_v4_do_rcv,
                        .protocol = IPPROTO_TCP,
                        .disconnect = tcp_disconnect,
                        .shutdown = tcp_shutdown,
                        .no_autobind = true,
                        .ioctl = tcp_ioctl};

const inet_connection_sock_af_ops ipv4_specific = {__ip_queue_xmit, false};

}  // namespace wakepath::kernel
