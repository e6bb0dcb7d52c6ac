// Models: of net/unix/af_unix.c and net/core/sock.c (Linux 6.18) sending: a message is charged to its sender until the
// receiver has read it, and goes straight into the receiver's queue.
// Left out: credentials, SIGPIPE (actors ignore it).

#include <algorithm>
#include <bit>

#include "sim/kernel/kernel.hh"
#include "sim/kernel/signal.hh"
#include "sim/kernel/uaccess.hh"
#include "sim/kernel/unix_sock.hh"

namespace wakepath::kernel {

namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kSkbHead = 256;                    // sizeof(struct sk_buff), aligned
constexpr std::size_t kSkbTail = 320;                    // struct skb_shared_info, aligned, behind the data
constexpr std::size_t kMaxHead = kPage - kSkbTail;       // SKB_MAX_HEAD(0)
constexpr std::size_t kMaxAlloc = 4 * kPage - kSkbTail;  // SKB_MAX_ALLOC
constexpr std::size_t kFrags = 32768;                    // UNIX_SKB_FRAGS_SZ
constexpr std::size_t kMaxFrags = 17;                    // MAX_SKB_FRAGS

std::size_t page_align(std::size_t size) { return (size + kPage - 1) / kPage * kPage; }

/// What alloc_skb_with_frags() takes for a head of this size and pages for the rest: slabs are powers of two.
u32 skb_truesize(std::size_t head, std::size_t data) {
  std::size_t slab = std::bit_ceil(std::max<std::size_t>((head + 63) / 64 * 64 + kSkbTail, 512));
  return static_cast<u32>(slab + kSkbHead + page_align(data));
}

/// A buffer over a sleep: freed unless somebody took it.
class HeldSkb {
 public:
  HeldSkb(Kernel& k, sk_buff* skb) : k_(k), skb_(skb) {}
  ~HeldSkb() {
    if (skb_ != nullptr) kfree_skb(k_, skb_);
  }
  HeldSkb(const HeldSkb&) = delete;
  HeldSkb& operator=(const HeldSkb&) = delete;
  [[nodiscard]] sk_buff* get() const { return skb_; }
  sk_buff* release() { return std::exchange(skb_, nullptr); }

 private:
  Kernel& k_;
  sk_buff* skb_;
};

/// Until the socket may be charged with more, or nobody would want it any more.
MaySleep<u64> sock_wait_for_wmem(Kernel& k, sock* sk, u64 timeout) {
  Call call(k, Fn::sock_wait_for_wmem, sk);
  co_await k.scheduler.preempt();
  StackWaitEntry wait(k, autoremove_wake_function);
  prepare_to_wait(k, sk->sk_wq->wait, wait);
  bool sleeps = sk->sk_wmem_alloc + 1 >= sk->sk_sndbuf && (sk->sk_shutdown & SEND_SHUTDOWN) == 0 && sk->sk_err == 0;
  if (sleeps || k.mutant(Mutant::no_second_look)) {
    sk->nospace = true;
    k.rule(Rule::send_buffer_full_waits, sk);
    timeout = co_await schedule_timeout(k, timeout);
  }
  finish_wait(k, wait);
  co_return timeout;
}

/// sock_alloc_send_pskb() as AF_UNIX needs it: with waiting for room. nullptr with `*error`.
MaySleep<sk_buff*> unix_alloc_skb(Kernel& k, sock* sk, Payload data, u32 truesize, int flags, long* error) {
  u64 timeout = sock_sndtimeo(sk, (flags & MSG_DONTWAIT) != 0);
  while (sk->sk_err == 0 && (sk->sk_shutdown & SEND_SHUTDOWN) == 0 && sk->sk_wmem_alloc >= sk->sk_sndbuf) {
    sk->nospace = true;
    if (timeout == 0) {
      *error = k.error(Rule::send_would_block, sk);
      co_return nullptr;
    }
    if (signal_pending(k)) {
      *error = sock_intr_errno(k, timeout);
      co_return nullptr;
    }
    timeout = co_await sock_wait_for_wmem(k, sk, timeout);
  }
  co_return sock_alloc_send_pskb(k, sk, std::move(data), truesize, error);
}

/// Into the receiver's queue, and tell it.
void deliver(Kernel& k, sock* other, sk_buff* skb) {
  HeldSock held(k, other);
  unix_add_edges(k, skb, other);
  unix_sk(other)->inq_len += static_cast<int>(skb->len.get());
  __skb_queue_tail(other->sk_receive_queue, skb);
  other->sk_data_ready(k, other);
}

/// Nobody will read it any more.
bool is_deaf(const sock* other) { return sock_flag(other, SOCK_DEAD_BIT) || (other->sk_shutdown & RCV_SHUTDOWN) != 0; }

/// The last byte of a message, urgent: in a buffer of its own. 0 or an error.
MaySleep<long> queue_oob(Kernel& k, sock* sk, sock* other, OutMessage& message) {
  Call call(k, Fn::queue_oob, sk);
  long error = 0;
  const char* last = message.data != nullptr ? message.data + message.size - 1 : nullptr;
  Payload byte = user_payload(k, last, 1);
  sk_buff* skb = co_await unix_alloc_skb(k, sk, std::move(byte), skb_truesize(1, 0), message.flags, &error);
  if (skb == nullptr) co_return call.result(error);
  if (!unix_scm_to_skb(k, message, skb)) {
    kfree_skb(k, skb);
    co_return call.result(k.error(Rule::no_memory, sk));
  }
  if (!user_has(k, last, 1)) {
    kfree_skb(k, skb);
    co_return call.result(k.error(Rule::bad_address, sk));
  }
  if (is_deaf(other)) {
    kfree_skb(k, skb);
    co_return call.result(k.error(Rule::send_peer_deaf, sk));
  }
  unix_sk(other)->oob_skb = skb;
  deliver(k, other, skb);
  co_return call.result(0);
}

}  // namespace

