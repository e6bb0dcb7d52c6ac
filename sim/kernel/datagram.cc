// Models: net/core/datagram.c and, of net/core/sock.c, sock_alloc_send_pskb(), sock_wfree() of Linux 6.18.
// Left out: peeking at an offset (SO_PEEK_OFF), zero copy, busy polling, signals of asynchronous I/O. A sender never
// waits for room: loopback takes each datagram from its sender's charge before the send call returns.

#include "sim/kernel/datagram.hh"

#include "sim/kernel/kernel.hh"

namespace wakepath::kernel {

int receiver_wake_function(Kernel& k, wait_queue_entry* entry, bool sync, poll_t key) {
  Call call(k, Fn::receiver_wake_function, entry);
  if (key != POLL_NONE && (static_cast<u32>(key) & (EPOLLIN | EPOLLERR)) == 0) return call.result(0);
  return call.result(autoremove_wake_function(k, entry, sync, key));
}

MaySleep<int> __skb_wait_for_more_packets(Kernel& k, sock* sk, sk_buff_head* queue, const sk_buff* last, long* error,
                                          u64* timeout) {
  Call call(k, Fn::__skb_wait_for_more_packets, sk);
  co_await k.scheduler.preempt();
  StackWaitEntry wait(k, receiver_wake_function);
  prepare_to_wait_exclusive(k, sk->sk_wq->wait, wait);
  int ends = 0;
  if (long pending = sock_error(k, sk); pending != 0) {
    *error = pending;
    ends = 1;
  } else if (queue->list.back() != last && !k.mutant(Mutant::no_second_look)) {
    // something came meanwhile
  } else if ((sk->sk_shutdown & RCV_SHUTDOWN) != 0) {
    *error = 0;
    ends = 1;
  } else if (signal_pending(k)) {
    *error = sock_intr_errno(k, *timeout);
    ends = 1;
  } else {
    k.rule(Rule::recv_waits, sk);
    *timeout = co_await schedule_timeout(k, *timeout);
  }
  finish_wait(k, wait);
  co_return call.result(ends);
}

poll_t datagram_poll_queue(Kernel& k, struct file* file, struct socket* socket, poll_table* table,
                           const sk_buff_head& queue) {
  const sock* sk = socket->sk;
  Call call(k, Fn::datagram_poll_queue, sk);
  poll_wait(k, file, &socket->wq().wait, table);
  return call.result(datagram_events(sk, queue));
}

poll_t datagram_events(const sock* sk, const sk_buff_head& queue) {
  poll_t mask = POLL_NONE;
  if (sk->sk_err != 0) mask = mask | EPOLLERR;
  if ((sk->sk_shutdown & RCV_SHUTDOWN) != 0) mask = mask | (EPOLLRDHUP | EPOLLIN | EPOLLRDNORM);
  if (sk->sk_shutdown == SHUTDOWN_MASK) mask = mask | EPOLLHUP;
  if (!queue.list.empty()) mask = mask | (EPOLLIN | EPOLLRDNORM);
  if (sock_writeable(sk)) mask = mask | (EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND);
  return mask;
}

bool sock_writeable(const sock* sk) { return sk->sk_wmem_alloc < sk->sk_sndbuf / 2; }

sk_buff* sock_alloc_send_pskb(Kernel& k, sock* sk, Payload payload, u32 truesize, long* error) {
  Call call(k, Fn::sock_alloc_send_pskb, sk);
  *error = sock_error(k, sk);
  if (*error == 0 && (sk->sk_shutdown & SEND_SHUTDOWN) != 0) *error = k.error(Rule::send_ended, sk);
  if (*error != 0) return nullptr;
  sk_buff* skb = nullptr;
  {
    Call frags(k, Fn::alloc_skb_with_frags, nullptr);
    skb = alloc_skb(k, sk, std::move(payload), truesize);
  }
  if (skb == nullptr) {
    *error = k.error(Rule::no_buffer, sk);
    return nullptr;
  }
  skb->destructor = sock_wfree;
  sk->sk_wmem_alloc += static_cast<int>(skb->truesize.get());
  return skb;
}

void sock_wfree(Kernel& k, sk_buff* skb) {
  sock* sk = skb->sk;
  Call call(k, Fn::sock_wfree, sk);
  // one stays until sk_write_space() has run, as in Linux: it counts in who has room
  sk->sk_wmem_alloc -= static_cast<int>(skb->truesize.get()) - 1;
  sk->sk_write_space(k, sk);
  --sk->sk_wmem_alloc;
  if (sk->sk_wmem_alloc == 0 && sk->common.skc_refcnt == 0) __sk_free(k, sk);
}

void skb_orphan(Kernel& k, sk_buff* skb) {
  if (skb->destructor == nullptr) return;
  skb->destructor(k, skb);
  skb->destructor = nullptr;
  skb->sk = nullptr;
}

void __skb_queue_tail(sk_buff_head& queue, sk_buff* skb) {
  queue.list.push_back(skb);
  ++queue.qlen;
}

sk_buff* __skb_dequeue(sk_buff_head& queue) {
  sk_buff* skb = queue.list.pop_front();
  if (skb != nullptr) --queue.qlen;
  return skb;
}

void skb_queue_splice_tail_init(sk_buff_head& from, sk_buff_head& to) {
  while (sk_buff* skb = __skb_dequeue(from)) __skb_queue_tail(to, skb);
}

}  // namespace wakepath::kernel
