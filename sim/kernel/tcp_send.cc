// Models: tcp_sendmsg(), tcp_poll() of net/ipv4/tcp.c and the waits of net/core/stream.c, Linux 6.18.
// Left out: zero copy, autocorking (it shows when a network card is slow to send, which loopback is not), busy polling,
// error queues.

#include <algorithm>

#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp.hh"
#include "sim/kernel/uaccess.hh"

namespace wakepath::kernel {

MaySleep<u64> sk_wait(Kernel& k, sock* sk, u64 timeout_ns) {
  StackWaitEntry wait(k, woken_wake_function);
  add_wait_queue(k, sk->sk_wq->wait, wait);
  release_sock(k, sk);
  timeout_ns = co_await wait_woken(k, wait, timeout_ns);
  lock_sock(k, sk);
  remove_wait_queue(k, wait);
  co_return timeout_ns;
}

namespace {

/// How large a segment of the write queue may become: half of the largest window that the peer has shown, in whole
/// segments.
u32 tcp_xmit_size_goal(const sock* sk) {
  constexpr u32 kDefaultMss = 536;  // TCP_MSS_DEFAULT
  u32 mss = tcp_current_mss(sk);
  u32 window = tcp_sk(sk)->max_window;
  u32 most = std::min(65535u, window > kDefaultMss ? window / 2 : window);
  return std::max(mss, most / mss * mss);
}

bool can_send(const sock* sk) {
  return tcp_state(sk) == TcpState::ESTABLISHED || tcp_state(sk) == TcpState::CLOSE_WAIT;
}
bool sending_ended(const sock* sk) { return sk->sk_err != 0 || (sk->sk_shutdown & SEND_SHUTDOWN) != 0; }

/// Room in the send buffer; or, when there is room but no memory, a short while. 0, -EAGAIN, -EPIPE, or what an
/// interrupted call gives.
MaySleep<long> sk_stream_wait_memory(Kernel& k, sock* sk, u64* timeout) {
  Call call(k, Fn::sk_stream_wait_memory, sk);
  constexpr u64 kVmWait = 8 * kNsPerMs;  // the shortest of Linux's random waits
  bool no_memory = sk_stream_memory_free(sk);
  u32 disconnects = sk->sk_disconnects;
  for (;;) {
    if (disconnects != sk->sk_disconnects) co_return call.result(k.error(Rule::disconnected_meanwhile, sk));
    if (sending_ended(sk)) co_return call.result(-EPIPE);
    if (*timeout == 0)
      co_return call.result(k.error(no_memory ? Rule::no_memory_send_waits : Rule::send_would_block, sk));
    if (signal_pending(k)) co_return call.result(sock_intr_errno(k, *timeout));
    if (sk_stream_memory_free(sk) && !no_memory) co_return call.result(0);
    sk->nospace = true;
    if (no_memory) {
      u64 wait = std::min(kVmWait, *timeout);
      u64 left = co_await sk_wait(k, sk, wait);
      if (*timeout != kForever) *timeout -= wait - left;
      no_memory = false;
    } else {
      k.rule(Rule::send_buffer_full_waits, sk);
      *timeout = co_await sk_wait(k, sk, *timeout);
    }
  }
}

/// A socket that is still connecting. 0, or the error that send() gives.
MaySleep<long> sk_stream_wait_connect(Kernel& k, sock* sk, u64* timeout) {
  Call call(k, Fn::sk_stream_wait_connect, sk);
  u32 disconnects = sk->sk_disconnects;
  while (!can_send(sk)) {
    if (disconnects != sk->sk_disconnects) co_return call.result(k.error(Rule::disconnected_meanwhile, sk));
    if (long error = sock_error(k, sk); error != 0) co_return call.result(error);
    if (tcp_state(sk) != TcpState::SYN_SENT && tcp_state(sk) != TcpState::SYN_RECV) co_return call.result(-EPIPE);
    if (*timeout == 0) co_return call.result(k.error(Rule::send_connecting, sk));
    if (signal_pending(k)) co_return call.result(sock_intr_errno(k, *timeout));
    *timeout = co_await sk_wait(k, sk, *timeout);
  }
  co_return call.result(0);
}

/// Adds as much as one segment takes, all of it or none; 0: no memory, or with `*error` the data is not there. Order of
/// the writes as on 6.18: sk_wmem_queued, then write_seq.
std::size_t tcp_queue_for_sending(Kernel& k, sock* sk, const char* data, std::size_t size, long* error) {
  const u32 goal = tcp_xmit_size_goal(sk);
  tcp_sock* tp = tcp_sk(sk);
  if ((tp->nonagle & TCP_NAGLE_PUSH) != 0) tp->nonagle &= static_cast<nagle_flags>(TCP_NAGLE_OFF | TCP_NAGLE_CORK);
  sk_buff* tail = sk->sk_write_queue.list.back();
  const bool joins = tail != nullptr && tail->len < goal;
  const std::size_t added = std::min<std::size_t>(size, joins ? goal - tail->len : goal);
  if (!user_has(k, data, added)) [[unlikely]] {
    *error = k.error(Rule::bad_address, sk);
    return 0;
  }
  if (joins) {
    sk->sk_wmem_queued += static_cast<int>(added);
    skb_append(k, tail, {data, added});
  } else {
    sk_buff* skb = tcp_stream_alloc_skb(k, sk, std::string_view(data, added));
    if (skb == nullptr) return 0;
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

/// tcp_push(): what was queued may go; the end of urgent data is marked first.
void tcp_push(Kernel& k, sock* sk, int flags, u32 nonagle) {
  if (sk->sk_write_queue.list.empty()) return;
  if ((flags & MSG_OOB) != 0) tcp_sk(sk)->snd_up = tcp_sk(sk)->write_seq;
  if ((flags & MSG_MORE) != 0) nonagle = TCP_NAGLE_CORK;
  __tcp_push_pending_frames(k, sk, nonagle);
}

Rule why_no_sending(const sock* sk) {
  if (tcp_state(sk) != TcpState::CLOSE && tcp_state(sk) != TcpState::LISTEN) return Rule::send_ended;
  return sk->sk_shutdown == 0 ? Rule::send_no_connection : Rule::send_connection_over;
}

MaySleep<long> tcp_sendmsg_locked(Kernel& k, sock* sk, const char* data, std::size_t size, int flags) {
  Call call(k, Fn::tcp_sendmsg_locked, sk);
  u64 timeout = sock_sndtimeo(sk, (flags & MSG_DONTWAIT) != 0);
  long error = 0;
  if (!can_send(sk)) error = co_await sk_stream_wait_connect(k, sk, &timeout);
  std::size_t copied = 0;
  if (error == 0 && sending_ended(sk)) error = -EPIPE;
  while (error == 0 && copied < size) {
    bool room = sk_stream_memory_free(sk);
    std::size_t added = room ? tcp_queue_for_sending(k, sk, data + copied, size - copied, &error) : 0;
    if (error != 0) break;
    if (added == 0) {
      sk->nospace = true;
      if (copied > 0) tcp_push(k, sk, flags & ~MSG_MORE, TCP_NAGLE_PUSH);
      error = co_await sk_stream_wait_memory(k, sk, &timeout);
      continue;
    }
    copied += added;
    sk_buff* tail = sk->sk_write_queue.list.back();
    if (copied < size && tail != nullptr && tail->len >= tcp_xmit_size_goal(sk))
      __tcp_push_pending_frames(k, sk, TCP_NAGLE_PUSH);
  }
  if (copied > 0) {
    tcp_push(k, sk, flags, tcp_sk(sk)->nonagle);
    co_return call.result(static_cast<long>(copied));
  }
  if (error == -EPIPE) {  // sk_stream_error(): an error of the socket comes first
    long pending = sock_error(k, sk);
    error = pending != 0 ? pending : k.error(why_no_sending(sk), sk);
  }
  // nothing is in flight that could end the wait of those who wait for an edge
  if (error == -EAGAIN && sk->sk_write_queue.list.empty() && sk->tcp_rtx_queue.empty()) sk->sk_write_space(k, sk);
  co_return call.result(error);
}

}  // namespace

bool tcp_stream_memory_free(const sock* sk, bool wake) {
  const tcp_sock* tp = tcp_sk(sk);
  u64 unsent = tp->write_seq - tp->snd_nxt;
  return tp->notsent_limit == 0 || (unsent << (wake ? 1 : 0)) < tp->notsent_limit;
}

MaySleep<long> tcp_sendmsg(Kernel& k, sock* sk, OutMessage& message) {
  Call call(k, Fn::tcp_sendmsg, sk);
  lock_sock(k, sk);
  long sent = co_await tcp_sendmsg_locked(k, sk, message.data, message.size, message.flags);
  release_sock(k, sk);
  co_return call.result(sent);
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
    // an urgent byte that stands next is not read with the rest
    int beside = tcp_at_mark(sk) && !sock_flag(sk, SOCK_URGINLINE_BIT) ? 1 : 0;
    if (tcp_epollin_ready(sk, sk->sk_rcvlowat + beside)) mask = mask | (EPOLLIN | EPOLLRDNORM);
    if ((tcp_sk(sk)->urg_data & TCP_URG_VALID) != 0) mask = mask | EPOLLPRI;
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
  if (k.mutant(Mutant::hangup_missing)) mask = static_cast<poll_t>(mask & ~static_cast<u32>(EPOLLHUP));
  if (k.mutant(Mutant::rdhup_missing)) mask = static_cast<poll_t>(mask & ~static_cast<u32>(EPOLLRDHUP));
  if (k.mutant(Mutant::rcvlowat_ignored) && tcp_epollin_ready(sk, 1)) mask = mask | (EPOLLIN | EPOLLRDNORM);
  TcpState state = tcp_state(sk);
  bool has_writers = state != TcpState::LISTEN && state != TcpState::SYN_SENT && state != TcpState::SYN_RECV;
  if (has_writers && (static_cast<u32>(mask) & EPOLLOUT) == 0)
    sk->nospace = true;  // somebody wants to know when there is room
  return call.result(mask);
}

}  // namespace wakepath::kernel
