// Models: tcp_sendmsg(), tcp_poll() of net/ipv4/tcp.c and the waits of net/core/stream.c, Linux 6.18.
// Left out: zero copy, autocorking (it shows when a network card is slow to send, which loopback is not), busy polling,
// error queues.

#include <algorithm>

#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp.hh"
#include "sim/kernel/uaccess.hh"

namespace wakepath::kernel {

namespace {

/// How large a segment of the write queue may become: half of the largest window that the peer has shown, in whole
/// segments. Urgent data: one (tcp_xmit_size_goal()).
u32 tcp_xmit_size_goal(const sock* sk, u32 mss, int flags) {
  constexpr u32 kDefaultMss = 536;  // TCP_MSS_DEFAULT
  if ((flags & MSG_OOB) != 0) return mss;
  u32 window = tcp_sk(sk)->max_window;
  u32 most = std::min(kGsoMax, window > kDefaultMss ? window / 2 : window);
  return std::max(mss, most / mss * mss);
}

bool can_send(const sock* sk) {
  return tcp_state(sk) == TcpState::ESTABLISHED || tcp_state(sk) == TcpState::CLOSE_WAIT;
}
bool sending_ended(const sock* sk) { return sk->sk_err != 0 || (sk->sk_shutdown & SEND_SHUTDOWN) != 0; }

/// The loop of sk_stream_wait_memory().
MaySleep<long> wait_for_room(Kernel& k, sock* sk, StackWaitEntry& wait, u64* timeout) {
  constexpr u64 kVmWait = 8 * kNsPerMs;  // the shortest of Linux's random waits
  bool no_memory = sk_stream_memory_free(sk);
  u32 disconnects = sk->sk_disconnects;
  auto ended_or_room = [sk, &no_memory] { return sending_ended(sk) || (!no_memory && sk_stream_memory_free(sk)); };
  for (;;) {
    if (disconnects != sk->sk_disconnects) co_return k.error(Rule::disconnected_meanwhile, sk);
    if (sending_ended(sk)) co_return -EPIPE;
    if (*timeout == 0) co_return k.error(no_memory ? Rule::no_memory_send_waits : Rule::send_would_block, sk);
    if (signal_pending(k)) co_return sock_intr_errno(k, *timeout);
    if (sk_stream_memory_free(sk) && !no_memory) co_return 0;
    sk->nospace = true;
    if (no_memory) {
      u64 longest = std::min(kVmWait, *timeout);
      u64 left = co_await sk_wait_event(k, sk, wait, longest, ended_or_room);
      if (*timeout != kForever) *timeout -= longest - left;
      no_memory = false;
    } else {
      k.rule(Rule::send_buffer_full_waits, sk);
      *timeout = co_await sk_wait_event(k, sk, wait, *timeout, ended_or_room);
    }
  }
}

/// Room in the send buffer; or, when there is room but no memory, a short while. 0, -EAGAIN, -EPIPE, or what an
/// interrupted call gives.
MaySleep<long> sk_stream_wait_memory(Kernel& k, sock* sk, u64* timeout) {
  Call call(k, Fn::sk_stream_wait_memory, sk);
  StackWaitEntry wait(k, woken_wake_function);
  add_wait_queue(k, sk->sk_wq->wait, wait);
  long error = co_await wait_for_room(k, sk, wait, timeout);
  remove_wait_queue(k, wait);
  co_return call.result(error);
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
    StackWaitEntry wait(k, woken_wake_function);
    add_wait_queue(k, sk->sk_wq->wait, wait);
    *timeout = co_await sk_wait_event(k, sk, wait, *timeout, [sk] { return sk->sk_err == 0 && can_send(sk); });
    remove_wait_queue(k, wait);
  }
  co_return call.result(0);
}

/// Where the next bytes of the task go in its page: behind the last ones, or at the beginning of one that nobody uses
/// any more (here: when no segment is alive at all) or of a new one when less than 32 bytes are left
/// (sk_page_frag_refill()).
u32 sk_page_frag_refill(const Kernel& k, task_struct* task) {
  constexpr u32 kLeast = 32;
  if (task->frag_offset + kLeast > kPageFrag || k.skbs.live() == 0) task->frag_offset = 0;
  return task->frag_offset;
}

void tcp_mark_push(sock* sk, sk_buff* skb) {
  if ((skb->flags & TCPHDR_PSH) == 0) skb->flags |= TCPHDR_PSH;
  inet_csk(sk)->pushed_seq = tcp_sk(sk)->write_seq;
}

/// More than half of a window was written since something was to go out at once.
bool forced_push(const sock* sk) {
  return after(tcp_sk(sk)->write_seq, inet_csk(sk)->pushed_seq + (tcp_sk(sk)->max_window >> 1));
}

/// tcp_push(): what was queued may go; the end of urgent data is marked first.
void tcp_push(Kernel& k, sock* sk, int flags, u32 mss, u32 nonagle) {
  tcp_sock* tp = tcp_sk(sk);
  sk_buff* tail = sk->sk_write_queue.list.back();
  if (tail == nullptr) return;
  if ((flags & MSG_MORE) == 0 || forced_push(sk)) tcp_mark_push(sk, tail);
  if ((flags & MSG_OOB) != 0) tp->snd_up = tp->write_seq;
  if ((flags & MSG_MORE) != 0) nonagle = TCP_NAGLE_CORK;
  __tcp_push_pending_frames(k, sk, mss, nonagle);
}

/// What one send() has done so far.
struct Sending {
  const char* data;
  std::size_t size;
  int flags;
  u32 mss, goal;  ///< As of the beginning, or of the last sleep (tcp_send_mss()).
  std::size_t copied = 0;
  int new_segments = 0;  ///< Since the socket's backlog was last looked at.

