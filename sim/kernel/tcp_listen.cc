// Models: net/ipv4/inet_connection_sock.c, tcp_minisocks.c and the listening part of tcp_input.c, Linux 6.18: the SYN
// queue (requests in ehash), the accept queue, accept().
// Left out: SYN cookies (a full SYN queue does not drop here, where Linux would answer with a cookie: same result on
// loopback), TCP_DEFER_ACCEPT, fast open, migration of requests between listeners.

#include <algorithm>

#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp.hh"

namespace wakepath::kernel {

namespace {

constexpr u64 kSynAckTimeout = 1000 * kNsPerMs;  // TCP_TIMEOUT_INIT
constexpr int kSynAckRetries = 5;                // net.ipv4.tcp_synack_retries

void reqsk_free(Kernel& k, tcp_request_sock* req) {
  k.scheduler.cancel(req->rsk_timer);
  k.request_socks.free(req);
}

void tcp_v4_send_synack(Kernel& k, const tcp_request_sock* req) {
  Call call(k, Fn::tcp_v4_send_synack, req);
  sk_buff* skb = nullptr;
  const sock_common& c = req->req.req.common;
  {
    Call make(k, Fn::tcp_make_synack, req);
    skb = make_bare_segment(k, {{c.skc_rcv_saddr.get().value, c.skc_num},
                                {c.skc_daddr.get().value, c.skc_dport},
                                req->snt_isn,
                                req->rcv_isn + 1,
                                65483,
                                static_cast<tcp_flags>(TCPHDR_SYN | TCPHDR_ACK)});
  }
  ip_output(k, skb);
}

void inet_csk_reqsk_queue_drop(Kernel& k, sock* listener, tcp_request_sock* req) {
  Call call(k, Fn::__inet_csk_reqsk_queue_drop, req);
  ehash_remove(k, as_common(req));
  k.scheduler.cancel(req->rsk_timer);
  --inet_csk(listener)->icsk_accept_queue.qlen;
}

void arm_rsk_timer(Kernel& k, tcp_request_sock* req) {
  u64 due = k.now_ns() + (kSynAckTimeout << req->req.req.num_timeout);
  k.scheduler.arm(req->rsk_timer, due);
  req->rsk_timer_expires = record::Time{due};
}

void reqsk_timer_handler(Kernel& k, tcp_request_sock* req) {
  sock* listener = req->req.req.rsk_listener;
  if (req->req.req.num_timeout >= kSynAckRetries) {
    inet_csk_reqsk_queue_drop(k, listener, req);
    reqsk_free(k, req);
    return;
  }
  ++req->req.req.num_timeout;
  tcp_v4_send_synack(k, req);
  arm_rsk_timer(k, req);
}

void inet_csk_reqsk_queue_hash_add(Kernel& k, sock* listener, tcp_request_sock* req) {
  Call call(k, Fn::inet_csk_reqsk_queue_hash_add, req);
  req->rsk_timer.function = [&k, req] {
    timer_softirq(k, Fn::reqsk_timer_handler, req, [&k, req] { reqsk_timer_handler(k, req); });
  };
  arm_rsk_timer(k, req);
  ehash_insert(k, as_common(req));
  ++inet_csk(listener)->icsk_accept_queue.qlen;
}

/// The full socket of a connection that a listener accepts: a copy of the listener, then its own numbers.
sock* tcp_v4_syn_recv_sock(Kernel& k, sock* listener, tcp_request_sock* req) {
  Call call(k, Fn::tcp_v4_syn_recv_sock, req);
  if (sk_acceptq_is_full(listener)) {
    k.rule(Rule::accept_queue_full_ack_dropped, listener);
    return nullptr;
  }
  Call create(k, Fn::tcp_create_openreq_child, req);
  const sock_common& c = req->req.req.common;
  sock* child = nullptr;
  {
    Call clone(k, Fn::inet_csk_clone_lock, listener);
    {
      Call lock(k, Fn::sk_clone_lock, listener);
      Call alloc(k, Fn::sk_prot_alloc, listener);
      child = listener->sk_prot->slab_alloc(k);
    }
    child->common.skc_refcnt = 1;
    child->common.skc_state = TcpState::LISTEN;  // a clone has its parent's state for a moment
    child->common.skc_family = listener->common.skc_family;
    child->common.skc_reuse = listener->common.skc_reuse;
    child->common.skc_reuseport = listener->common.skc_reuseport;
    child->sk_prot = listener->sk_prot;
    sock_init_data(k, nullptr, child);
    child->sk_write_space = listener->sk_write_space;
    child->sk_rcvlowat = listener->sk_rcvlowat;
    child->sk_rcvbuf = listener->sk_rcvbuf;
    child->sk_sndbuf = listener->sk_sndbuf;
    child->sk_flags = static_cast<sock_flags>(listener->sk_flags & SOCK_LINGER_BIT);
    child->linger_s = listener->linger_s;
    child->rcvtimeo_ns = listener->rcvtimeo_ns;
    child->sndtimeo_ns = listener->sndtimeo_ns;
    Call set(k, Fn::inet_sk_set_state, child);
    child->common.skc_state = TcpState::SYN_RECV;
  }
  child->common.skc_rcv_saddr = c.skc_rcv_saddr;
  child->common.skc_daddr = c.skc_daddr;
  child->common.skc_dport = c.skc_dport;
  inet_sk(child)->inet_saddr = c.skc_rcv_saddr;
  tcp_sock* tp = tcp_sk(child);
  tp->nonagle = tcp_sk(listener)->nonagle;
  tp->rcv_nxt = req->rcv_isn + 1;
  tp->copied_seq = tp->rcv_nxt;
  tp->rcv_wup = tp->rcv_nxt;
  tp->rcv_wnd = 65483;
  tp->write_seq = req->snt_isn + 1;
  tp->snd_una = tp->write_seq;
  tp->snd_nxt = tp->write_seq;
  tp->snd_wnd = req->peer_window;
  tp->max_window = req->peer_window;
  inet_csk(child)->last_data_received_ns = k.now_ns();
  tcp_init_timers(k, child);
  inet_bind_hash(k, child, c.skc_num);
  return child;
}

/// From the SYN queue to the accept queue. Order as on 6.18: qlen, accept queue, sk_ack_backlog.
void inet_csk_complete_hashdance(Kernel& k, sock* listener, tcp_request_sock* req, sock* child) {
  Call call(k, Fn::inet_csk_complete_hashdance, req);
  inet_csk_reqsk_queue_drop(k, listener, req);
  ehash_insert(k, &child->common);  // takes the request's place
  Call add(k, Fn::inet_csk_reqsk_queue_add, req);
  req->req.req.sk = child;
  inet_csk(listener)->icsk_accept_queue.rskq_accept_head.push_back(req);
  ++listener->sk_ack_backlog;
  k.rule(Rule::accept_1, listener);
}

}  // namespace

bool sk_acceptq_is_full(const sock* sk) { return sk->sk_ack_backlog > sk->sk_max_ack_backlog; }

long inet_csk_listen_start(Kernel& k, sock* sk) {
  Call call(k, Fn::inet_csk_listen_start, sk);
  sk->sk_ack_backlog = 0u;
  tcp_set_state(k, sk, TcpState::LISTEN);
  long error = inet_csk_get_port(k, sk, sk->common.skc_num);
  if (error == 0) {
    inet_hash(k, sk);
    return call.result(0);
  }
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
  for (auto& [slot, bucket] : k.ehash)
    for (sock_common* entry : bucket->chain)
      if (entry->skc_state == TcpState::NEW_SYN_RECV)
        if (auto* req = reinterpret_cast<tcp_request_sock*>(entry); req->req.req.rsk_listener.get() == sk)
          half_open.push_back(req);
  std::sort(half_open.begin(), half_open.end(),
            [](auto* a, auto* b) { return record::object_of(a) < record::object_of(b); });
  for (tcp_request_sock* req : half_open) {
    inet_csk_reqsk_queue_drop(k, sk, req);
    reqsk_free(k, req);
  }
}

void tcp_conn_request(Kernel& k, sock* listener, sk_buff* skb) {
  Call call(k, Fn::tcp_conn_request, listener);
  if (sk_acceptq_is_full(listener)) {  // silently: the client will send its SYN again
    k.rule(Rule::accept_queue_full_syn_dropped, listener);
    return;
  }
  tcp_request_sock* req = nullptr;
  {
    Call alloc(k, Fn::inet_reqsk_alloc, listener);
    req = k.request_socks.make();
  }
  sock_common* c = as_common(req);
  c->skc_family = static_cast<u16>(AF_INET);
  c->skc_state = TcpState::NEW_SYN_RECV;
  c->skc_rcv_saddr = record::Ipv4{skb->daddr};
  c->skc_num = skb->dest;
  c->skc_daddr = record::Ipv4{skb->saddr};
  c->skc_dport = skb->source;
  req->req.req.rsk_listener = listener;
  req->rcv_isn = skb->seq;
  req->snt_isn = k.next_isn;
  req->peer_window = skb->window.get().value;
  k.next_isn += 1'000'000;
  inet_csk_reqsk_queue_hash_add(k, listener, req);
  tcp_v4_send_synack(k, req);
}

sock* tcp_check_req(Kernel& k, sock* listener, sk_buff* skb, tcp_request_sock* req) {
  Call call(k, Fn::tcp_check_req, req);
  bool again = (skb->flags & TCPHDR_SYN) != 0 && skb->seq == req->rcv_isn;
  if (again) {
    tcp_v4_send_synack(k, req);
    return nullptr;
  }
  if ((skb->flags & TCPHDR_RST) != 0) {
    inet_csk_reqsk_queue_drop(k, listener, req);
    reqsk_free(k, req);
    return nullptr;
  }
  if ((skb->flags & TCPHDR_ACK) == 0 || skb->ack_seq != req->snt_isn + 1) return nullptr;
  sock* child = tcp_v4_syn_recv_sock(k, listener, req);
  if (child == nullptr) {
    if (k.config.tcp_abort_on_overflow) {
      tcp_v4_send_reset(k, skb);
      inet_csk_reqsk_queue_drop(k, listener, req);
      reqsk_free(k, req);
    } else {
      req->req.acked = true;
    }
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

MaySleep<sock*> inet_csk_accept(Kernel& k, sock* sk, int flags, long* error) {
  Call call(k, Fn::inet_csk_accept, sk);
  lock_sock(k, sk);
  auto& queue = inet_csk(sk)->icsk_accept_queue.rskq_accept_head;
  *error = 0;
  if (tcp_state(sk) != TcpState::LISTEN) *error = k.error(Rule::accept_not_listening, sk);
  u64 timeout = (flags & O_NONBLOCK) != 0 ? 0 : sk->rcvtimeo_ns;
  if (*error == 0 && queue.empty() && timeout == 0) *error = k.error(Rule::accept_would_block, sk);
  if (*error == 0 && queue.empty()) {
    // inet_csk_wait_for_connect(): exclusive, so that one connection wakes one thread
    StackWaitEntry wait(k, autoremove_wake_function);
    k.rule(Rule::accept_2, sk);
    for (;;) {
      prepare_to_wait_exclusive(k, sk->sk_wq->wait, wait);
      release_sock(k, sk);
      if (queue.empty()) timeout = co_await schedule_timeout(k, timeout);
      lock_sock(k, sk);
      if (!queue.empty()) break;
      if (tcp_state(sk) != TcpState::LISTEN)
        *error = k.error(Rule::accept_not_listening, sk);
      else if (signal_pending(k))
        *error = sock_intr_errno(k, timeout);
      else if (timeout == 0)
        *error = k.error(Rule::accept_would_block, sk);
      if (*error != 0) break;
    }
    finish_wait(k, wait);
  }
  sock* child = nullptr;
  if (*error == 0) {
    Call remove(k, Fn::reqsk_queue_remove, sk);
    tcp_request_sock* req = queue.front();
    --sk->sk_ack_backlog;
    queue.erase(req);
    child = req->req.req.sk;
    reqsk_free(k, req);
    k.rule(Rule::accept_3, sk);
  }
  release_sock(k, sk);
  co_return child;
}

}  // namespace wakepath::kernel
