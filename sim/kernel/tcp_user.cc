// Models: tcp_sendmsg(), tcp_recvmsg(), tcp_poll() of net/ipv4/tcp.c and the waits of net/core/stream.c, Linux 6.18.
// Left out: zero copy, urgent data, MSG_MORE and corking, busy polling, error queues.

#include <algorithm>
#include <cstring>

#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp.hh"

namespace wakepath::kernel {

namespace {

constexpr u32 kMaxSkb = 32768;  // size goal on loopback: half of the peer's window

u64 sndtimeo(const sock* sk, int flags) { return (flags & MSG_DONTWAIT) != 0 ? 0 : sk->sndtimeo_ns; }
u64 rcvtimeo(const sock* sk, int flags) { return (flags & MSG_DONTWAIT) != 0 ? 0 : sk->rcvtimeo_ns; }
bool can_send(const sock* sk) {
  return tcp_state(sk) == TcpState::ESTABLISHED || tcp_state(sk) == TcpState::CLOSE_WAIT;
}
bool sending_ended(const sock* sk) { return sk->sk_err != 0 || (sk->sk_shutdown & SEND_SHUTDOWN) != 0; }

/// Sleeps on the socket's wait queue until somebody wakes it. Precondition and postcondition: the socket is owned.
MaySleep<u64> sk_wait(Kernel& k, sock* sk, u64 timeout_ns) {
  StackWaitEntry wait(k, woken_wake_function);
  add_wait_queue(k, sk->sk_wq->wait, wait);
  release_sock(k, sk);
  timeout_ns = co_await wait_woken(k, wait, timeout_ns);
  lock_sock(k, sk);
  remove_wait_queue(k, wait);
  co_return timeout_ns;
}

/// Room in the send buffer. 0, -EAGAIN, -EPIPE, or what an interrupted call gives.
MaySleep<long> sk_stream_wait_memory(Kernel& k, sock* sk, u64* timeout) {
  Call call(k, Fn::sk_stream_wait_memory, sk);
  for (;;) {
    if (sending_ended(sk)) co_return call.result(-EPIPE);
    if (*timeout == 0) co_return call.result(k.error(Rule::send_would_block, sk));
    if (signal_pending(k)) co_return call.result(sock_intr_errno(k, *timeout));
    if (sk_stream_memory_free(sk)) co_return call.result(0);
    sk->nospace = true;
    k.rule(Rule::send_buffer_full_waits, sk);
    *timeout = co_await sk_wait(k, sk, *timeout);
  }
}

/// A socket that is still connecting. 0, or the error that send() gives.
MaySleep<long> sk_stream_wait_connect(Kernel& k, sock* sk, u64* timeout) {
  Call call(k, Fn::sk_stream_wait_connect, sk);
  while (!can_send(sk)) {
    if (long error = sock_error(k, sk); error != 0) co_return call.result(error);
    if (tcp_state(sk) != TcpState::SYN_SENT && tcp_state(sk) != TcpState::SYN_RECV) co_return call.result(-EPIPE);
    if (*timeout == 0) co_return call.result(k.error(Rule::send_connecting, sk));
    if (signal_pending(k)) co_return call.result(sock_intr_errno(k, *timeout));
    *timeout = co_await sk_wait(k, sk, *timeout);
  }
  co_return call.result(0);
}

/// Adds as much as one segment takes. Order of the writes as on 6.18: sk_wmem_queued, then write_seq.
std::size_t tcp_queue_for_sending(Kernel& k, sock* sk, const char* data, std::size_t size) {
  tcp_sock* tp = tcp_sk(sk);
  sk_buff* tail = sk->sk_write_queue.list.back();
  std::size_t added = 0;
  if (tail != nullptr && tail->len < kMaxSkb) {
    added = std::min<std::size_t>(size, kMaxSkb - tail->len);
    sk->sk_wmem_queued += static_cast<int>(added);
    skb_append(k, tail, {data, added});
  } else {
    added = std::min<std::size_t>(size, kMaxSkb);
    sk_buff* skb = tcp_stream_alloc_skb(k, sk, std::string(data, added));
    skb->seq = tp->write_seq;
    skb->end_seq = skb->seq + static_cast<u32>(added);
    skb->flags = static_cast<tcp_flags>(TCPHDR_ACK | TCPHDR_PSH);
    sk->sk_write_queue.list.push_back(skb);
    ++sk->sk_write_queue.qlen;
    sk->sk_wmem_queued += static_cast<int>(skb->truesize.get());
  }
  tp->write_seq += static_cast<u32>(added);
  return added;
}

MaySleep<long> tcp_sendmsg_locked(Kernel& k, sock* sk, const char* data, std::size_t size, int flags) {
  Call call(k, Fn::tcp_sendmsg_locked, sk);
  u64 timeout = sndtimeo(sk, flags);
  long error = 0;
  if (!can_send(sk)) error = co_await sk_stream_wait_connect(k, sk, &timeout);
  std::size_t copied = 0;
  if (error == 0 && sending_ended(sk)) error = -EPIPE;
  while (error == 0 && copied < size) {
    if (!sk_stream_memory_free(sk)) {
      sk->nospace = true;
      if (copied > 0) __tcp_push_pending_frames(k, sk, true);
      error = co_await sk_stream_wait_memory(k, sk, &timeout);
      continue;
    }
    copied += tcp_queue_for_sending(k, sk, data + copied, size - copied);
    sk_buff* tail = sk->sk_write_queue.list.back();
    if (copied < size && tail != nullptr && tail->len >= kMaxSkb) __tcp_push_pending_frames(k, sk, true);
  }
  if (copied > 0) {
    __tcp_push_pending_frames(k, sk, false);
    co_return call.result(static_cast<long>(copied));
  }
  if (error == -EPIPE) {  // sk_stream_error(): an error of the socket comes first
    long pending = sock_error(k, sk);
    error = pending != 0 ? pending : k.error(Rule::send_ended, sk);
  }
  co_return call.result(error);
}

/// After the user took data: does the sender need to hear of it?
void tcp_cleanup_rbuf(Kernel& k, sock* sk, std::size_t copied) {
  Call call(k, Fn::tcp_cleanup_rbuf, sk);
  const tcp_sock* tp = tcp_sk(sk);
  const inet_connection_sock* icsk = inet_csk(sk);
  bool ack = false;
  if ((icsk->icsk_ack_pending & ICSK_ACK_SCHED) != 0) {
    bool pushed = (icsk->icsk_ack_pending & ICSK_ACK_PUSHED2) != 0 ||
                  ((icsk->icsk_ack_pending & ICSK_ACK_PUSHED) != 0 && icsk->icsk_ack_pingpong == 0);
    ack = tp->rcv_nxt - tp->rcv_wup > icsk->rcv_mss || (copied > 0 && pushed && sk->sk_rmem_alloc == 0);
  }
  if (copied > 0 && !ack && (sk->sk_shutdown & RCV_SHUTDOWN) == 0) {
    u32 now = tcp_receive_window(sk);
    u32 could = 2 * now <= static_cast<u32>(sk->sk_rcvbuf) / 2 ? __tcp_select_window(sk) : 0;
    ack = could != 0 && could >= 2 * now;  // the window has opened a good deal
  }
  if (ack && tcp_state(sk) != TcpState::CLOSE) tcp_send_ack(k, sk);
}

/// Takes from the receive queue what is there, up to `size`; with MSG_TRUNC it is thrown away. Sets *fin when the
/// peer's FIN was reached.
std::size_t tcp_take_queued(Kernel& k, sock* sk, char* buffer, std::size_t size, int flags, bool* fin) {
  bool peek = (flags & MSG_PEEK) != 0;
  tcp_sock* tp = tcp_sk(sk);
  std::size_t copied = 0;
  for (sk_buff* skb : sk->sk_receive_queue.list) {
    u32 left = skb->len - skb->consumed;
    auto now = static_cast<u32>(std::min<std::size_t>(left, size - copied));
    if (now > 0) {
      Call copy(k, Fn::skb_copy_datagram_iter, skb);
      if ((flags & MSG_TRUNC) == 0) std::memcpy(buffer + copied, skb->payload.data() + skb->consumed, now);
      copied += now;
      if (!peek) {
        skb->consumed += now;
        tp->copied_seq += now;
      }
    }
    if (now < left) break;
    bool has_fin = (skb->flags & TCPHDR_FIN) != 0;
    if (has_fin && copied > 0 && size == copied) break;  // the FIN is for the next call
    if (!peek) {
      if (has_fin) ++tp->copied_seq;
      sk->sk_receive_queue.list.erase(skb);
      --sk->sk_receive_queue.qlen;
      sock_rfree(k, sk, skb->truesize);
      kfree_skb(k, skb);
    }
    if (has_fin) {
      *fin = true;
      break;
    }
    if (copied == size) break;
  }
  return copied;
}

/// Nothing (more) is queued: what recv() returns now, or nothing when it may wait.
bool tcp_recv_ends(Kernel& k, sock* sk, std::size_t copied, u64 timeout, long* result) {
  bool closed = tcp_state(sk) == TcpState::CLOSE;
  bool shut = (sk->sk_shutdown & RCV_SHUTDOWN) != 0;
  *result = static_cast<long>(copied);
  if (copied > 0) return sk->sk_err != 0 || closed || shut || timeout == 0 || signal_pending(k);
  if (sock_flag(sk, SOCK_DONE_BIT)) return true;
  if (sk->sk_err != 0) {
    *result = sock_error(k, sk);
    return true;
  }
  if (shut) return true;
  if (closed)
    *result = k.error(Rule::recv_not_connected, sk);
  else if (timeout == 0)
    *result = k.error(Rule::recv_would_block, sk);
  else if (signal_pending(k))
    *result = sock_intr_errno(k, timeout);
  return *result != 0;
}

MaySleep<long> tcp_recvmsg_locked(Kernel& k, sock* sk, char* buffer, std::size_t size, int flags) {
  Call call(k, Fn::tcp_recvmsg_locked, sk);
  if (tcp_state(sk) == TcpState::LISTEN) co_return call.result(k.error(Rule::recv_not_connected, sk));
  u64 timeout = rcvtimeo(sk, flags);
  bool peek = (flags & MSG_PEEK) != 0;
  std::size_t target =
      (flags & MSG_WAITALL) != 0 ? size : std::min<std::size_t>(size, static_cast<u32>(sk->sk_rcvlowat.get()));
  target = std::max<std::size_t>(target, 1);
  std::size_t copied = 0;
  bool fin = false;
  do {  // also for 0 bytes: recv() then waits until there is something
    if (peek) copied = 0;
    copied += tcp_take_queued(k, sk, buffer + copied, size - copied, flags, &fin);
    bool enough = size == 0 ? !sk->sk_receive_queue.list.empty() : copied >= size;
    if (fin || (copied >= target && sk->sk_backlog.empty()) || enough) break;
    long result = 0;
    if (tcp_recv_ends(k, sk, copied, timeout, &result)) {
      if (result < 0) co_return call.result(result);
      break;
    }
    if (copied >= target) {  // what waits on the socket's backlog may be more of it
      release_sock(k, sk);
      lock_sock(k, sk);
      continue;
    }
    tcp_cleanup_rbuf(k, sk, copied);
    Call wait(k, Fn::sk_wait_data, sk);
    k.rule(Rule::recv_waits, sk);
    timeout = co_await sk_wait(k, sk, timeout);
  } while (copied < size);
  tcp_cleanup_rbuf(k, sk, peek ? 0 : copied);
  co_return call.result(static_cast<long>(copied));
}

}  // namespace

MaySleep<long> tcp_sendmsg(Kernel& k, sock* sk, OutMessage& message) {
  Call call(k, Fn::tcp_sendmsg, sk);
  lock_sock(k, sk);
  long sent = co_await tcp_sendmsg_locked(k, sk, message.data, message.size, message.flags);
  release_sock(k, sk);
  co_return call.result(sent);
}

MaySleep<long> tcp_recvmsg(Kernel& k, sock* sk, InMessage& message) {
  Call call(k, Fn::tcp_recvmsg, sk);
  lock_sock(k, sk);
  long got = co_await tcp_recvmsg_locked(k, sk, message.buffer, message.size, message.flags);
  release_sock(k, sk);
  co_return call.result(got);
}

poll_t tcp_events(const sock* sk) {
  TcpState state = tcp_state(sk);
  if (state == TcpState::LISTEN) {
    bool any = !inet_csk(sk)->icsk_accept_queue.rskq_accept_head.empty();
    return any ? POLL_NONE | (EPOLLIN | EPOLLRDNORM) : POLL_NONE;
  }
  poll_t mask = POLL_NONE;
  if (sk->sk_shutdown == SHUTDOWN_MASK || state == TcpState::CLOSE) mask = mask | EPOLLHUP;
  if ((sk->sk_shutdown & RCV_SHUTDOWN) != 0) mask = mask | (EPOLLIN | EPOLLRDNORM | EPOLLRDHUP);
  if (state != TcpState::SYN_SENT && state != TcpState::SYN_RECV) {
    if (tcp_epollin_ready(sk, sk->sk_rcvlowat)) mask = mask | (EPOLLIN | EPOLLRDNORM);
    if ((sk->sk_shutdown & SEND_SHUTDOWN) != 0 || sk_stream_is_writeable(sk)) mask = mask | (EPOLLOUT | EPOLLWRNORM);
  }
  if (sk->sk_err != 0) mask = mask | EPOLLERR;
  return mask;
}

poll_t tcp_poll(Kernel& k, struct file* file, struct socket* socket, poll_table* table) {
  sock* sk = socket->sk;
  Call call(k, Fn::tcp_poll, sk);
  poll_wait(k, file, &socket->wq().wait, table);
  poll_t mask = tcp_events(sk);
  TcpState state = tcp_state(sk);
  bool has_writers = state != TcpState::LISTEN && state != TcpState::SYN_SENT && state != TcpState::SYN_RECV;
  if (has_writers && (static_cast<u32>(mask) & EPOLLOUT) == 0)
    sk->nospace = true;  // somebody wants to know when there is room
  return call.result(mask);
}

}  // namespace wakepath::kernel
