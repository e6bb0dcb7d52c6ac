// Models: of net/unix/af_unix.c (Linux 6.18) how sockets find each other: unix_stream_connect(), unix_accept(),
// unix_dgram_connect(), unix_socketpair(). The connecting side does everything: when connect() returns the connection
// is complete, and accept() only takes it from the listener's receive queue.

#include "sim/kernel/kernel.hh"
#include "sim/kernel/signal.hh"
#include "sim/kernel/unix_sock.hh"

namespace wakepath::kernel {

namespace {

/// The other end of a connection that is being made, with the buffer that will stand for it in the listener's queue.
/// Both are freed again unless release() is called, also when the sleeper is killed.
class Embryo {
 public:
  Embryo(Kernel& k, int type) : k_(k), sk_(unix_create1(k, nullptr, type)) {
    if (sk_ == nullptr) return;
    skb_ = alloc_skb(k, sk_, {}, 768);
    if (skb_ == nullptr) {
      unix_release_sock(k, sk_, false);
      sk_ = nullptr;
      return;
    }
    skb_->destructor = sock_wfree;  // sock_wmalloc()
    sk_->sk_wmem_alloc += static_cast<int>(skb_->truesize.get());
  }
  ~Embryo() {
    if (skb_ == nullptr) return;
    kfree_skb(k_, skb_);
    unix_release_sock(k_, sk_, false);
  }
  Embryo(const Embryo&) = delete;
  Embryo& operator=(const Embryo&) = delete;
  /// nullptr: no memory.
  [[nodiscard]] sock* sk() const { return sk_; }
  sk_buff* release() { return std::exchange(skb_, nullptr); }

