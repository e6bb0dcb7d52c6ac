#pragma once

// Models: include/net/af_unix.h and net/unix/af_unix.c, garbage.c of Linux 6.18: sockets of one machine (stream, dgram,
// seqpacket), with names in the abstract space, and descriptors on their way inside messages.
// Left out: names in the file system, credentials (SCM_CREDENTIALS, SO_PEERCRED), SO_PEEK_OFF; no call of the model can
// ask for them.

#include "sim/kernel/datagram.hh"

namespace wakepath::kernel {

struct unix_sock;

/// A socket's name; accepted sockets share that of their listener.
struct unix_address {
  record::Field<int> refcnt;
  record::Field<record::Text> name;  ///< `@NAME`

  std::string path;  ///< sun_path: a zero byte and the name.
  static void describe(record::KindBuilder<unix_address>& b);
};

/// One place of scm_fp_list.fp[]: a file on its way.
struct scm_fp {
  record::Ptr<struct file> file;
  record::ListNode<scm_fp> node;
  static void describe(record::KindBuilder<scm_fp>& b);
};

/// include/net/scm.h: the files that travel with one message. Each holds a reference.
struct scm_fp_list {
  record::Field<int> count;
  record::Field<int> count_unix;  ///< How many of them are sockets of AF_UNIX.
  record::List<scm_fp, &scm_fp::node> fp;

  sock* receiver = nullptr;  ///< In whose queue it waits.
  static void describe(record::KindBuilder<scm_fp_list>& b);
};

struct unix_sock {
  sock sk;
  record::Ptr<unix_address> addr;
  record::Ptr<sock> peer;
  record::Ptr<sock> listener;   ///< Of a connection that nobody has accepted yet. Left as it is when the listener ends.
  record::Field<int> inflight;  ///< How often its own file is on its way in a message: the edges of its vertex.
  socket_wq peer_wq;            ///< peer_wait: who waits for room in this socket's receive queue.
  wait_queue_entry peer_wake;   ///< This socket's own place on its peer's peer_wait, for poll().
  record::Ptr<sock> peer_wake_private;
  record::Field<int> inq_len;    ///< Bytes to be read; skipped urgent ones stay counted, as in Linux.
  record::Ptr<sk_buff> oob_skb;  ///< The urgent byte that came last, in sk_receive_queue: a buffer of its own.
  int held = 0;                  ///< How many references are those of calls that run or sleep (HeldSock).

  static void describe(record::KindBuilder<unix_sock>& b);
};

inline unix_sock* unix_sk(sock* sk) { return reinterpret_cast<unix_sock*>(sk); }
inline const unix_sock* unix_sk(const sock* sk) { return reinterpret_cast<const unix_sock*>(sk); }
inline sock* as_sock(unix_sock* u) { return &u->sk; }
inline sock* unix_peer(sock* sk) { return unix_sk(sk)->peer; }

extern const net_proto_family unix_family_ops;
extern const proto_ops unix_stream_ops;
extern const proto_ops unix_dgram_ops;
extern const proto_ops unix_seqpacket_ops;
extern const proto unix_stream_proto;
extern const proto unix_dgram_proto;

/// A reference to a sock over a sleep: given back also when the sleeper is killed.
class HeldSock {
 public:
  HeldSock(Kernel& k, sock* sk) : k_(k), sk_(sk) {
    if (sk_ == nullptr) return;
    sock_hold(sk_);
    ++unix_sk(sk_)->held;
  }
  ~HeldSock() {
    if (sk_ == nullptr) return;
    --unix_sk(sk_)->held;
    sock_put(k_, sk_);
  }
  HeldSock(const HeldSock&) = delete;
  HeldSock& operator=(const HeldSock&) = delete;
  [[nodiscard]] sock* get() const { return sk_; }

