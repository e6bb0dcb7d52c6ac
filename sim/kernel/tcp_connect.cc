// Models: tcp_v4_connect() of net/ipv4/tcp_ipv4.c, tcp_connect() of tcp_output.c and tcp_rcv_synsent_state_process() of
// tcp_input.c, Linux 6.18.
// Left out: TCP fast open, SYN cookies' timestamps, routes other than loopback's (ENETUNREACH).

#include <algorithm>

#include "sim/kernel/ipv6.hh"
#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp.hh"

namespace wakepath::kernel {

namespace {

/// 0 or -ENOBUFS. A SYN that could not be sent is sent again by the timer.
long tcp_connect(Kernel& k, sock* sk) {
  Call call(k, Fn::tcp_connect, sk);
  tcp_sock* tp = tcp_sk(sk);
  if (sk->sk_err != 0) sk->sk_err = 0;  // of an attempt before this one
  bool v6 = tcp_over_v6(sk);
  InitialWindow window = tcp_select_initial_window(k, sk, tp->advmss, tp->window_clamp);
  tp->rcv_wnd = window.rcv_wnd;
  tp->rcv_ssthresh = window.rcv_wnd;
  tp->window_clamp = window.window_clamp;
  tp->rcv_wscale = window.rcv_wscale;
  tp->retrans_stamp = tcp_stamp_ms(k);
  sk_buff* skb = tcp_stream_alloc_skb(k, sk, "");
  if (skb == nullptr) return call.result(k.error(Rule::no_buffer, sk));
  skb->flags = TCPHDR_SYN;
  skb->mss = tcp_advertise_mss(sk, v6);
  skb->seq = tp->write_seq;
  ++tp->write_seq;
  skb->end_seq = tp->write_seq;
  sk_wmem_charge(sk, skb->truesize);
  sk->tcp_rtx_queue.push_back(skb);
  ++tp->packets_out;
  __tcp_transmit_skb(k, sk, skb, true);
  tp->snd_nxt = tp->write_seq;
  inet_csk(sk)->pushed_seq = tp->write_seq;
  tcp_reset_xmit_timer(k, sk, inet_csk(sk)->icsk_rto.get().ns);
  return call.result(0);
}

/// What had been done for a connect() that fails before anything was sent.
void undo_connect(Kernel& k, sock* sk) {
  tcp_set_state(k, sk, TcpState::CLOSE);
  if ((sk->sk_userlocks & SOCK_BINDADDR_LOCK) == 0) {
    inet_reset_saddr(sk);
    inet_bhash2_update_saddr(k, sk);
  }
  sk->common.skc_dport = static_cast<u16>(0);
}

void tcp_finish_connect(Kernel& k, sock* sk) {
  Call call(k, Fn::tcp_finish_connect, sk);
  tcp_set_state(k, sk, TcpState::ESTABLISHED);
  inet_csk(sk)->lrcvtime = tcp_stamp_ms(k);
  tcp_sk(sk)->lsndtime = tcp_stamp_ms(k);
  tcp_init_transfer(k, sk);
}

/// What both ends can take.
void agree_on_mss(sock* sk, const sk_buff* syn) {
  u16 own = tcp_advertise_mss(sk, tcp_over_v6(sk));
  tcp_sk(sk)->mss_clamp = syn->mss != 0 ? std::min(syn->mss, own) : own;
}

/// What is taken for the peer's before it has answered, less the timestamps.
u16 mss_of_a_syn(const sock* sk) {
  constexpr u16 kDefault = 536, kDefault6 = 1220;
  const u16 own = tcp_sk(sk)->user_mss;
  const u16 mss = own != 0 ? own : tcp_over_v6(sk) ? kDefault6 : kDefault;
  return static_cast<u16>(mss - kTcpTimestamps);
}

}  // namespace

long tcp_start_connect(Kernel& k, sock* sk) {
  tcp_set_state(k, sk, TcpState::SYN_SENT);
  if (long error = __inet_hash_connect(k, sk); error != 0) return error;
  tcp_sock* tp = tcp_sk(sk);
  tp->write_seq = k.next_isn;
  k.next_isn += 1'000'000;
  tp->snd_una = tp->write_seq;
  tp->snd_nxt = tp->write_seq;
  tp->snd_up = tp->write_seq;
  if (tp->mss_clamp != 0) tp->mss_clamp = static_cast<u16>(0);
  tp->mss_cache = mss_of_a_syn(sk);
  tp->advmss = tcp_advertise_mss(sk, tcp_over_v6(sk));
  tcp_initialize_rcv_mss(sk);
  return tcp_connect(k, sk);
}

long tcp_v4_connect(Kernel& k, sock* sk, const Address& to) {
  Call call(k, Fn::tcp_v4_connect, sk);
  if (sockaddr_size(to) < sizeof(sockaddr_in)) return call.result(k.error(Rule::address_too_short, sk));
  if (to.family != AF_INET) return call.result(k.error(Rule::address_of_another_family, sk));
  rtable route = ip_route_output(inet_sk(sk)->inet_saddr.get().value, to.ip);
  if (!route.found || route.broadcast || route.multicast) return call.result(k.error(Rule::connect_no_route, sk));
  if (inet_sk(sk)->inet_saddr.get().value == 0) {
    sk_rcv_saddr_set(k, sk, route.saddr);
    inet_sk(sk)->inet_saddr = record::Ipv4{route.saddr};
    inet_bhash2_update_saddr(k, sk);
  }
  sk_daddr_set(k, sk, route.daddr);
  sk->common.skc_dport = to.port;
  long error = tcp_start_connect(k, sk);
  if (error != 0) undo_connect(k, sk);
  return call.result(error);
}

int tcp_rcv_synsent_state_process(Kernel& k, sock* sk, sk_buff* skb) {
  Call call(k, Fn::tcp_rcv_synsent_state_process, sk);
  tcp_sock* tp = tcp_sk(sk);
  if ((skb->flags & TCPHDR_ACK) != 0) {
    if (!after(skb->ack_seq, tp->snd_una) || after(skb->ack_seq, tp->snd_nxt)) {
      if ((skb->flags & TCPHDR_RST) == 0) return call.result(1);
      kfree_skb(k, skb);
      return call.result(0);
    }
    if ((skb->flags & TCPHDR_RST) != 0) {
      tcp_reset(k, sk);
      kfree_skb(k, skb);
      return call.result(0);
    }
    if ((skb->flags & TCPHDR_SYN) == 0) {
      kfree_skb(k, skb);
      return call.result(0);
    }
    tp->snd_wnd = skb->window.get().value;
    tp->max_window = tp->snd_wnd;
    tp->snd_wl1 = skb->seq;
    agree_on_mss(sk, skb);
    tcp_ack(k, sk, skb);
    tp->retrans_stamp = 0;
    tp->rcv_nxt = skb->seq + 1;
    tp->rcv_wup = skb->seq + 1;
    tp->copied_seq = tp->rcv_nxt;
    tcp_finish_connect(k, sk);
    if (!sock_flag(sk, SOCK_DEAD_BIT)) sk->sk_state_change(k, sk);
    const inet_connection_sock* icsk = inet_csk(sk);
    if (icsk->icsk_accept_queue.rskq_defer_accept != 0 || icsk->icsk_ack_pingpong != 0) {  // data may carry the ACK
      inet_csk_schedule_ack(sk);
      tcp_enter_quickack_mode(sk);
      tcp_arm_delack(k, sk, 200 * kNsPerMs);  // TCP_DELACK_MAX
    } else {
      tcp_send_ack(k, sk);
    }
    kfree_skb(k, skb);
    return call.result(0);
  }
  if ((skb->flags & TCPHDR_RST) != 0 || (skb->flags & TCPHDR_SYN) == 0) {
    kfree_skb(k, skb);
    return call.result(0);
  }
  // SYN without ACK: both ends connect to each other (RFC 9293, section 3.5, figure 8)
  tcp_set_state(k, sk, TcpState::SYN_RECV);
  tp->rcv_nxt = skb->seq + 1;
  tp->rcv_wup = skb->seq + 1;
  tp->copied_seq = tp->rcv_nxt;
  tp->snd_wnd = skb->window.get().value;
  tp->max_window = tp->snd_wnd;
  tp->snd_wl1 = skb->seq;
  agree_on_mss(sk, skb);
  kfree_skb(k, skb);
  if (sk_buff* syn = sk->tcp_rtx_queue.front()) {
    syn->flags |= TCPHDR_ACK;
    __tcp_transmit_skb(k, sk, syn, true);
  }
  return call.result(0);
}

}  // namespace wakepath::kernel
