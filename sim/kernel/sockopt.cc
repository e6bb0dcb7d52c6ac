// Models: sk_setsockopt(), sk_getsockopt() of net/core/sock.c, Linux 6.18.
// Left out: options that change nothing a call of the model can show (priority, mark, timestamps, filters); they give
// -ENOPROTOOPT, and a scenario that asks for one is refused before it runs.

#include <algorithm>
#include <optional>

#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp.hh"

namespace wakepath::kernel {

namespace {

/// net.core.rmem_max and wmem_max (4 MiB since 6.18); compared without a sign, so that a negative size is a large one.
int limited(int buffer_size) { return static_cast<int>(std::min(static_cast<u32>(buffer_size), 4'194'304u)); }

/// The timeout of SO_RCVTIMEO and SO_SNDTIMEO, or nothing for microseconds that are none. 0 s 0 us means none; a
/// negative time never waits.
std::optional<u64> sock_timeout_ns(int seconds, int microseconds) {
  if (microseconds < 0 || microseconds >= 1'000'000) return std::nullopt;
  if (seconds < 0) return 0;
  u64 ns = static_cast<u64>(seconds) * 1'000'000'000 + static_cast<u64>(microseconds) * 1000;
  return ns == 0 ? kForever : ns;
}

/// As the kernel gives it back: counted in jiffies of 4 ms (CONFIG_HZ=250), rounded up. {0, 0}: for ever.
std::vector<int> sock_get_timeout(u64 ns) {
  constexpr u64 kJiffy = 4 * kNsPerMs;
  if (ns == kForever) return {0, 0};
  u64 jiffies = (ns + kJiffy - 1) / kJiffy;
  return {static_cast<int>(jiffies / 250), static_cast<int>(jiffies % 250 * 4000)};
}

/// For ever is MAX_SCHEDULE_TIMEOUT: its seconds of CONFIG_HZ=250, cut to an int.
int linger_seconds(const sock* sk) {
  constexpr long kForEver = 0x7fffffffffffffff / 250;
  return sk->sk_lingertime < 0 ? static_cast<int>(kForEver) : sk->sk_lingertime;
}

void sock_valbool_flag(sock* sk, sock_flags flag, bool on) {
  if (on)
    sk->sk_flags |= flag;
  else
    sk->sk_flags &= static_cast<sock_flags>(~static_cast<u32>(flag));
}

/// TCP's own (tcp_set_rcvlowat()): not more than half of what the buffer may become, and the buffer grows to hold it.
void set_rcvlowat(Kernel& k, sock* sk, int bytes) {
  if (bytes < 0) bytes = 0x7fffffff;
  if (sk->sk_prot->protocol != IPPROTO_TCP) {
    sk->sk_rcvlowat = bytes == 0 ? 1 : bytes;
    return;
  }
  bool locked = (sk->sk_userlocks & SOCK_RCVBUF_LOCK) != 0;
  bytes = std::min(bytes, (locked ? sk->sk_rcvbuf.get() : k.config.tcp_rmem[2]) / 2);
  sk->sk_rcvlowat = bytes == 0 ? 1 : bytes;
  tcp_data_ready(k, sk);
  int space = tcp_space_from_win(sk, bytes);
  if (locked || space <= sk->sk_rcvbuf) return;
  sk->sk_rcvbuf = space;
  tcp_sock* tp = tcp_sk(sk);
  if (tp->window_clamp != 0) tp->window_clamp = std::max(tp->window_clamp.get(), static_cast<u32>(bytes));
}

}  // namespace

long sk_setsockopt(Kernel& k, struct socket* socket, int option, OptionValue value) {
  Call call(k, Fn::sk_setsockopt, socket);
  sock* sk = socket->sk;
  if (value.empty()) return call.result(k.error(Rule::option_too_short, sk));
  if (!is_there(value)) return call.result(k.error(Rule::bad_address, sk));
  bool pair = option == SO_RCVTIMEO || option == SO_SNDTIMEO || option == SO_LINGER;
  if (pair && value.size() < 2) return call.result(k.error(Rule::option_too_short, sk));
  int first = value[0];
  switch (option) {
    case SO_REUSEADDR:
      sk->common.skc_reuse = first != 0;
      return call.result(0);
    case SO_REUSEPORT: {
      bool inet = sk->common.skc_family == AF_INET || sk->common.skc_family == AF_INET6;
      if (first != 0 && !inet) return call.result(k.error(Rule::reuseport_not_in_family, sk));
      sk->common.skc_reuseport = first != 0;
      return call.result(0);
    }
    case SO_BROADCAST:
      sock_valbool_flag(sk, SOCK_BROADCAST_BIT, first != 0);
      return call.result(0);
    case SO_KEEPALIVE:
      if (sk->sk_prot->protocol == IPPROTO_TCP) tcp_set_keepalive(k, sk, first != 0);
      sock_valbool_flag(sk, SOCK_KEEPOPEN_BIT, first != 0);
      return call.result(0);
    case SO_OOBINLINE:
      sock_valbool_flag(sk, SOCK_URGINLINE_BIT, first != 0);
      return call.result(0);
    case SO_RCVLOWAT:
      set_rcvlowat(k, sk, first);
      return call.result(0);
    case SO_RCVBUF:
      sk->sk_userlocks |= SOCK_RCVBUF_LOCK;
      sk->sk_rcvbuf = std::max(2 * limited(first), 2304);
      if (sk->sk_prot->rcvbuf_changed != nullptr) sk->sk_prot->rcvbuf_changed(sk);
      return call.result(0);
    case SO_SNDBUF:
      sk->sk_userlocks |= SOCK_SNDBUF_LOCK;
      sk->sk_sndbuf = std::max(2 * limited(first), 4608);
      sk->sk_write_space(k, sk);  // there may be more room than before
      return call.result(0);
    case SO_RCVTIMEO:
    case SO_SNDTIMEO: {
      std::optional<u64> ns = sock_timeout_ns(first, value[1]);
      if (!ns) return call.result(k.error(Rule::option_out_of_range, sk));
      (option == SO_RCVTIMEO ? sk->sk_rcvtimeo : sk->sk_sndtimeo) = record::Duration{*ns == kForever ? 0 : *ns};
      return call.result(0);
    }
    case SO_LINGER:
      sock_valbool_flag(sk, SOCK_LINGER_BIT, first != 0);
      if (first != 0) sk->sk_lingertime = std::max(value[1], -1);  // compared without a sign: for ever
      return call.result(0);
    default:
      return call.result(k.error(Rule::option_unknown, sk));
  }
}

long sk_getsockopt(Kernel& k, struct socket* socket, int option, std::vector<int>* value) {
  Call call(k, Fn::sk_getsockopt, socket);
  sock* sk = socket->sk;
  if (value == nullptr) return call.result(k.error(Rule::bad_address, sk));
  switch (option) {
    case SO_ERROR:
      *value = {static_cast<int>(-sock_error(k, sk))};
      return call.result(0);
    case SO_REUSEADDR:
      *value = {sk->common.skc_reuse ? 1 : 0};
      return call.result(0);
    case SO_TYPE:
      *value = {socket->type};
      return call.result(0);
    case SO_ACCEPTCONN:
      *value = {tcp_state(sk) == TcpState::LISTEN ? 1 : 0};
      return call.result(0);
    case SO_RCVLOWAT:
      *value = {sk->sk_rcvlowat};
      return call.result(0);
    case SO_SNDLOWAT:
      *value = {1};
      return call.result(0);
    case SO_KEEPALIVE:
      *value = {sock_flag(sk, SOCK_KEEPOPEN_BIT) ? 1 : 0};
      return call.result(0);
    case SO_OOBINLINE:
      *value = {sock_flag(sk, SOCK_URGINLINE_BIT) ? 1 : 0};
      return call.result(0);
    case SO_DOMAIN:
      *value = {sk->common.skc_family};
      return call.result(0);
    case SO_PROTOCOL:
      *value = {sk->sk_prot->protocol};
      return call.result(0);
    case SO_REUSEPORT:
      *value = {sk->common.skc_reuseport ? 1 : 0};
      return call.result(0);
    case SO_BROADCAST:
      *value = {sock_flag(sk, SOCK_BROADCAST_BIT) ? 1 : 0};
      return call.result(0);
    case SO_SNDBUF:
      *value = {sk->sk_sndbuf};
      return call.result(0);
    case SO_RCVBUF:
      *value = {sk->sk_rcvbuf};
      return call.result(0);
    case SO_LINGER:
      *value = {sock_flag(sk, SOCK_LINGER_BIT) ? 1 : 0, linger_seconds(sk)};
      return call.result(0);
    case SO_RCVTIMEO:
    case SO_SNDTIMEO:
      *value = sock_get_timeout(option == SO_RCVTIMEO ? sock_rcvtimeo(sk, false) : sock_sndtimeo(sk, false));
      return call.result(0);
    default:
      return call.result(k.error(Rule::option_unknown, sk));
  }
}

}  // namespace wakepath::kernel