 private:
  Kernel& k_;
  sock* sk_;
  sk_buff* skb_ = nullptr;
};

void copy_address(Kernel& k, const sock* from, sock* to) {
  if (unix_address* addr = unix_sk(from)->addr; addr != nullptr) unix_set_addr(k, unix_sk(to), addr);
}

/// A listener with room, found anew after each sleep. 0, or why there is none.
MaySleep<long> find_listener(Kernel& k, sock* sk, const Address& address, u64 timeout, sock** out) {
  for (;;) {
    long error = 0;
    sock* other = unix_find_other(k, address, sk->sk_type, &error);
    if (other == nullptr) co_return error;
    if (other->common.skc_state != TcpState::LISTEN || (other->sk_shutdown & RCV_SHUTDOWN) != 0)
      co_return k.error(Rule::unix_not_listening, other);
    if (!unix_recvq_full(other)) {
      *out = other;
      co_return 0;
    }
    if (timeout == 0) co_return k.error(Rule::unix_backlog_full, other);
    timeout = co_await unix_wait_for_peer(k, other, timeout);
    if (signal_pending(k)) co_return sock_intr_errno(k, timeout);
  }
}

}  // namespace

MaySleep<long> unix_stream_connect(Kernel& k, struct socket* socket, const Address& address, int flags) {
  Call call(k, Fn::unix_stream_connect, socket);
  sock* sk = socket->sk;
  if (long error = unix_validate_addr(k, address); error != 0) co_return call.result(error);
  Embryo embryo(k, socket->type);
  if (embryo.sk() == nullptr) co_return call.result(k.error(Rule::no_memory, sk));
  sock* other = nullptr;
  u64 timeout = sock_sndtimeo(sk, (flags & O_NONBLOCK) != 0);
  long error = co_await find_listener(k, sk, address, timeout, &other);
  if (error != 0) co_return call.result(error);
  TcpState state = sk->common.skc_state;
  if (state != TcpState::CLOSE)
    co_return call.result(
        k.error(state == TcpState::ESTABLISHED ? Rule::connect_again : Rule::connect_wrong_state, sk));
  sock* newsk = embryo.sk();
  sock_hold(sk);
  unix_sk(newsk)->peer = sk;
  newsk->common.skc_state = TcpState::ESTABLISHED;
  unix_sk(newsk)->listener = other;
  newsk->sk_wq = &unix_sk(newsk)->peer_wq;
  copy_address(k, other, newsk);
  socket->state = SocketState::SS_CONNECTED;
  sk->common.skc_state = TcpState::ESTABLISHED;
  sock_hold(newsk);
  unix_sk(sk)->peer = newsk;
  HeldSock held(k, other);
  __skb_queue_tail(other->sk_receive_queue, embryo.release());
  k.rule(Rule::unix_connection_queued, other);
  other->sk_data_ready(k, other);
  co_return call.result(0);
}

MaySleep<long> unix_accept(Kernel& k, struct socket* socket, struct socket* newsock, int flags) {
  Call call(k, Fn::unix_accept, socket);
  sock* sk = socket->sk;
  if (sk->common.skc_state != TcpState::LISTEN) co_return call.result(k.error(Rule::accept_not_listening, sk));
  u64 timeout = sock_rcvtimeo(sk, (flags & O_NONBLOCK) != 0);
  sk_buff* skb = nullptr;
  {
    Call receive(k, Fn::skb_recv_datagram, sk);
    for (;;) {
      if (long error = sock_error(k, sk); error != 0) co_return call.result(error);
      skb = __skb_dequeue(sk->sk_receive_queue);
      if (skb != nullptr) break;
      if (timeout == 0) co_return call.result(k.error(Rule::accept_would_block, sk));
      long error = 0;
      int over = co_await __skb_wait_for_more_packets(k, sk, &sk->sk_receive_queue, nullptr, &error, &timeout);
      if (over != 0) co_return call.result(error != 0 ? error : k.error(Rule::accept_not_listening, sk));
    }
  }
  sock* tsk = skb->sk;
  kfree_skb(k, skb);
  wait_queue_head& waiting = unix_sk(sk)->peer_wq.wait;
  if (!waiting.head.empty()) __wake_up(k, waiting, POLL_NONE);
  unix_sk(tsk)->listener = nullptr;  // unix_update_edges()
  newsock->state = SocketState::SS_CONNECTED;
  Call graft(k, Fn::sock_graft, tsk);
  tsk->sk_wq = &newsock->wq();
  newsock->sk = tsk;
  tsk->sk_socket = newsock;
  co_return call.result(0);
}

MaySleep<long> unix_dgram_connect(Kernel& k, struct socket* socket, const Address& address, int) {
  Call call(k, Fn::unix_dgram_connect, socket);
  sock* sk = socket->sk;
  sock* other = nullptr;  // AF_UNSPEC: the socket has no peer any more
  if (address.family != AF_UNSPEC) {
    if (long error = unix_validate_addr(k, address); error != 0) co_return call.result(error);
    long error = 0;
    other = unix_find_other(k, address, sk->sk_type, &error);
    if (other == nullptr) co_return call.result(error);
    if (!unix_may_send(sk, other)) co_return call.result(k.error(Rule::unix_peer_has_another, other));
    sk->common.skc_state = TcpState::ESTABLISHED;
    other->common.skc_state = TcpState::ESTABLISHED;
    sock_hold(other);
  }
  sock* old_peer = unix_peer(sk);
  if (old_peer == nullptr && other == nullptr) co_return call.result(0);
  unix_sk(sk)->peer = other;
  if (old_peer == nullptr) co_return call.result(0);
  if (other == nullptr) sk->common.skc_state = TcpState::CLOSE;
  unix_dgram_peer_wake_disconnect_wakeup(k, sk, old_peer);
  if (other != old_peer) {
    unix_dgram_disconnected(k, sk, old_peer);
    if (unix_peer(old_peer) == nullptr) old_peer->common.skc_state = TcpState::CLOSE;
  }
  sock_put(k, old_peer);
  co_return call.result(0);
}

long unix_socketpair(Kernel& k, struct socket* one, struct socket* other) {
  Call call(k, Fn::unix_socketpair, one);
  sock* ska = one->sk;
  sock* skb = other->sk;
  sock_hold(ska);
  sock_hold(skb);
  unix_sk(ska)->peer = skb;
  unix_sk(skb)->peer = ska;
  ska->common.skc_state = TcpState::ESTABLISHED;
  skb->common.skc_state = TcpState::ESTABLISHED;
  one->state = SocketState::SS_CONNECTED;
  other->state = SocketState::SS_CONNECTED;
  return call.result(0);
}

}  // namespace wakepath::kernel
