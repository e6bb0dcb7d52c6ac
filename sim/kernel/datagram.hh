#pragma once

// What the sockets of datagrams share, whatever their family: net/core/datagram.c and the sending part of
// net/core/sock.c, Linux 6.18. What is left out stands at the top of datagram.cc.

#include <string>

#include "sim/kernel/sock_core.hh"

namespace wakepath::kernel {

/// The wait entry of somebody in recv(): sleeps on unless there is something to read or an error.
int receiver_wake_function(Kernel& k, wait_queue_entry* entry, bool sync, poll_t key);

/// Sleeps until `queue` has another last element than `last`, an error comes, or `timeout` passes. 0: look again;
/// otherwise recv() ends with `*error` (0: the end of all data).
MaySleep<int> __skb_wait_for_more_packets(Kernel& k, sock* sk, sk_buff_head* queue, const sk_buff* last, long* error,
                                          u64* timeout);

/// Which events a socket has whose datagrams are in `queue`.
poll_t datagram_events(const sock* sk, const sk_buff_head& queue);
/// The same for poll(): hangs the caller on its wait queue if asked.
poll_t datagram_poll_queue(Kernel& k, struct file* file, struct socket* socket, poll_table* table,
                           const sk_buff_head& queue);

/// Room to send: half of the send buffer is free.
bool sock_writeable(const sock* sk);
/// A buffer charged to the sender, or nullptr with `*error`. Never sleeps: on loopback nothing stays with the sender.
sk_buff* sock_alloc_send_pskb(Kernel& k, sock* sk, Payload payload, u32 truesize, long* error);
/// The destructor of such a buffer: its memory is free again, and whoever waits for room hears of it.
void sock_wfree(Kernel& k, sk_buff* skb);
/// Takes the buffer from its owner.
void skb_orphan(Kernel& k, sk_buff* skb);

void __skb_queue_tail(sk_buff_head& queue, sk_buff* skb);
/// The first, taken off, or nullptr.
sk_buff* __skb_dequeue(sk_buff_head& queue);
/// All of `from` to the end of `to`.
void skb_queue_splice_tail_init(sk_buff_head& from, sk_buff_head& to);

}  // namespace wakepath::kernel
