// Models: tcp_recvmsg() of net/ipv4/tcp.c, Linux 6.18. Left out: zero copy, busy polling, error queues, timestamps.

#include <algorithm>
#include <cstring>

#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp.hh"
#include "sim/kernel/uaccess.hh"

namespace wakepath::kernel {

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
    u32 could = 2 * now <= tp->window_clamp ? __tcp_select_window(sk) : 0;
    ack = could != 0 && could >= 2 * now;  // the window has opened a good deal
  }
  if (ack && tcp_state(sk) != TcpState::CLOSE) tcp_send_ack(k, sk);
}

namespace {

/// What one recv() has taken so far.
struct Taken {
  char* buffer;
  std::size_t size;
  int flags;
  u32 seq;  ///< The next byte; ahead of copied_seq when peeking.
  std::size_t copied = 0;
  bool ended = false;    ///< At the peer's FIN, or at the urgent mark with something in front of it.
  bool faulted = false;  ///< What came next had no room in the caller's memory.

  [[nodiscard]] bool peek() const { return (flags & MSG_PEEK) != 0; }
};

void advance(sock* sk, sk_buff* skb, Taken& taken, u32 bytes) {
  taken.seq += bytes;
  if (taken.peek()) return;
  skb->consumed += bytes;
  tcp_sk(sk)->copied_seq += bytes;
}

/// Copies out of one segment, not beyond an urgent byte; that one is skipped unless it is read in line.
void copy_from(Kernel& k, sock* sk, sk_buff* skb, Taken& taken) {
  tcp_sock* tp = tcp_sk(sk);
  u32 left = skb->len - (taken.seq - skb->seq);
  auto used = static_cast<u32>(std::min<std::size_t>(left, taken.size - taken.copied));
  u32 to_urgent = tp->urg_seq - taken.seq;
  if (tp->urg_data != TCP_URG_NONE && to_urgent < used) {
    if (to_urgent > 0) {
      used = to_urgent;
    } else if (!sock_flag(sk, SOCK_URGINLINE_BIT)) {
      advance(sk, skb, taken, 1);
      --used;
    }
  }
  if (used > 0) {
    Call copy(k, Fn::skb_copy_datagram_iter, skb);
    const char* from = skb->payload.data() + (taken.seq - skb->seq);
    if ((taken.flags & MSG_TRUNC) == 0 && !copy_to_user(k, taken.buffer + taken.copied, from, used)) {
      taken.faulted = true;
      return;
    }
    taken.copied += used;
    advance(sk, skb, taken, used);
  }
  if (tp->urg_data != TCP_URG_NONE && after(tp->copied_seq, tp->urg_seq)) {
    tp->urg_data = TCP_URG_NONE;
    tcp_fast_path_check(sk);
  }
}

/// Takes from the receive queue what is there, as much as there is room for.
void tcp_take_queued(Kernel& k, sock* sk, Taken& taken) {
  tcp_sock* tp = tcp_sk(sk);
  sk_buff* skb = sk->sk_receive_queue.list.front();
  while (skb != nullptr) {
    if (tp->urg_data != TCP_URG_NONE && tp->urg_seq == taken.seq && taken.copied > 0) {
      taken.ended = true;
      return;
    }
    bool fin = (skb->flags & TCPHDR_FIN) != 0;
    if (taken.seq - skb->seq < skb->len) copy_from(k, sk, skb, taken);
    if (taken.seq - skb->seq < skb->len) {
      if (taken.copied == taken.size || taken.faulted) return;
      continue;  // it was cut at an urgent byte
    }
    sk_buff* next = skb->node.next;
    if (fin && taken.seq == skb->end_seq) {  // peeked at before
      taken.ended = true;
      return;
    }
    if (fin) ++taken.seq;
    if (!taken.peek()) {
      if (fin) ++tp->copied_seq;
      sk->sk_receive_queue.list.erase(skb);
      --sk->sk_receive_queue.qlen;
      sock_rfree(k, sk, skb->truesize);
      kfree_skb(k, skb);
    }
    if (fin) taken.ended = true;
    if (fin || taken.copied == taken.size) return;
    skb = next;
  }
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

/// Until something new stands last in the receive queue.
MaySleep<u64> sk_wait_data(Kernel& k, sock* sk, u64 timeout_ns) {
  Call call(k, Fn::sk_wait_data, sk);
  k.rule(Rule::recv_waits, sk);
  StackWaitEntry wait(k, woken_wake_function);
  add_wait_queue(k, sk->sk_wq->wait, wait);
  const sk_buff* last = sk->sk_receive_queue.list.back();
  auto arrived = [sk, last] { return sk->sk_receive_queue.list.back() != last; };
  timeout_ns = co_await sk_wait_event(k, sk, wait, timeout_ns, arrived);
  remove_wait_queue(k, wait);
  co_return timeout_ns;
}

MaySleep<long> tcp_recvmsg_locked(Kernel& k, sock* sk, InMessage& message) {
  Call call(k, Fn::tcp_recvmsg_locked, sk);
  if (tcp_state(sk) == TcpState::LISTEN) co_return call.result(k.error(Rule::recv_not_connected, sk));
  const int flags = message.flags;
  if ((flags & MSG_OOB) != 0) co_return call.result(tcp_recv_urg(k, sk, message));
  u64 timeout = sock_rcvtimeo(sk, (flags & MSG_DONTWAIT) != 0);
  std::size_t target = message.size;
  if ((flags & MSG_WAITALL) == 0) target = std::min<std::size_t>(target, static_cast<u32>(sk->sk_rcvlowat.get()));
  target = std::max<std::size_t>(target, 1);
  Taken taken{message.buffer, message.size, flags, tcp_sk(sk)->copied_seq};
  do {  // also for 0 bytes: recv() then waits until there is something
    tcp_take_queued(k, sk, taken);
    if (taken.faulted) break;
    bool enough = taken.size == 0 ? !sk->sk_receive_queue.list.empty() : taken.copied >= taken.size;
    if (taken.ended || (taken.copied >= target && sk->sk_backlog.empty()) || enough) break;
    long result = 0;
    if (tcp_recv_ends(k, sk, taken.copied, timeout, &result)) {
      if (result < 0) co_return call.result(result);
      break;
    }
    if (taken.copied >= target) {  // what waits on the socket's backlog may be more of it
      release_sock(k, sk);
      lock_sock(k, sk);
      continue;
    }
    tcp_cleanup_rbuf(k, sk, taken.copied);
    u32 disconnects = sk->sk_disconnects;
    timeout = co_await sk_wait_data(k, sk, timeout);
    if (disconnects != sk->sk_disconnects)
      co_return call.result(taken.copied > 0 ? static_cast<long>(taken.copied)
                                             : k.error(Rule::disconnected_meanwhile, sk));
    if (!taken.peek() || taken.copied == 0)
      taken.seq = tcp_sk(sk)->copied_seq;  // somebody else may have read meanwhile
  } while (taken.copied < taken.size);
  tcp_cleanup_rbuf(k, sk, taken.peek() ? 0 : taken.copied);
  if (taken.faulted && taken.copied == 0) co_return call.result(k.error(Rule::bad_address, sk));
  co_return call.result(static_cast<long>(taken.copied));
}

}  // namespace

MaySleep<long> tcp_recvmsg(Kernel& k, sock* sk, InMessage& message) {
  Call call(k, Fn::tcp_recvmsg, sk);
  lock_sock(k, sk);
  long got = co_await tcp_recvmsg_locked(k, sk, message);
  release_sock(k, sk);
  co_return call.result(got);
}

}  // namespace wakepath::kernel
