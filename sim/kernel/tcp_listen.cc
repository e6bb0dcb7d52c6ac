// Models: net/ipv4/inet_connection_sock.c, tcp_minisocks.c and the listening part of tcp_input.c, Linux 6.18: the SYN
// queue (requests in ehash) and the accept queue; accept() is in tcp_accept.cc, what becomes of a request in
// tcp_child.cc. Left out: fast open, migration of requests between listeners, peers that Linux remembers as proven
// (they may still come in when the SYN queue without cookies is three quarters full).

#include <algorithm>

#include "sim/kernel/ipv6.hh"
#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp.hh"
#include "sim/kernel/timer.hh"

namespace wakepath::kernel {

namespace {

constexpr u64 kSynAckTimeout = 1000 * kNsPerMs;  // TCP_TIMEOUT_INIT

void tcp_v4_send_synack(Kernel& k, const sock* listener, tcp_request_sock* req) {
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
                                tcp_syn_window(req->rsk_rcv_wnd),
                                static_cast<tcp_flags>(TCPHDR_SYN | TCPHDR_ACK),
                                v6,
                                c.skc_v6_rcv_saddr,
                                c.skc_v6_daddr,
                                req->rcv_wscale});
    if (skb == nullptr) return;  // the request's timer will try again
    skb->mss = tcp_advertise_mss(listener, v6);
    req->snt_synack_ns = k.now_ns();
  }
  if (v6)
    ip6_xmit(k, skb);
  else
    ip_output(k, skb);
}

void inet_csk_reqsk_queue_drop(Kernel& k, sock* listener, tcp_request_sock* req) {
  Call call(k, Fn::__inet_csk_reqsk_queue_drop, req);
  ehash_remove(k, as_common(req));
  timer_delete_sync(k, req->rsk_timer, req);
  request_sock_queue& queue = inet_csk(listener)->icsk_accept_queue;
  if (req->req.req.num_timeout == 0) --queue.young;
  --queue.qlen;
}

void arm_rsk_timer(Kernel& k, tcp_request_sock* req) {
  u64 due = k.now_ns() + (kSynAckTimeout << req->req.req.num_timeout);
  __mod_timer(k, req->rsk_timer, due, req);
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
  if (resend) tcp_v4_send_synack(k, listener, req);
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

}  // namespace

void reqsk_free(Kernel& k, tcp_request_sock* req) {
  sock* listener = req->req.req.rsk_listener;
  k.scheduler.cancel(req->rsk_timer);
  k.request_socks.free(req);
  if (listener != nullptr) sock_put(k, listener);
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

tcp_request_sock* inet_reqsk_alloc(Kernel& k, sock* listener, const sk_buff* syn, bool attach_listener) {
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
  if (attach_listener) {
    sock_hold(listener);
    req->req.req.rsk_listener = listener;
  }
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
  tcp_request_sock* req = inet_reqsk_alloc(k, listener, skb, !cookie);
  if (req == nullptr) return;
  req->rcv_isn = skb->seq;
  req->mss = std::min(skb->mss, tcp_advertise_mss(listener, skb->v6));
  tcp_openreq_init_rwin(k, listener, req, tcp_advertise_mss(listener, skb->v6) - kTcpTimestamps);
  if (!cookie && k.config.tcp_syncookies == 0 && last_quarter(k, listener)) {
    k.rule(Rule::syn_queue_full_syn_dropped, listener);
    reqsk_free(k, req);
    return;
  }
  if (cookie) {
    k.rule(Rule::syn_cookie_sent, listener);
    req->snt_isn = cookie_v4_init_sequence(k, listener, skb, req->mss);
  } else {
    req->snt_isn = k.next_isn;
    k.next_isn += 1'000'000;
    inet_csk_reqsk_queue_hash_add(k, listener, req);
  }
  tcp_v4_send_synack(k, listener, req);
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
                            req->rsk_rcv_wnd,
                            TCPHDR_ACK,
                            v6,
                            c.skc_v6_rcv_saddr,
                            c.skc_v6_daddr,
                            req->rcv_wscale});
}

/// The request ends; the peer is told unless it was the peer's own reset.
void embryonic_reset(Kernel& k, sock* listener, tcp_request_sock* req, const sk_buff* skb) {
  tcp_v4_send_reset(k, skb);
  inet_csk_reqsk_queue_drop(k, listener, req);
  reqsk_free(k, req);
}

bool in_window(const tcp_request_sock* req, const sk_buff* skb) {
  u32 first = req->rcv_isn + 1;
  u32 last = first + req->rsk_rcv_wnd;
  return tcp_in_window(skb->seq, skb->end_seq, first, last);
}

}  // namespace

sock* tcp_check_req(Kernel& k, sock* listener, sk_buff* skb, tcp_request_sock* req) {
  Call call(k, Fn::tcp_check_req, req);
  bool syn = (skb->flags & TCPHDR_SYN) != 0;
  bool ack = (skb->flags & TCPHDR_ACK) != 0;
  bool rst = (skb->flags & TCPHDR_RST) != 0;
  if (syn && !ack && !rst && skb->seq == req->rcv_isn) {  // sent again
    if (tcp_oow_rate_limited(k, skb, &req->last_oow_ack_time, req)) return nullptr;
    tcp_v4_send_synack(k, listener, req);
    arm_rsk_timer(k, req);
    return nullptr;
  }
  if (ack && skb->ack_seq != req->snt_isn + 1) return listener;  // which answers with a reset
  if (!in_window(req, skb)) {
    if (!rst && !tcp_oow_rate_limited(k, skb, &req->last_oow_ack_time, req)) tcp_v4_reqsk_send_ack(k, req);
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

}  // namespace wakepath::kernel