MaySleep<long> unix_stream_sendmsg(Kernel& k, struct socket* socket, OutMessage& message) {
  Call call(k, Fn::unix_stream_sendmsg, socket);
  sock* sk = socket->sk;
  bool urgent = (message.flags & MSG_OOB) != 0;
  if (urgent && message.size == 0) co_return call.result(k.error(Rule::send_urgent_nothing, sk));
  std::size_t plain = message.size - (urgent ? 1 : 0);
  if (message.to != nullptr)
    co_return call.result(k.error(
        sk->common.skc_state == TcpState::ESTABLISHED ? Rule::connect_again : Rule::unix_stream_has_no_address, sk));
  sock* other = unix_peer(sk);
  if (other == nullptr) co_return call.result(k.error(Rule::send_not_connected, sk));
  if ((sk->sk_shutdown & SEND_SHUTDOWN) != 0)  // also when the peer has been closed
    co_return call.result(k.error(sock_flag(other, SOCK_DEAD_BIT) ? Rule::send_peer_deaf : Rule::send_ended, sk));
  HeldSock held(k, other);
  std::size_t sent = 0;
  while (sent < plain) {
    std::size_t half = static_cast<std::size_t>(std::max(sk->sk_sndbuf / 2 - 64, 0));
    std::size_t size = std::min({plain - sent, half, kMaxHead + kFrags});
    std::size_t data = std::min(size, page_align(size > kMaxHead ? size - kMaxHead : 0));
    long error = 0;
    u32 truesize = skb_truesize(size - data, data);
    Payload bytes = user_payload(k, message.data + sent, size);
    sk_buff* skb = co_await unix_alloc_skb(k, sk, std::move(bytes), truesize, message.flags, &error);
    if (skb == nullptr) co_return call.result(sent > 0 ? static_cast<long>(sent) : error);
    if (!unix_scm_to_skb(k, message, skb)) {  // the files go with the first buffer
      kfree_skb(k, skb);
      co_return call.result(k.error(Rule::no_memory, sk));
    }
    if (!user_has(k, message.data + sent, size)) {
      kfree_skb(k, skb);
      co_return call.result(sent > 0 ? static_cast<long>(sent) : k.error(Rule::bad_address, sk));
    }
    if (is_deaf(other)) {
      kfree_skb(k, skb);
      co_return call.result(sent > 0 ? static_cast<long>(sent) : k.error(Rule::send_peer_deaf, sk));
    }
    deliver(k, other, skb);
    sent += size;
  }
  if (urgent) {
    long error = co_await queue_oob(k, sk, other, message);
    if (error != 0) co_return call.result(sent > 0 ? static_cast<long>(sent) : error);
    ++sent;
  }
  co_return call.result(static_cast<long>(sent));
}

