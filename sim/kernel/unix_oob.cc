// Models: urgent data of net/unix/af_unix.c, Linux 6.18 (CONFIG_AF_UNIX_OOB): the last byte of a message sent with
// MSG_OOB goes in a buffer of its own, to which the receiver's oob_skb points until it is read, passed, or followed by
// another. Left out: SIGURG, which goes to an owner that no call of the model sets.

#include <algorithm>

#include "sim/kernel/kernel.hh"
#include "sim/kernel/uaccess.hh"
#include "sim/kernel/unix_sock.hh"

namespace wakepath::kernel {

namespace {

sk_buff* skb_peek_next(const sock* sk, sk_buff* skb) { return sk->sk_receive_queue.list.next(skb); }

/// Out of the queue, and freed; the count of bytes was, or is not, changed by whoever calls.
void unlink(Kernel& k, sock* sk, sk_buff* skb) {
  sk->sk_receive_queue.list.erase(skb);
  --sk->sk_receive_queue.qlen;
  kfree_skb(k, skb);
}

}  // namespace

bool unix_skb_spent(const sk_buff* skb) { return skb->consumed == skb->len; }

sk_buff* manage_oob(Kernel& k, sock* sk, sk_buff* skb, int flags, std::size_t copied) {
  unix_sock* u = unix_sk(sk);
  if (!unix_skb_spent(skb) && skb != u->oob_skb) return skb;
  Call call(k, Fn::manage_oob, sk);
  bool peek = (flags & MSG_PEEK) != 0;
  if (unix_skb_spent(skb)) {  // the mark of an urgent byte that was read: a read ends there, or begins behind it
    if (copied > 0 && (u->oob_skb == nullptr || skb == u->oob_skb)) return nullptr;
    sk_buff* mark = skb;
    skb = skb_peek_next(sk, mark);
    if (!peek) unlink(k, sk, mark);
    if (skb == nullptr) return nullptr;
  }
  if (skb != u->oob_skb) return skb;
  if (copied > 0) return nullptr;
  bool in_line = sock_flag(sk, SOCK_URGINLINE_BIT);
  if (peek) return in_line ? skb : skb_peek_next(sk, skb);
  u->oob_skb = nullptr;
  if (in_line) return skb;
  k.rule(Rule::unix_urgent_skipped, sk);
  unlink(k, sk, skb);
  return sk->sk_receive_queue.list.front();
}

long unix_stream_recv_urg(Kernel& k, sock* sk, InMessage& message) {
  Call call(k, Fn::unix_stream_recv_urg, sk);
  unix_sock* u = unix_sk(sk);
  sk_buff* skb = u->oob_skb;
  if (sock_flag(sk, SOCK_URGINLINE_BIT) || skb == nullptr) return call.result(k.error(Rule::unix_no_urgent_data, sk));
  bool whole = copy_to_user(k, message.buffer, skb->payload.data(), std::min<std::size_t>(message.size, 1));
  if ((message.flags & MSG_PEEK) == 0) {
    u->oob_skb = nullptr;
    --u->inq_len;
    ++skb->consumed;
    sk_buff* before = sk->sk_receive_queue.list.prev(skb);
    if (before != nullptr && unix_skb_spent(before)) unlink(k, sk, before);  // one mark is enough
  }
  if (!whole) return call.result(k.error(Rule::bad_address_loses, sk));
  message.out_flags |= MSG_OOB;
  return call.result(1);
}

bool unix_at_mark(const sock* sk) {
  const sk_buff* first = sk->sk_receive_queue.list.front();
  if (first == nullptr) return false;
  const sk_buff* urgent = unix_sk(sk)->oob_skb;
  if (first == urgent) return true;
  return unix_skb_spent(first) && (urgent == nullptr || skb_peek_next(sk, const_cast<sk_buff*>(first)) == urgent);
}

}  // namespace wakepath::kernel
