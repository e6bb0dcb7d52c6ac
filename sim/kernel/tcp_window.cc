// Models: the receive window, Linux 6.18: tcp_select_initial_window(), __tcp_select_window(), tcp_select_window() of
// net/ipv4/tcp_output.c; tcp_init_buffer_space(), tcp_check_space(), tcp_grow_window() and the measuring of
// tcp_measure_rcv_mss() of tcp_input.c; tcp_openreq_init_rwin() of tcp_minisocks.c. Left out: what depends on how fast
// bytes come (tcp_rcv_space_adjust() enlarges the buffer of a reader that keeps up), memory pressure,
// net.ipv4.tcp_shrink_window, peers without window scaling.

#include <algorithm>
#include <bit>

#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp.hh"

namespace wakepath::kernel {

namespace {

constexpr u32 kRmemMax = 4'194'304;  // net.core.rmem_max
constexpr int kMostWscale = 14;      // TCP_MAX_WSCALE, RFC 7323, section 2.3
constexpr u32 kHeadOfData = 832;     // SKB_TRUESIZE() of a head without data: all that is not data

int tcp_full_space(const sock* sk) { return tcp_win_from_space(sk, sk->sk_rcvbuf); }
int tcp_space(const sock* sk) {
  return tcp_win_from_space(sk, sk->sk_rcvbuf - tcp_sk(sk)->sk_backlog_len - sk->sk_rmem_alloc);
}
u32 align_up(u32 window, u8 wscale) { return (window + (1u << wscale) - 1) >> wscale << wscale; }

/// The clamp that a buffer of the user's own size gives.
u32 clamp_by_buffer(const sock* sk, u32 clamp) {
  auto space = static_cast<u32>(tcp_full_space(sk));
  bool own = (sk->sk_userlocks & SOCK_RCVBUF_LOCK) != 0;
  return own && (clamp > space || clamp == 0) ? space : clamp;
}

void tcp_set_window_clamp(sock* sk, u32 clamp) {
  constexpr u32 kLeast = 2304 / 2;  // SOCK_MIN_RCVBUF
  tcp_sock* tp = tcp_sk(sk);
  clamp = std::max(kLeast, clamp);
  if (clamp == tp->window_clamp) return;
  tp->rcv_ssthresh = clamp < tp->window_clamp ? std::min(tp->rcv_ssthresh.get(), clamp)
                                              : std::max(std::min(tp->rcv_wnd.get(), clamp), tp->rcv_ssthresh.get());
  tp->window_clamp = clamp;
}

/// A segment with more overhead than the buffer allows for: how far may the window grow all the same?
u32 __tcp_grow_window(const Kernel& k, const sock* sk, u32 len, u32 truesize) {
  u32 size = static_cast<u32>(tcp_win_from_space(sk, static_cast<int>(truesize))) >> 1;
  u32 window = static_cast<u32>(tcp_win_from_space(sk, k.config.tcp_rmem[2])) >> 1;
  while (tcp_sk(sk)->rcv_ssthresh <= window) {
    if (size <= len) return 2u * inet_csk(sk)->rcv_mss;
    size >>= 1;
    window >>= 1;
  }
  return 0;
}

}  // namespace

int tcp_win_from_space(const sock* sk, int space) {
  return static_cast<int>(std::int64_t{space} * inet_csk(sk)->scaling_ratio >> 8);
}

int tcp_space_from_win(const sock* sk, int window) {
  return static_cast<int>((std::int64_t{window} << 8) / inet_csk(sk)->scaling_ratio);
}

InitialWindow tcp_select_initial_window(const Kernel& k, const sock* sk, u32 mss, u32 clamp) {
  clamp = clamp_by_buffer(sk, clamp);
  if (clamp == 0) clamp = 65535u << kMostWscale;
  u32 space = std::min(clamp, static_cast<u32>(tcp_full_space(sk)));
  if (space > mss) space = space / mss * mss;
  u32 largest = std::min(std::max({space, static_cast<u32>(k.config.tcp_rmem[2]), kRmemMax}), clamp);
  auto wscale = static_cast<u8>(std::clamp(static_cast<int>(std::bit_width(largest)) - 16, 0, kMostWscale));
  return {space, std::min(65535u << wscale, clamp), wscale};
}

void tcp_openreq_init_rwin(const Kernel& k, const sock* listener, tcp_request_sock* req, u32 mss) {
  InitialWindow window = tcp_select_initial_window(k, listener, mss, tcp_sk(listener)->window_clamp);
  req->rsk_rcv_wnd = window.rcv_wnd;
  req->rsk_window_clamp = window.window_clamp;
  req->rcv_wscale = window.rcv_wscale;
}

void tcp_initialize_rcv_mss(sock* sk) {
  constexpr u32 kDefaultMss = 536;  // TCP_MSS_DEFAULT
  constexpr u32 kLeastMss = 88;     // TCP_MIN_MSS
  u32 hint = std::min({u32{tcp_sk(sk)->advmss}, tcp_current_mss(sk), tcp_sk(sk)->rcv_wnd / 2, kDefaultMss});
  inet_csk(sk)->rcv_mss = static_cast<u16>(std::max(hint, kLeastMss));
}

namespace {

/// Room for the congestion window's segments as they are charged, as often as the congestion control wants it.
void tcp_sndbuf_expand(const Kernel& k, sock* sk) {
  constexpr u32 kInitialWindow = 10;  // TCP_INIT_CWND
  constexpr u32 kHeaders = 192;       // MAX_TCP_HEADER: measured, an MSS of 1536 goes into 2048 bytes, 1537 does not
  constexpr u32 kSharedInfo = 320;    // skb_shared_info
  constexpr u32 kHead = 256;          // sk_buff
  const u32 mss = tcp_sk(sk)->mss_clamp != 0 ? tcp_sk(sk)->mss_clamp : tcp_full_mss(tcp_over_v6(sk));
  const u32 segments = k.config.tcp_sndbuf_expand * std::max<u32>(kInitialWindow, tcp_sk(sk)->snd_cwnd);
  const auto grown = std::uint64_t{segments} * (std::bit_ceil(mss + kHeaders + kSharedInfo) + kHead);
  const auto most = static_cast<std::uint64_t>(k.config.tcp_wmem[2]);
  if (static_cast<std::uint64_t>(sk->sk_sndbuf.get()) < grown) sk->sk_sndbuf = static_cast<int>(std::min(grown, most));
}

}  // namespace

void tcp_check_space(Kernel& k, sock* sk) {
  if (!sk->nospace || sk->sk_socket == nullptr) return;
  Call call(k, Fn::tcp_check_space, sk);
  const bool locked = (sk->sk_userlocks & SOCK_SNDBUF_LOCK) != 0;
  if (!locked && tcp_packets_in_flight(sk) < tcp_sk(sk)->snd_cwnd) tcp_sndbuf_expand(k, sk);
  sk->sk_write_space(k, sk);
}

void tcp_init_buffer_space(Kernel& k, sock* sk) {
  if ((sk->sk_userlocks & SOCK_SNDBUF_LOCK) == 0) tcp_sndbuf_expand(k, sk);
  tcp_sock* tp = tcp_sk(sk);
  const u32 advmss = tp->advmss;
  auto most = static_cast<u32>(tcp_full_space(sk));
  tp->window_clamp = std::min(tp->window_clamp.get(), most);
  if (tp->window_clamp > 2 * advmss && tp->window_clamp + advmss > most)  // room for one segment more stays
    tp->window_clamp = std::max(2 * advmss, most - advmss);
  tp->rcv_ssthresh = std::min(tp->rcv_ssthresh.get(), tp->window_clamp.get());
}

void tcp_set_scaling_ratio(sock* sk, const sk_buff* skb) {
  u32 before = inet_csk(sk)->scaling_ratio;
  u32 ratio = std::max(1u, skb->len * 256 / skb->truesize);
  inet_csk(sk)->scaling_ratio = static_cast<u8>(ratio);
  if (ratio != before) tcp_set_window_clamp(sk, static_cast<u32>(tcp_full_space(sk)));
}

void tcp_grow_window(Kernel& k, sock* sk, const sk_buff* skb) {
  tcp_sock* tp = tcp_sk(sk);
  int room = std::min(static_cast<int>(tp->window_clamp), tcp_space(sk)) - static_cast<int>(tp->rcv_ssthresh);
  if (room <= 0) return;
  u32 truesize = std::max(skb->truesize - kHeadOfData, skb->len.get());  // the head is not counted
  bool efficient = tcp_win_from_space(sk, static_cast<int>(truesize)) <= static_cast<int>(skb->len.get());
  u32 growth = efficient ? 2u * tp->advmss : __tcp_grow_window(k, sk, skb->len, truesize);
  if (growth == 0) return;
  growth = std::max(growth, 2 * skb->len);
  tp->rcv_ssthresh += std::min(static_cast<u32>(room), growth);
  inet_csk(sk)->icsk_ack_quick |= static_cast<u8>(1);  // the sender should know
}

u32 tcp_receive_window(const sock* sk) {
  const tcp_sock* tp = tcp_sk(sk);
  auto left = static_cast<std::int32_t>(tp->rcv_wup + tp->rcv_wnd - tp->rcv_nxt);
  return left < 0 ? 0 : static_cast<u32>(left);
}

u32 __tcp_select_window(sock* sk) {
  inet_connection_sock* icsk = inet_csk(sk);
  const tcp_sock* tp = tcp_sk(sk);
  int free = tcp_space(sk);
  const int allowed = tcp_full_space(sk);
  const int full = std::min(static_cast<int>(tp->window_clamp), allowed);
  const int mss = std::min(static_cast<int>(icsk->rcv_mss), full);
  if (mss <= 0) return 0;
  if (free < full / 2) {
    if (icsk->icsk_ack_quick != 0) icsk->icsk_ack_quick = static_cast<u8>(0);
    free = free >> tp->rcv_wscale << tp->rcv_wscale;
    if (free < allowed / 16 || free < mss) return 0;
  }
  free = std::min(free, static_cast<int>(tp->rcv_ssthresh));
  if (tp->rcv_wscale != 0) return align_up(static_cast<u32>(free), tp->rcv_wscale);
  auto window = static_cast<int>(tp->rcv_wnd);
  if (window <= free - mss || window > free) return static_cast<u32>(free / mss * mss);
  return static_cast<u32>(mss == full && free > window + full / 2 ? free : window);
}

u32 tcp_select_window(Kernel&, sock* sk) {
  tcp_sock* tp = tcp_sk(sk);
  if ((inet_csk(sk)->icsk_ack_pending & ICSK_ACK_NOMEM) != 0) {
    tp->rcv_wnd = 0u;
    tp->rcv_wup = tp->rcv_nxt;
    tp->fast_path = false;
    return 0;
  }
  u32 offered = tcp_receive_window(sk);
  u32 window = __tcp_select_window(sk);
  if (window < offered) window = align_up(offered, tp->rcv_wscale);  // never take back what was promised
  tp->rcv_wnd = window;
  tp->rcv_wup = tp->rcv_nxt;
  if (window == 0) tp->fast_path = false;
  return std::min(window, 65535u << tp->rcv_wscale);
}

}  // namespace wakepath::kernel