 private:
  Kernel& k_;
  sock* sk_;
};

// --- af_unix.c, what all three types share: unix.cc ---
sock* unix_create1(Kernel& k, struct socket* socket, int type);
void unix_release_sock(Kernel& k, sock* sk, bool embrion);
/// The socket of that type with that name, or nullptr with `*error` -EINVAL (no such address) or -ECONNREFUSED.
sock* unix_find_other(Kernel& k, const Address& address, int type, long* error);
bool unix_recvq_full(const sock* sk);
bool unix_writable(const sock* sk);
/// Which events are there now. Changes nothing; without the room in a datagram peer's queue.
poll_t unix_events(const sock* sk);
/// An address that a call was given: -EINVAL unless it is of AF_UNIX and has a name.
long unix_validate_addr(Kernel& k, const Address& address);
void unix_set_addr(Kernel& k, unix_sock* u, unix_address* addr);
Address unix_address_of(const sock* sk);
/// wake_up_interruptible_all() on peer_wait.
void unix_wake_peers(Kernel& k, sock* sk);
bool unix_may_send(sock* sk, sock* other);

// --- a peer whose queue is full: unix_peer.cc ---
/// Until `other` has room, or dies. What is left of the timeout.
MaySleep<u64> unix_wait_for_peer(Kernel& k, sock* other, u64 timeout);
bool unix_dgram_peer_wake_me(Kernel& k, sock* sk, sock* other);
void unix_dgram_peer_wake_disconnect(Kernel& k, sock* sk, sock* other);
void unix_dgram_peer_wake_disconnect_wakeup(Kernel& k, sock* sk, sock* other);
void unix_dgram_disconnected(Kernel& k, sock* sk, sock* other);

// --- what recorded pointers hold ---
void unix_write_space(Kernel& k, sock* sk);
int unix_dgram_peer_wake_relay(Kernel& k, wait_queue_entry* entry, bool sync, poll_t key);  // unix_peer.cc
void unix_destruct_scm(Kernel& k, sk_buff* skb);

// --- unix_connect.cc ---
MaySleep<long> unix_stream_connect(Kernel& k, struct socket* socket, const Address& address, int flags);
MaySleep<long> unix_dgram_connect(Kernel& k, struct socket* socket, const Address& address, int flags);
MaySleep<long> unix_accept(Kernel& k, struct socket* socket, struct socket* newsock, int flags);
long unix_socketpair(Kernel& k, struct socket* one, struct socket* other);

// --- unix_send.cc, unix_recv.cc ---
MaySleep<long> unix_stream_sendmsg(Kernel& k, struct socket* socket, OutMessage& message);
MaySleep<long> unix_dgram_sendmsg(Kernel& k, struct socket* socket, OutMessage& message);
MaySleep<long> unix_seqpacket_sendmsg(Kernel& k, struct socket* socket, OutMessage& message);
MaySleep<long> unix_stream_recvmsg(Kernel& k, struct socket* socket, InMessage& message);
MaySleep<long> unix_dgram_recvmsg(Kernel& k, struct socket* socket, InMessage& message);
MaySleep<long> unix_seqpacket_recvmsg(Kernel& k, struct socket* socket, InMessage& message);

// --- urgent data of streams: unix_oob.cc ---
/// Nothing of the buffer is left to read: an urgent byte that was read stays on the queue as the mark.
bool unix_skb_spent(const sk_buff* skb);
/// What a read that stands at `skb` may go on with; nullptr: nothing. `copied`: what the call has so far.
sk_buff* manage_oob(Kernel& k, sock* sk, sk_buff* skb, int flags, std::size_t copied);
/// recv() with MSG_OOB.
long unix_stream_recv_urg(Kernel& k, sock* sk, InMessage& message);
/// SIOCATMARK: does the next read begin at the mark?
bool unix_at_mark(const sock* sk);

// --- net/core/scm.c, net/unix/garbage.c: unix_scm.cc ---
/// Binds the message's files to the buffer and makes unix_destruct_scm its destructor. Takes them out of the message.
/// False: no memory, and the message keeps them.
bool unix_scm_to_skb(Kernel& k, OutMessage& message, sk_buff* skb);
/// Notes where the buffer's files wait; before it joins the receiver's queue.
void unix_add_edges(Kernel& k, sk_buff* skb, sock* receiver);
/// The receiver takes the files (a peek: copies of the references). Without room for them they are closed and
/// MSG_CTRUNC is set.
void scm_recv_unix(Kernel& k, sk_buff* skb, InMessage& message, bool peek);
/// Frees sockets that only messages in queues of such sockets refer to.
void unix_schedule_gc(Kernel& k);
void unix_gc(Kernel& k);

}  // namespace wakepath::kernel
