// Models: of net/unix/af_unix.c (Linux 6.18) receiving: unix_stream_read_generic(), __unix_dgram_recvmsg().
// Left out: credentials, SO_PEEK_OFF. Urgent data: unix_oob.cc.

#include <algorithm>
#include <cstring>

#include "sim/kernel/kernel.hh"
#include "sim/kernel/signal.hh"
#include "sim/kernel/uaccess.hh"
#include "sim/kernel/unix_sock.hh"

namespace wakepath::kernel {

namespace {

/// Who sent it: nothing for a sender without a name.
void unix_copy_addr(const sk_buff* skb, InMessage& message) {
  if (unix_sk(skb->sk)->addr != nullptr && !message.from) message.from = unix_address_of(skb->sk);
}

/// Takes the buffer out of the queue and frees it.
void consume(Kernel& k, sock* sk, sk_buff* skb) {
  sk->sk_receive_queue.list.erase(skb);
  --sk->sk_receive_queue.qlen;
  unix_sk(sk)->inq_len -= static_cast<int>(skb->len - skb->consumed);
  kfree_skb(k, skb);
}

/// Until something comes behind `last`, or the end, or an error. What is left of the timeout.
MaySleep<u64> unix_stream_data_wait(Kernel& k, sock* sk, u64 timeout, const sk_buff* last) {
  Call call(k, Fn::unix_stream_data_wait, sk);
  co_await k.scheduler.preempt();
  StackWaitEntry wait(k, autoremove_wake_function);
  prepare_to_wait(k, sk->sk_wq->wait, wait);
  bool sleeps = sk->sk_receive_queue.list.back() == last && sk->sk_err == 0 && (sk->sk_shutdown & RCV_SHUTDOWN) == 0 &&
                !signal_pending(k);
  if (sleeps || k.mutant(Mutant::no_second_look)) {
    k.rule(Rule::recv_waits, sk);
    timeout = co_await schedule_timeout(k, timeout);
  }
  finish_wait(k, wait);
  co_return timeout;
}

/// Bytes out of the buffers behind one another, until the message is full, the queue is empty, or files came along; an
/// urgent byte ends it, too, and one that has no room in the caller's memory (`*faulted`). True: the call ends with
/// what it has. `*last`: behind what a sleeper waits for more.
bool take_from_queue(Kernel& k, sock* sk, InMessage& message, std::size_t* copied, const sk_buff** last,
                     bool* faulted) {
  bool peek = (message.flags & MSG_PEEK) != 0;
  sk_buff* skb = sk->sk_receive_queue.list.front();
  *last = skb;
  while (skb != nullptr) {
    skb = manage_oob(k, sk, skb, message.flags, *copied);
    if (skb == nullptr) {
      // Where MSG_PEEK finds a mark and behind it an urgent byte, Linux 6.18 compares the first buffer with the last
      // one again and again, and burns its CPU until something comes (measured). Asleep, the same comes out.
      *last = sk->sk_receive_queue.list.back();
      return *copied > 0;
    }
    std::size_t skip = skb->consumed;
    std::size_t chunk = std::min<std::size_t>(skb->len - skip, message.size - *copied);
    unix_copy_addr(skb, message);
    if (!copy_to_user(k, message.buffer + *copied, skb->payload.data() + skip, chunk)) {
      *faulted = true;
      return true;
    }
    *copied += chunk;
    bool files = skb->fp != nullptr;
    if (files) scm_recv_unix(k, skb, message, peek);
    if (peek) {
      *last = skb;
      skb = sk->sk_receive_queue.list.next(skb);
      if (files || skb == nullptr) return true;
      continue;
    }
    skb->consumed += static_cast<u32>(chunk);
    unix_sk(sk)->inq_len -= static_cast<int>(chunk);
    if (!unix_skb_spent(skb)) return true;
    consume(k, sk, skb);
    if (files || *copied == message.size) return true;
    skb = sk->sk_receive_queue.list.front();
    *last = skb;
  }
  return false;
}

}  // namespace

MaySleep<long> unix_stream_recvmsg(Kernel& k, struct socket* socket, InMessage& message) {
  Call call(k, Fn::unix_stream_recvmsg, socket);
  Call generic(k, Fn::unix_stream_read_generic, socket->sk);
  sock* sk = socket->sk;
  if (sk->common.skc_state != TcpState::ESTABLISHED) co_return call.result(k.error(Rule::unix_recv_not_connected, sk));
  if ((message.flags & MSG_OOB) != 0) co_return call.result(unix_stream_recv_urg(k, sk, message));
  std::size_t least = std::min<std::size_t>(static_cast<std::size_t>(sk->sk_rcvlowat), message.size);
  std::size_t target = std::max<std::size_t>((message.flags & MSG_WAITALL) != 0 ? message.size : least, 1);
  u64 timeout = sock_rcvtimeo(sk, (message.flags & MSG_DONTWAIT) != 0);
  std::size_t copied = 0;
  for (;;) {
    const sk_buff* last = nullptr;
    bool faulted = false;
    bool over = take_from_queue(k, sk, message, &copied, &last, &faulted);
    if (faulted && copied == 0) co_return call.result(k.error(Rule::bad_address, sk));
    if (over || copied >= target) break;
    if (long error = sock_error(k, sk); error != 0)
      co_return call.result(copied > 0 ? static_cast<long>(copied) : error);
    if ((sk->sk_shutdown & RCV_SHUTDOWN) != 0) break;
    if (timeout == 0)
      co_return call.result(copied > 0 ? static_cast<long>(copied) : k.error(Rule::recv_would_block, sk));
    timeout = co_await unix_stream_data_wait(k, sk, timeout, last);
    if (signal_pending(k)) co_return call.result(copied > 0 ? static_cast<long>(copied) : sock_intr_errno(k, timeout));
  }
  co_return call.result(static_cast<long>(copied));
}

MaySleep<long> unix_dgram_recvmsg(Kernel& k, struct socket* socket, InMessage& message) {
  Call call(k, Fn::unix_dgram_recvmsg, socket);
  sock* sk = socket->sk;
  if ((message.flags & MSG_OOB) != 0) co_return call.result(k.error(Rule::send_no_urgent, sk));
  u64 timeout = sock_rcvtimeo(sk, (message.flags & MSG_DONTWAIT) != 0);
  sk_buff* skb = nullptr;
  for (;;) {
    if (long error = sock_error(k, sk); error != 0) co_return call.result(error);
    skb = sk->sk_receive_queue.list.front();
    if (skb != nullptr) break;
    long error = 0;
    if (timeout == 0) {
      // a closed seqpacket connection ends, a datagram socket has nothing to read
      bool ended = sk->sk_type == SOCK_SEQPACKET && (sk->sk_shutdown & RCV_SHUTDOWN) != 0;
      co_return call.result(ended ? 0 : k.error(Rule::recv_would_block, sk));
    }
    int over = co_await __skb_wait_for_more_packets(k, sk, &sk->sk_receive_queue, nullptr, &error, &timeout);
    if (over != 0) co_return call.result(error);
  }
  bool peek = (message.flags & MSG_PEEK) != 0;
  if (!peek) {  // off the queue before the senders are told that there is room
    static_cast<void>(__skb_dequeue(sk->sk_receive_queue));
    unix_sk(sk)->inq_len -= static_cast<int>(skb->len.get());
  }
  wait_queue_head& waiting = unix_sk(sk)->peer_wq.wait;
  if (!waiting.head.empty()) __wake_up_sync_key(k, waiting, POLL_NONE | (EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND));
  unix_copy_addr(skb, message);
  std::size_t size = std::min<std::size_t>(message.size, skb->len);
  if (size < skb->len) message.out_flags |= MSG_TRUNC;
  if (!copy_to_user(k, message.buffer, skb->payload.data(), size)) {
    long error = k.error(peek ? Rule::bad_address : Rule::bad_address_loses, sk);
    if (!peek) kfree_skb(k, skb);
    co_return call.result(error);
  }
  if (skb->fp != nullptr) scm_recv_unix(k, skb, message, peek);
  long result = (message.flags & MSG_TRUNC) != 0 ? static_cast<long>(skb->len) : static_cast<long>(size);
  if (!peek) kfree_skb(k, skb);
  co_return call.result(result);
}

MaySleep<long> unix_seqpacket_recvmsg(Kernel& k, struct socket* socket, InMessage& message) {
  Call call(k, Fn::unix_seqpacket_recvmsg, socket);
  sock* sk = socket->sk;
  if (sk->common.skc_state != TcpState::ESTABLISHED) co_return call.result(k.error(Rule::recv_not_connected, sk));
  co_return call.result(co_await unix_dgram_recvmsg(k, socket, message));
}

}  // namespace wakepath::kernel
