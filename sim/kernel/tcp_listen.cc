// Models: net/ipv4/inet_connection_sock.c, tcp_minisocks.c and the listening part of tcp_input.c, Linux 6.18: the SYN
// queue (requests in ehash) and the accept queue; accept() is in tcp_accept.cc.
// Left out: fast open, migration of requests between listeners, peers that Linux remembers as proven (they may still
// come in when the SYN queue without cookies is three quarters full).

#include <algorithm>

#include "sim/kernel/ipv6.hh"
#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp.hh"

namespace wakepath::kernel {

namespace {

constexpr u64 kSynAckTimeout = 1000 * kNsPerMs;  // TCP_TIMEOUT_INIT

void tcp_v4_send_synack(Kernel& k, const tcp_request_sock* req) {
  const sock_common& c = req->req.req.common;
  bool v6 = speaks_v6(&c);
  Call call(k, v6 ? Fn::tcp_v6_send_synack : Fn::tcp_v4_send_synack, req);
  sk_buff* skb = nullptr;
  {
    Call make(k, Fn::tcp_make_synack, req);
    skb = make_bare_segment(k, {{c.skc_rcv_saddr.get().value, c.skc_num},
                                {c.skc_daddr.get().value, c.skc_dport},
                                req->snt_isn,
                                req->rcv_isn + 1,
                                tcp_select_initial_window(req->req.req.rsk_listener, v6),
                                static_cast<tcp_flags>(TCPHDR_SYN | TCPHDR_ACK),
                                v6,
                                c.skc_v6_rcv_saddr,
                                c.skc_v6_daddr});
    if (skb == nullptr) return;  // the request's timer will try again
    skb->mss = tcp_advertise_mss(req->req.req.rsk_listener, v6);
  }
  if (v6)
    ip6_xmit(k, skb);
  else
    ip_output(k, skb);
}

void inet_csk_reqsk_queue_drop(Kernel& k, sock* listener, tcp_request_sock* req) {
  Call call(k, Fn::__inet_csk_reqsk_queue_drop, req);
  ehash_remove(k, as_common(req));
  k.scheduler.cancel(req->rsk_timer);
  request_sock_queue& queue = inet_csk(listener)->icsk_accept_queue;
  if (req->req.req.num_timeout == 0) --queue.young;
  --queue.qlen;
}

void arm_rsk_timer(Kernel& k, tcp_request_sock* req) {
  u64 due = k.now_ns() + (kSynAckTimeout << req->req.req.num_timeout);
  k.scheduler.arm(req->rsk_timer, due);
  req->rsk_timer_expires = record::Time{due};
}

/// How often a SYN-ACK goes out again; less often for old requests while the queue is half full, as Linux does it.
int synack_retries(const Kernel& k, const sock* listener) {
  const request_sock_queue& queue = inet_csk(listener)->icsk_accept_queue;
  int own = inet_csk(listener)->icsk_syn_retries;
  int most = own != 0 ? own : k.config.tcp_synack_retries;
  if (queue.qlen * 2 <= std::max(8, static_cast<int>(listener->sk_max_ack_backlog.get()))) return most;
  for (int young = queue.young * 2; most > 2 && queue.qlen >= young; young *= 2) --most;
  return most;
}

/// Once more, or never again: syn_ack_recalc(). With TCP_DEFER_ACCEPT a request whose ACK came without data waits, and
/// at its end the SYN-ACK goes out once more, so that the client's answer makes the connection.
void reqsk_timer_handler(Kernel& k, tcp_request_sock* req) {
  sock* listener = req->req.req.rsk_listener;
  int sent = req->req.req.num_timeout;
  int defer = inet_csk(listener)->icsk_accept_queue.rskq_defer_accept;
  bool acked = req->req.acked;
  bool expire = sent >= synack_retries(k, listener) && (defer == 0 || !acked || sent >= defer);
  bool resend = defer == 0 || !acked || sent >= defer - 1;
  if (expire) {
    inet_csk_reqsk_queue_drop(k, listener, req);
    reqsk_free(k, req);
    return;
  }
  if (resend) tcp_v4_send_synack(k, req);
  if (sent == 0) --inet_csk(listener)->icsk_accept_queue.young;
  ++req->req.req.num_timeout;
  arm_rsk_timer(k, req);
}

void run_reqsk_timer(Kernel& k, tcp_request_sock* req) {
  timer_softirq(k, Fn::reqsk_timer_handler, req, [&k, req] { reqsk_timer_handler(k, req); });
}

void inet_csk_reqsk_queue_hash_add(Kernel& k, sock* listener, tcp_request_sock* req) {
  Call call(k, Fn::inet_csk_reqsk_queue_hash_add, req);
  req->rsk_timer.function = timer_of<&tcp_request_sock::rsk_timer, run_reqsk_timer>;
  arm_rsk_timer(k, req);
  ehash_insert(k, as_common(req));
  request_sock_queue& queue = inet_csk(listener)->icsk_accept_queue;
  ++queue.young;
  ++queue.qlen;
}

/// A clone has its listener's options.
void inherit_options(sock* listener, sock* child) {
  child->sk_rcvlowat = listener->sk_rcvlowat;
  child->sk_rcvbuf = listener->sk_rcvbuf;
  child->sk_sndbuf = listener->sk_sndbuf;
  child->sk_userlocks = static_cast<u8>(listener->sk_userlocks & ~SOCK_BINDPORT_LOCK);
  child->sk_flags =
      static_cast<sock_flags>(listener->sk_flags & (SOCK_LINGER_BIT | SOCK_URGINLINE_BIT | SOCK_KEEPOPEN_BIT));
  child->sk_shutdown = listener->sk_shutdown;  // shutdown() before listen() stays
  child->linger_s = listener->linger_s;
  child->rcvtimeo_ns = listener->rcvtimeo_ns;
  child->sndtimeo_ns = listener->sndtimeo_ns;
  inet_csk(child)->icsk_user_timeout_ms = inet_csk(listener)->icsk_user_timeout_ms;
  inet_csk(child)->icsk_syn_retries = inet_csk(listener)->icsk_syn_retries;
  inet_csk(child)->icsk_ack_pingpong = inet_csk(listener)->icsk_ack_pingpong;
  const tcp_sock* from = tcp_sk(listener);
  tcp_sock* to = tcp_sk(child);
  to->nonagle = from->nonagle;
  to->notsent_lowat = from->notsent_lowat;
  to->notsent_limit = from->notsent_limit;
  to->linger2_s = from->linger2_s;
  to->user_mss = from->user_mss;
  to->keepalive_time_s = from->keepalive_time_s;
  to->keepalive_intvl_s = from->keepalive_intvl_s;
  to->keepalive_probes = from->keepalive_probes;
}

}  // namespace

void reqsk_free(Kernel& k, tcp_request_sock* req) {
  k.scheduler.cancel(req->rsk_timer);
  k.request_socks.free(req);
}

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
  if (c.skc_family == AF_INET) {
    if (child->common.skc_family == AF_INET6) inet_csk(child)->icsk_af_ops = &ipv6_mapped;
    sk_rcv_saddr_set(k, child, c.skc_rcv_saddr.get().value);
    sk_daddr_set(k, child, c.skc_daddr.get().value);
  } else {
    inet_csk(child)->icsk_af_ops = &ipv6_specific;
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
  tp->rcv_wnd = tcp_select_initial_window(child, speaks_v6(&c));
  tp->write_seq = req->snt_isn + 1;
  tp->snd_una = tp->write_seq;
  tp->snd_nxt = tp->write_seq;
  tp->snd_up = tp->write_seq;
  tp->mss_clamp = req->mss;
  tp->snd_wl1 = req->rcv_isn;
  tp->snd_wnd = req->peer_window;
  tp->max_window = req->peer_window;
  inet_csk(child)->last_data_received_ns = k.now_ns();
  tcp_init_timers(child);
  if (sock_flag(child, SOCK_KEEPOPEN_BIT)) tcp_reset_keepalive_timer(k, child, keepalive_time_when_ns(k, child));
  if (inet_bind_hash(k, child, c.skc_num) != 0) {
    child->sk_flags |= SOCK_DEAD_BIT;  // inet_csk_prepare_forced_close()
    tcp_done(k, child);
    return nullptr;
  }
  return child;
}

void inet_csk_reqsk_queue_add(Kernel& k, sock* listener, tcp_request_sock* req, sock* child) {
  Call add(k, Fn::inet_csk_reqsk_queue_add, req);
  req->req.req.sk = child;
  bool counted = k.mutant(Mutant::accept_counted_first);
  if (counted) ++listener->sk_ack_backlog;
  inet_csk(listener)->icsk_accept_queue.rskq_accept_head.push_back(req);
  if (!counted) ++listener->sk_ack_backlog;
  k.rule(Rule::accept_1, listener);
}

namespace {

/// From the SYN queue to the accept queue. Order as on 6.18: qlen, accept queue, sk_ack_backlog.
void inet_csk_complete_hashdance(Kernel& k, sock* listener, tcp_request_sock* req, sock* child) {
  Call call(k, Fn::inet_csk_complete_hashdance, req);
  inet_csk_reqsk_queue_drop(k, listener, req);
  ehash_insert(k, &child->common);  // takes the request's place
  inet_csk_reqsk_queue_add(k, listener, req, child);
}

}  // namespace

bool sk_acceptq_is_full(const Kernel& k, const sock* sk) {
  u32 more = k.mutant(Mutant::backlog_off_by_one) ? 1 : 0;
  return sk->sk_ack_backlog + more > sk->sk_max_ack_backlog;
}

long inet_csk_listen_start(Kernel& k, sock* sk) {
  Call call(k, Fn::inet_csk_listen_start, sk);
  sk->sk_ack_backlog = 0u;
  tcp_set_state(k, sk, TcpState::LISTEN);
  long error = inet_csk_get_port(k, sk, sk->common.skc_num);
  if (error == 0) error = inet_hash(k, sk);
  if (error == 0) return call.result(0);
  tcp_set_state(k, sk, TcpState::CLOSE);
  return call.result(error);
}

void inet_csk_listen_stop(Kernel& k, sock* sk) {
  Call call(k, Fn::inet_csk_listen_stop, sk);
  auto& queue = inet_csk(sk)->icsk_accept_queue.rskq_accept_head;
  while (tcp_request_sock* req = queue.pop_front()) {  // nobody will accept these: reset them
    sock* child = req->req.req.sk;
    --sk->sk_ack_backlog;
    sock_hold(child);
    tcp_disconnect(k, child);
    sock_orphan(k, child);
    inet_csk_destroy_sock(k, child);
    sock_put(k, child);
    reqsk_free(k, req);
  }
  // half-open requests find no listener any more; Linux lets their timers notice, the model drops them at once
  std::vector<tcp_request_sock*> half_open;
  k.ehash.for_each([&](const inet_ehash_bucket* bucket) {
    for (sock_common* entry : bucket->chain)
      if (entry->skc_state == TcpState::NEW_SYN_RECV)
        if (auto* req = reinterpret_cast<tcp_request_sock*>(entry); req->req.req.rsk_listener.get() == sk)
          half_open.push_back(req);
  });
  std::sort(half_open.begin(), half_open.end(),
            [](auto* a, auto* b) { return record::object_of(a) < record::object_of(b); });
  for (tcp_request_sock* req : half_open) {
    inet_csk_reqsk_queue_drop(k, sk, req);
    reqsk_free(k, req);
  }
}

tcp_request_sock* inet_reqsk_alloc(Kernel& k, sock* listener, const sk_buff* syn) {
  tcp_request_sock* req = nullptr;
  {
    Call alloc(k, Fn::inet_reqsk_alloc, listener);
    req = k.alloc(k.request_socks);
  }
  if (req == nullptr) return nullptr;
  sock_common* c = as_common(req);
  c->skc_family = static_cast<u16>(syn->v6 ? AF_INET6 : AF_INET);
  c->skc_state = TcpState::NEW_SYN_RECV;
  c->skc_v6_rcv_saddr = syn->daddr6;
  c->skc_v6_daddr = syn->saddr6;
  c->skc_rcv_saddr = record::Ipv4{syn->v6 ? LOOPBACK4_IPV6 : syn->daddr};
  c->skc_num = syn->dest;
  c->skc_daddr = record::Ipv4{syn->v6 ? LOOPBACK4_IPV6 : syn->saddr};
  c->skc_dport = syn->source;
  req->req.req.rsk_listener = listener;
  req->peer_window = syn->window.get().value;
  return req;
}

namespace {

/// The SYN queue has more requests than the backlog: as the accept queue, it takes one more than it says.
bool inet_csk_reqsk_queue_is_full(const sock* listener) {
  return static_cast<u32>(inet_csk(listener)->icsk_accept_queue.qlen.get()) > listener->sk_max_ack_backlog;
}

/// Without cookies the last quarter of tcp_max_syn_backlog is for peers that are known.
bool last_quarter(const Kernel& k, const sock* listener) {
  u32 most = k.config.tcp_max_syn_backlog;
  auto used = static_cast<u32>(inet_csk(listener)->icsk_accept_queue.qlen.get());
  return static_cast<int>(most - used) < static_cast<int>(most >> 2);
}

}  // namespace

void tcp_conn_request(Kernel& k, sock* listener, sk_buff* skb) {
  Call call(k, Fn::tcp_conn_request, listener);
  bool cookie = k.config.tcp_syncookies == 2 || inet_csk_reqsk_queue_is_full(listener);
  if (cookie && k.config.tcp_syncookies == 0) {
    k.rule(Rule::syn_queue_full_syn_dropped, listener);
    return;
  }
  if (sk_acceptq_is_full(k, listener)) {  // silently: the client will send its SYN again
    k.rule(Rule::accept_queue_full_syn_dropped, listener);
    return;
  }
  tcp_request_sock* req = inet_reqsk_alloc(k, listener, skb);
  if (req == nullptr) return;
  req->rcv_isn = skb->seq;
  req->mss = std::min(skb->mss, tcp_advertise_mss(listener, skb->v6));
  if (!cookie && k.config.tcp_syncookies == 0 && last_quarter(k, listener)) {
    k.rule(Rule::syn_queue_full_syn_dropped, listener);
    reqsk_free(k, req);
    return;
  }
  if (cookie) {
    k.rule(Rule::syn_cookie_sent, listener);
    req->snt_isn = cookie_v4_init_sequence(k, listener, skb);
  } else {
    req->snt_isn = k.next_isn;
    k.next_isn += 1'000'000;
    inet_csk_reqsk_queue_hash_add(k, listener, req);
  }
  tcp_v4_send_synack(k, req);
  if (cookie) reqsk_free(k, req);  // what is needed of it stands in the number that the client will send back
}

namespace {

/// A segment outside the window of a request is answered with what the request has.
void tcp_v4_reqsk_send_ack(Kernel& k, const tcp_request_sock* req) {
  const sock_common& c = req->req.req.common;
  bool v6 = speaks_v6(&c);
  Call call(k, v6 ? Fn::tcp_v6_reqsk_send_ack : Fn::tcp_v4_reqsk_send_ack, req);
  ip_send_unicast_reply(k, {{c.skc_rcv_saddr.get().value, c.skc_num},
                            {c.skc_daddr.get().value, c.skc_dport},
                            req->snt_isn + 1,
                            req->rcv_isn + 1,
                            tcp_select_initial_window(req->req.req.rsk_listener, v6),
                            TCPHDR_ACK,
                            v6,
                            c.skc_v6_rcv_saddr,
                            c.skc_v6_daddr});
}

/// The request ends; the peer is told unless it was the peer's own reset.
void embryonic_reset(Kernel& k, sock* listener, tcp_request_sock* req, const sk_buff* skb) {
  tcp_v4_send_reset(k, skb);
  inet_csk_reqsk_queue_drop(k, listener, req);
  reqsk_free(k, req);
}

bool in_window(const tcp_request_sock* req, const sk_buff* skb) {
  u32 first = req->rcv_isn + 1;
  u32 last = first + tcp_select_initial_window(req->req.req.rsk_listener, skb->v6);
  return tcp_in_window(skb->seq, skb->end_seq, first, last);
}

}  // namespace

sock* tcp_check_req(Kernel& k, sock* listener, sk_buff* skb, tcp_request_sock* req) {
  Call call(k, Fn::tcp_check_req, req);
  bool syn = (skb->flags & TCPHDR_SYN) != 0;
  bool ack = (skb->flags & TCPHDR_ACK) != 0;
  bool rst = (skb->flags & TCPHDR_RST) != 0;
  if (syn && !ack && !rst && skb->seq == req->rcv_isn) {  // sent again
    tcp_v4_send_synack(k, req);
    arm_rsk_timer(k, req);
    return nullptr;
  }
  if (ack && skb->ack_seq != req->snt_isn + 1) return listener;  // which answers with a reset
  if (!in_window(req, skb)) {
    if (!rst) tcp_v4_reqsk_send_ack(k, req);
    return nullptr;
  }
  if (rst || (syn && skb->seq != req->rcv_isn)) {
    embryonic_reset(k, listener, req, skb);
    return nullptr;
  }
  if (!ack) return nullptr;
  if (req->req.req.num_timeout < inet_csk(listener)->icsk_accept_queue.rskq_defer_accept &&
      skb->end_seq == req->rcv_isn + 1) {
    k.rule(Rule::accept_deferred, listener);
    req->req.acked = true;
    return nullptr;
  }
  sock* child = tcp_v4_syn_recv_sock(k, listener, req);
  if (child == nullptr) {
    if (k.config.tcp_abort_on_overflow)
      embryonic_reset(k, listener, req, skb);
    else
      req->req.acked = true;
    return nullptr;
  }
  inet_csk_complete_hashdance(k, listener, req, child);
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
