// Models: of net/unix/af_unix.c (Linux 6.18) what a sender does whose peer's queue is full: it waits there, or polls
// for room, and its entry on the peer's queue hands the wake-up on. What is left out stands at the top of unix_sock.hh.

#include "sim/kernel/kernel.hh"
#include "sim/kernel/unix_sock.hh"

namespace wakepath::kernel {

/// Room for one whose datagram peer was full: hands the wake-up on to whoever polls that one.
int unix_dgram_peer_wake_relay(Kernel& k, wait_queue_entry* entry, bool, poll_t key) {
  auto* u = container_of(entry, &unix_sock::peer_wake);
  Call call(k, Fn::unix_dgram_peer_wake_relay, as_sock(u));
  unlink_wait_entry(entry);
  u->peer_wake_private = nullptr;
  if (u->sk.sk_wq != nullptr) __wake_up(k, u->sk.sk_wq->wait, key);
  return call.result(0);
}

void unix_dgram_peer_wake_disconnect(Kernel&, sock* sk, sock* other) {
  unix_sock* u = unix_sk(sk);
  if (u->peer_wake_private != other) return;
  unlink_wait_entry(&u->peer_wake);
  u->peer_wake_private = nullptr;
}

void unix_dgram_peer_wake_disconnect_wakeup(Kernel& k, sock* sk, sock* other) {
  unix_dgram_peer_wake_disconnect(k, sk, other);
  if (sk->sk_wq != nullptr) __wake_up(k, sk->sk_wq->wait, POLL_NONE | (EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND));
}

bool unix_dgram_peer_wake_me(Kernel& k, sock* sk, sock* other) {
  Call call(k, Fn::unix_dgram_peer_wake_me, sk);
  unix_sock* u = unix_sk(sk);
  bool connected = u->peer_wake_private == nullptr;
  if (connected) {
    u->peer_wake_private = other;
    unix_sk(other)->peer_wq.wait.head.push_front(&u->peer_wake);
  }
  if (unix_recvq_full(other) && !sock_flag(other, SOCK_DEAD_BIT)) return call.result(true);
  if (connected) unix_dgram_peer_wake_disconnect(k, sk, other);
  return call.result(false);
}

void unix_dgram_disconnected(Kernel& k, sock* sk, sock* other) {
  if (sk->sk_receive_queue.list.empty()) return;
  while (sk_buff* skb = __skb_dequeue(sk->sk_receive_queue)) kfree_skb(k, skb);
  unix_wake_peers(k, sk);
  if (!sock_flag(other, SOCK_DEAD_BIT) && unix_peer(other) == sk) {
    other->sk_err = ECONNRESET;
    sk_error_report(k, other);
  }
}

MaySleep<u64> unix_wait_for_peer(Kernel& k, sock* other, u64 timeout) {
  Call call(k, Fn::unix_wait_for_peer, other);
  HeldSock held(k, other);  // before the entry: it is unlinked first
  co_await k.scheduler.preempt();
  StackWaitEntry wait(k, autoremove_wake_function);
  prepare_to_wait_exclusive(k, unix_sk(other)->peer_wq.wait, wait);
  bool sleeps = !sock_flag(other, SOCK_DEAD_BIT) && (other->sk_shutdown & RCV_SHUTDOWN) == 0 && unix_recvq_full(other);
  if (sleeps || k.mutant(Mutant::no_second_look)) {
    k.rule(Rule::unix_peer_full_waits, other);
    timeout = co_await schedule_timeout(k, timeout);
  }
  finish_wait(k, wait);
  co_return timeout;
}

}  // namespace wakepath::kernel