namespace {

/// Who the datagram is for: the address that the call names, or the peer. nullptr with `*error`.
sock* find_receiver(Kernel& k, sock* sk, const OutMessage& message, long* error) {
  if (message.to != nullptr) return unix_find_other(k, *message.to, sk->sk_type, error);
  sock* other = unix_peer(sk);
  if (other == nullptr) *error = k.error(Rule::send_not_connected, sk);
  return other;
}

/// The receiver has been closed. A connected sender learns it once and is unconnected then; 1: the sender has another
/// peer or none.
long receiver_is_dead(Kernel& k, sock* sk, sock* other) {
  if (sk->sk_type == SOCK_SEQPACKET) return k.error(Rule::send_peer_deaf, sk);
  if (unix_peer(sk) != other) return 1;
  unix_sk(sk)->peer = nullptr;
  unix_dgram_peer_wake_disconnect_wakeup(k, sk, other);
  sk->common.skc_state = TcpState::CLOSE;
  unix_dgram_disconnected(k, sk, other);
  sock_put(k, other);
  return k.error(Rule::unix_nobody_there, sk);
}

/// Waits for room in the receiver's queue if the call may. 0: go on and look again; 1: there is room.
MaySleep<long> wait_for_room(Kernel& k, sock* sk, sock* other, u64* timeout) {
  if (other == sk || unix_peer(other) == sk || !unix_recvq_full(other)) co_return 1;
  if (*timeout != 0) {
    *timeout = co_await unix_wait_for_peer(k, other, *timeout);
    if (signal_pending(k)) co_return sock_intr_errno(k, *timeout);
    co_return 0;
  }
  if (unix_peer(sk) != other || unix_dgram_peer_wake_me(k, sk, other)) co_return k.error(Rule::unix_peer_full, other);
  co_return 0;
}

/// 0: the receiver takes the datagram now. 1: it has been closed, and the sender is not connected to it.
MaySleep<long> room_at_receiver(Kernel& k, sock* sk, sock* other, u64* timeout) {
  for (;;) {
    if (!unix_may_send(sk, other)) co_return k.error(Rule::unix_peer_has_another, other);
    if (sock_flag(other, SOCK_DEAD_BIT)) co_return receiver_is_dead(k, sk, other);
    if ((other->sk_shutdown & RCV_SHUTDOWN) != 0) co_return k.error(Rule::send_peer_deaf, other);
    long room = co_await wait_for_room(k, sk, other, timeout);
    if (room != 0) co_return room < 0 ? room : 0;
  }
}

}  // namespace

MaySleep<long> unix_dgram_sendmsg(Kernel& k, struct socket* socket, OutMessage& message) {
  Call call(k, Fn::unix_dgram_sendmsg, socket);
  sock* sk = socket->sk;
  if ((message.flags & MSG_OOB) != 0) co_return call.result(k.error(Rule::send_no_urgent, sk));
  if (message.to != nullptr)
    if (long error = unix_validate_addr(k, *message.to); error != 0) co_return call.result(error);
  if (static_cast<long>(message.size) > sk->sk_sndbuf - 32) co_return call.result(k.error(Rule::unix_too_long, sk));
  std::size_t data = 0;
  if (message.size > kMaxAlloc) data = page_align(std::min(message.size - kMaxAlloc, kMaxFrags * kPage));
  long error = 0;
  u32 truesize = skb_truesize(message.size - data, data);
  Payload bytes = user_payload(k, message.data, message.size);
  sk_buff* made = co_await unix_alloc_skb(k, sk, std::move(bytes), truesize, message.flags, &error);
  HeldSkb skb(k, made);
  if (skb.get() == nullptr) co_return call.result(error);
  if (!unix_scm_to_skb(k, message, skb.get())) co_return call.result(k.error(Rule::no_memory, sk));
  if (!user_has(k, message.data, message.size)) co_return call.result(k.error(Rule::bad_address, sk));
  u64 timeout = sock_sndtimeo(sk, (message.flags & MSG_DONTWAIT) != 0);
  for (;;) {
    sock* found = find_receiver(k, sk, message, &error);
    if (found == nullptr) co_return call.result(error);
    HeldSock other(k, found);
    long room = co_await room_at_receiver(k, sk, found, &timeout);
    if (room < 0) co_return call.result(room);
    if (room == 0) {
      deliver(k, found, skb.release());
      break;
    }
    if (message.to == nullptr) co_return call.result(k.error(Rule::unix_peer_gone, sk));
  }
  co_return call.result(static_cast<long>(message.size));
}

MaySleep<long> unix_seqpacket_sendmsg(Kernel& k, struct socket* socket, OutMessage& message) {
  Call call(k, Fn::unix_seqpacket_sendmsg, socket);
  sock* sk = socket->sk;
  if (long error = sock_error(k, sk); error != 0) co_return call.result(error);
  if (sk->common.skc_state != TcpState::ESTABLISHED) co_return call.result(k.error(Rule::send_not_connected, sk));
  message.to = nullptr;
  co_return call.result(co_await unix_dgram_sendmsg(k, socket, message));
}

}  // namespace wakepath::kernel
