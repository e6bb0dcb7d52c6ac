// Models: inet_csk_accept() and inet_csk_wait_for_connect() of net/ipv4/inet_connection_sock.c, Linux 6.18. Left out:
// fast open's children, which are accepted before their handshake ends.

#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp.hh"

namespace wakepath::kernel {

MaySleep<sock*> inet_csk_accept(Kernel& k, sock* sk, int flags, long* error) {
  Call call(k, Fn::inet_csk_accept, sk);
  lock_sock(k, sk);
  auto& queue = inet_csk(sk)->icsk_accept_queue.rskq_accept_head;
  *error = 0;
  if (tcp_state(sk) != TcpState::LISTEN) *error = k.error(Rule::accept_not_listening, sk);
  u64 timeout = sock_rcvtimeo(sk, (flags & O_NONBLOCK) != 0);
  if (*error == 0 && queue.empty() && timeout == 0) *error = k.error(Rule::accept_would_block, sk);
  if (*error == 0 && queue.empty()) {
    // inet_csk_wait_for_connect(): exclusive, so that one connection wakes one thread
    StackWaitEntry wait(k, autoremove_wake_function);
    k.rule(Rule::accept_2, sk);
    for (;;) {
      prepare_to_wait_exclusive(k, sk->sk_wq->wait, wait);
      release_sock(k, sk);
      co_await k.scheduler.preempt();
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
