#pragma once

// What every protocol's sock shares: net/core/sock.c, stream.c and skbuff.c of Linux 6.18. What is left out stands at
// the top of sock_core.cc.

#include <string>
#include <string_view>

#include "sim/kernel/sock.hh"

namespace wakepath::kernel {

/// struct proto: how the socket half reaches the protocol. Members may be nullptr where a protocol has none.
struct proto {
  const char* name;
  sock* (*slab_alloc)(Kernel&);  ///< A zeroed object of the protocol's own slab.
  void (*slab_free)(Kernel&, sock*);
  int (*init)(Kernel&, sock*);
  void (*close)(Kernel&, sock*);  ///< The last descriptor of it has gone.
  long (*connect)(Kernel&, sock*, const Address&);
  long (*get_port)(Kernel&, sock*, u16 port);
  long (*setsockopt)(Kernel&, sock*, int option, OptionValue value);
  long (*getsockopt)(Kernel&, sock*, int option, std::vector<int>* value);
  MaySleep<long> (*sendmsg)(Kernel&, sock*, OutMessage&);
  MaySleep<long> (*recvmsg)(Kernel&, sock*, InMessage&);
  void (*backlog_rcv)(Kernel&, sock*, sk_buff*);  ///< What waited while a system call owned the socket.
  int protocol = 0;                               ///< IPPROTO_…
  long (*disconnect)(Kernel&, sock*) = nullptr;
  void (*shutdown)(Kernel&, sock*, int how) = nullptr;
  void (*destruct)(Kernel&, sock*) = nullptr;  ///< Before the sock is freed: queues of its own.
  void (*rcvbuf_changed)(sock*) = nullptr;     ///< After SO_RCVBUF.
  bool no_autobind = false;                    ///< send() gives an unbound socket no port.
  long (*ioctl)(Kernel&, sock*, unsigned command, int* argument) = nullptr;
};

/// A sock of the protocol, in TCP_CLOSE, with one reference. nullptr: no memory (callers give ENOBUFS).
sock* sk_alloc(Kernel& k, int family, const proto* prot);
/// What every new sock starts with; the protocol's own init comes after it. `socket` may be nullptr (a child).
void sock_init_data(Kernel& k, struct socket* socket, sock* sk);
/// include/net/sock.h: how long a call may sleep, in ns; kForever: as long as it takes.
inline u64 sock_rcvtimeo(const sock* sk, bool noblock) {
  const u64 ns = sk->sk_rcvtimeo.get().ns;
  return noblock ? 0 : ns != 0 ? ns : kForever;
}
inline u64 sock_sndtimeo(const sock* sk, bool noblock) {
  const u64 ns = sk->sk_sndtimeo.get().ns;
  return noblock ? 0 : ns != 0 ? ns : kForever;
}
void lock_sock(Kernel& k, sock* sk);
void release_sock(Kernel& k, sock* sk);
/// Handles what arrived while the socket was owned.
void __release_sock(Kernel& k, sock* sk);
void sock_hold(sock* sk);
void sock_put(Kernel& k, sock* sk);
/// Gives back everything of a sock that has neither references nor buffers on their way.
void __sk_free(Kernel& k, sock* sk);
void sock_orphan(Kernel& k, sock* sk);
/// sk_err as a negative errno, taken off; 0 when there is none.
long sock_error(Kernel& k, sock* sk);
bool sock_flag(const sock* sk, sock_flags flag);
void sock_def_readable(Kernel& k, sock* sk);
void sock_def_wakeup(Kernel& k, sock* sk);
/// Calls sk->sk_error_report.
void sk_error_report(Kernel& k, sock* sk);
void sock_def_error_report(Kernel& k, sock* sk);
void sk_stream_write_space(Kernel& k, sock* sk);
/// Of datagram and AF_UNIX sockets: tells who waits for room when half of it is free.
void sock_def_write_space(Kernel& k, sock* sk);
bool sk_stream_memory_free(const sock* sk);
bool sk_stream_is_writeable(const sock* sk);
/// Takes a segment off its queue's count and frees it.
void kfree_skb(Kernel& k, sk_buff* skb);
/// `truesize` 0: what Linux charges for a segment of TCP. nullptr: no memory.
sk_buff* alloc_skb(Kernel& k, sock* sk, Payload payload, u32 truesize = 0);
/// As skb_store_bits(), net/core/skbuff.c, for the mirror, which learns bytes later: other bytes from `offset` on. Not
/// beyond its end, and clones keep the bytes that they had.
void skb_store_bits(Kernel& k, sk_buff* skb, std::size_t offset, std::string_view from);
sk_buff* alloc_skb_nofail(Kernel& k, sock* sk, Payload payload, u32 truesize = 0);  ///< With __GFP_NOFAIL.
/// A second header for the same data.
sk_buff* skb_clone(Kernel& k, const sk_buff* skb);
/// Cuts a segment of TCP into pieces of its MSS, which share their data with nobody, and frees it.
std::vector<sk_buff*> skb_segment(Kernel& k, sk_buff* skb);
/// As alloc_skb, for a segment of the write queue.
sk_buff* tcp_stream_alloc_skb(Kernel& k, sock* sk, Payload payload);
/// What a task sends it lays into pages of this size, one behind the other (sk_page_frag()).
constexpr u32 kPageFrag = 32768;
/// Pieces of such pages that the data of a segment on the sender's side consists of.
inline u8 skb_frags(const sk_buff* skb) {
  return skb->len == 0 ? u8{0} : static_cast<u8>(1 + (skb->page_off + skb->len - 1) / kPageFrag);
}
/// More data behind what a segment has.
void skb_append(Kernel& k, sk_buff* skb, std::string_view more);
/// Memory of a TCP socket: room is taken page by page into sk_forward_alloc, what is received and sent is charged
/// against it, and whole pages go back.
bool sk_rmem_schedule(sock* sk, u32 size);
/// As much more (less) in the send queues: sk_wmem_queued. Charging takes the room, too (sk_wmem_schedule()).
void sk_wmem_charge(sock* sk, u32 size);
void sk_wmem_uncharge(sock* sk, u32 size);
/// Of what was received: sk_rmem_alloc.
void sk_mem_charge(sock* sk, u32 size);
void sock_rfree(Kernel& k, sock* sk, u32 size);

}  // namespace wakepath::kernel