  void ask(const sock* sk) {
    mss = tcp_current_mss(sk);
    goal = tcp_xmit_size_goal(sk, mss, flags);
  }
};

/// How a step of the loop below ended.
enum class Queued { some, no_room, restart, bad_address };

/// Adds as much as one segment and one page take: that piece is copied whole or not at all (left out: Linux begins a
/// new segment behind 17 pieces of pages, which only a task that writes to several corked sockets in turn gets to).
/// Room is only asked for when a new segment begins: what still goes into the last one does so though the buffer is
/// full. Order of the writes as on 6.18: sk_wmem_queued, then write_seq.
Queued tcp_queue_for_sending(Kernel& k, sock* sk, Sending& s) {
  constexpr int kLookAtBacklog = 16;
  tcp_sock* tp = tcp_sk(sk);
  sk_buff* tail = sk->sk_write_queue.list.back();
  const bool joins = tail != nullptr && tail->len < s.goal;
  if (!joins && !sk_stream_memory_free(sk)) return Queued::no_room;
  if (!joins && s.new_segments >= kLookAtBacklog) {
    s.new_segments = 0;
    if (!sk->sk_backlog.empty()) {  // sk_flush_backlog(): ACKs have come meanwhile
      __release_sock(k, sk);
      return Queued::restart;
    }
  }
  const char* from = s.data + s.copied;
  task_struct* task = k.current();
  const u32 place = sk_page_frag_refill(k, task);
  const std::size_t added =
      std::min<std::size_t>({s.size - s.copied, joins ? s.goal - tail->len : s.goal, kPageFrag - place});
  if (!user_has(k, from, added)) [[unlikely]]
    return Queued::bad_address;
  task->frag_offset = place + static_cast<u32>(added);
  if (joins) {
    sk_wmem_charge(sk, static_cast<u32>(added));
    skb_append(k, tail, {from, added});
    const bool ends = added == s.size && (s.flags & MSG_MORE) == 0;  // tcp_push() marks it again
    if (s.copied == 0 && !ends && (tail->flags & TCPHDR_PSH) != 0)
      tail->flags &= static_cast<tcp_flags>(~static_cast<u32>(TCPHDR_PSH));
  } else {
    tail = tcp_stream_alloc_skb(k, sk, std::string_view(from, added));
    if (tail == nullptr) return Queued::no_room;
    tcp_slow_start_after_idle_check(k, sk);
    ++s.new_segments;
    tail->page_off = static_cast<u16>(place);
    tail->seq = tp->write_seq;
    tail->end_seq = tail->seq + static_cast<u32>(added);
    const bool ends = s.copied + added == s.size && (s.flags & MSG_MORE) == 0;  // tcp_push() will mark it
    tail->flags = ends ? static_cast<tcp_flags>(TCPHDR_ACK | TCPHDR_PSH) : TCPHDR_ACK;
    sk->sk_write_queue.list.push_back(tail);
    ++sk->sk_write_queue.qlen;
    sk_wmem_charge(sk, tail->truesize);
    if ((tp->nonagle & TCP_NAGLE_PUSH) != 0)  // tcp_skb_entail()
      tp->nonagle &= static_cast<nagle_flags>(TCP_NAGLE_OFF | TCP_NAGLE_CORK);
  }
  tp->write_seq += static_cast<u32>(added);
  s.copied += added;
  return Queued::some;
}

/// A full segment goes out before the next one is written: all that waits, if it is much, or the first one alone.
void push_full(Kernel& k, sock* sk, const Sending& s) {
  sk_buff* tail = sk->sk_write_queue.list.back();
  if (s.copied == s.size || tail->len < s.goal || (s.flags & MSG_OOB) != 0) return;
  if (forced_push(sk)) {
    tcp_mark_push(sk, tail);
    __tcp_push_pending_frames(k, sk, s.mss, TCP_NAGLE_PUSH);
  } else if (tail == sk->sk_write_queue.list.front()) {
    tcp_write_xmit(k, sk, s.mss, TCP_NAGLE_PUSH, Push::one);  // tcp_push_one()
  }
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
  Sending s{data, size, flags, 0, 0};
  s.ask(sk);
  if (error == 0 && sending_ended(sk)) error = -EPIPE;
  while (error == 0 && s.copied < size) {
    switch (tcp_queue_for_sending(k, sk, s)) {
      case Queued::some:
        push_full(k, sk, s);
        break;
      case Queued::no_room:
        sk->nospace = true;
        if (s.copied > 0) tcp_push(k, sk, flags & ~MSG_MORE, s.mss, TCP_NAGLE_PUSH);
        error = co_await sk_stream_wait_memory(k, sk, &timeout);
        s.ask(sk);
        break;
      case Queued::restart:
        s.ask(sk);
        if (sending_ended(sk)) error = -EPIPE;
        break;
      case Queued::bad_address:
        error = k.error(Rule::bad_address, sk);
        break;
    }
  }
  if (s.copied > 0) {
    tcp_push(k, sk, flags, s.mss, tcp_sk(sk)->nonagle);
    co_return call.result(static_cast<long>(s.copied));
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
