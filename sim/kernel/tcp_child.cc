// Models: how a request becomes a connection: tcp_v4_syn_recv_sock() (net/ipv4/tcp_ipv4.c), tcp_create_openreq_child()
// and tcp_child_process() (tcp_minisocks.c), inet_csk_clone_lock() (inet_connection_sock.c) of Linux 6.18.
// Left out: fast open, timestamps, what security modules and congestion control take over from the listener.

#include "sim/kernel/ipv6.hh"
#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp.hh"

namespace wakepath::kernel {

namespace {

/// A clone has its listener's options.
void inherit_options(sock* listener, sock* child) {
  child->sk_rcvlowat = listener->sk_rcvlowat;
  child->sk_rcvbuf = listener->sk_rcvbuf;
  child->sk_sndbuf = listener->sk_sndbuf;
  child->sk_userlocks = static_cast<u8>(listener->sk_userlocks & ~SOCK_BINDPORT_LOCK);
  child->sk_flags = static_cast<sock_flags>(
      listener->sk_flags & (SOCK_LINGER_BIT | SOCK_URGINLINE_BIT | SOCK_KEEPOPEN_BIT | SOCK_BROADCAST_BIT));
  child->sk_shutdown = listener->sk_shutdown;  // shutdown() before listen() stays
  child->sk_lingertime = listener->sk_lingertime;
  child->sk_rcvtimeo = listener->sk_rcvtimeo;
  child->sk_sndtimeo = listener->sk_sndtimeo;
  inet_csk(child)->icsk_user_timeout = inet_csk(listener)->icsk_user_timeout;
  inet_csk(child)->icsk_syn_retries = inet_csk(listener)->icsk_syn_retries;
  const tcp_sock* from = tcp_sk(listener);
  tcp_sock* to = tcp_sk(child);
  to->nonagle = from->nonagle;
  to->notsent_lowat = from->notsent_lowat;
  to->notsent_limit = from->notsent_limit;
  to->linger2 = from->linger2;
  to->user_mss = from->user_mss;
  to->keepalive_time = from->keepalive_time;
  to->keepalive_intvl = from->keepalive_intvl;
  to->keepalive_probes = from->keepalive_probes;
}

}  // namespace

/// A copy of the listener, then its own numbers.
sock* tcp_v4_syn_recv_sock(Kernel& k, sock* listener, tcp_request_sock* req) {
  const sock_common& c = req->req.req.common;
  Call call(k, speaks_v6(&c) ? Fn::tcp_v6_syn_recv_sock : Fn::tcp_v4_syn_recv_sock, req);
  if (sk_acceptq_is_full(k, listener)) {
    k.rule(Rule::accept_queue_full_ack_dropped, listener);
    return nullptr;
  }
  Call create(k, Fn::tcp_create_openreq_child, req);
  sock* child = nullptr;
  {
    Call clone(k, Fn::inet_csk_clone_lock, listener);
    {
      Call lock(k, Fn::sk_clone_lock, listener);
      Call alloc(k, Fn::sk_prot_alloc, listener);
      child = k.allocation_fails() ? nullptr : listener->sk_prot->slab_alloc(k);
    }
    if (child == nullptr) return nullptr;
    child->common.skc_refcnt = 1;
    child->common.skc_state = TcpState::LISTEN;  // a clone has its parent's state for a moment
    child->common.skc_family = listener->common.skc_family;
    child->common.skc_reuse = listener->common.skc_reuse;
    child->common.skc_reuseport = listener->common.skc_reuseport;
    child->sk_prot = listener->sk_prot;
    sock_init_data(k, nullptr, child);
    child->sk_write_space = listener->sk_write_space;
    inherit_options(listener, child);
    Call set(k, Fn::inet_sk_set_state, child);
    child->common.skc_state = TcpState::SYN_RECV;
  }
  child->common.skc_ipv6only = listener->common.skc_ipv6only;
  inet_csk(child)->icsk_rto = record::Duration{kRtoInitial};
  tcp_init_cwnd(child);
  inet_csk(child)->icsk_af_ops = inet_csk(listener)->icsk_af_ops;  // also of one that was once connected over IPv4
  if (c.skc_family == AF_INET) {
    if (child->common.skc_family == AF_INET6) inet_csk(child)->icsk_af_ops = &ipv6_mapped;
    sk_rcv_saddr_set(k, child, c.skc_rcv_saddr.get().value);
    sk_daddr_set(k, child, c.skc_daddr.get().value);
  } else {
    child->common.skc_rcv_saddr = c.skc_rcv_saddr;
    child->common.skc_daddr = c.skc_daddr;
    child->common.skc_v6_rcv_saddr = c.skc_v6_rcv_saddr;
    child->common.skc_v6_daddr = c.skc_v6_daddr;
  }
  child->common.skc_dport = c.skc_dport;
  inet_sk(child)->inet_saddr = c.skc_rcv_saddr;
  tcp_sock* tp = tcp_sk(child);
  tp->rcv_nxt = req->rcv_isn + 1;
  tp->copied_seq = tp->rcv_nxt;
  tp->rcv_wup = tp->rcv_nxt;
  tp->rcv_wnd = req->rsk_rcv_wnd;
  tp->rcv_ssthresh = req->rsk_rcv_wnd;
  tp->window_clamp = req->rsk_window_clamp;
  tp->rcv_wscale = req->rcv_wscale;
  tp->write_seq = req->snt_isn + 1;
  inet_csk(child)->pushed_seq = tp->write_seq;
  tp->snd_una = tp->write_seq;
  tp->snd_nxt = tp->write_seq;
  tp->snd_up = tp->write_seq;
  tp->mss_clamp = req->mss;
  tp->advmss = tcp_advertise_mss(listener, tcp_over_v6(child));
  tp->snd_wl1 = req->rcv_isn;
  tp->snd_wnd = req->peer_window;
  tp->max_window = req->peer_window;
  inet_csk(child)->lrcvtime = tcp_stamp_ms(k);
  tcp_initialize_rcv_mss(child);
  tp->lsndtime = tcp_stamp_ms(k);
  if (req->snt_synack_ns != kForever) tcp_rtt_estimator(child, k.now_ns() - req->snt_synack_ns);
  tcp_init_timers(child);
  if (sock_flag(child, SOCK_KEEPOPEN_BIT)) tcp_reset_keepalive_timer(k, child, keepalive_time_when_ns(k, child));
  if (inet_bind_hash(k, child, c.skc_num) != 0) {
    child->sk_flags |= SOCK_DEAD_BIT;  // inet_csk_prepare_forced_close()
    tcp_done(k, child);
    return nullptr;
  }
  return child;
}

void tcp_child_process(Kernel& k, sock* parent, sock* child, sk_buff* skb) {
  Call call(k, Fn::tcp_child_process, child);
  TcpState before = tcp_state(child);
  if (tcp_rcv_state_process(k, child, skb) != 0) {
    tcp_v4_send_reset(k, skb);
    kfree_skb(k, skb);
    return;
  }
  if (before == TcpState::SYN_RECV && tcp_state(child) != before && !k.mutant(Mutant::no_accept_wake))
    parent->sk_data_ready(k, parent);
}

}  // namespace wakepath::kernel
