#pragma once

// Models: net/socket.c (sockfs, the socket's file, the socket system calls' upper half) and include/linux/net.h, as of
// Linux 6.18.
// Left out: security hooks, the dentry of the file, fasync; none has a visible effect here.

#include <netinet/in.h>

#include "sim/kernel/epoll.hh"

namespace wakepath::kernel {

struct sock;
struct socket;

/// include/linux/net.h. Where everyone sleeps who waits for the socket: epoll entries, recv(), accept().
struct socket_wq {
  wait_queue_head wait;
  static void describe(record::KindBuilder<socket_wq>& b);
};

/// An address as the model passes it; network details (byte order) stay at the border of the system calls.
struct Address {
  u32 ip = 0;  ///< Host byte order.
  u16 port = 0;
  friend bool operator==(const Address&, const Address&) = default;
};

/// Whose name getname() gives; kAccepted is accept()'s question, which a connection that is over answers too.
enum class NameOf { kOwn, kPeer, kAccepted };

/// struct proto_ops: how the socket layer reaches the protocol family.
struct proto_ops {
  long (*bind)(Kernel&, socket*, Address);
  MaySleep<long> (*connect)(Kernel&, socket*, Address, int flags);
  MaySleep<long> (*accept)(Kernel&, socket*, socket* newsock, int flags);
  long (*getname)(Kernel&, socket*, Address*, NameOf);
  poll_t (*poll)(Kernel&, struct file*, socket*, poll_table*);
  long (*listen)(Kernel&, socket*, int backlog);
  long (*shutdown)(Kernel&, socket*, int how);
  MaySleep<long> (*sendmsg)(Kernel&, socket*, const char* data, std::size_t size, int flags);
  MaySleep<long> (*recvmsg)(Kernel&, socket*, char* buffer, std::size_t size, int flags);
  void (*release)(Kernel&, socket*);
};

/// The BSD socket: what a descriptor's file leads to. Its protocol half is `sk`.
struct socket {
  record::Field<SocketState> state;
  record::Field<short> type;
  record::Ptr<struct file> file;
  record::Ptr<sock> sk;
  record::Field<const proto_ops*> ops;
  socket_wq wq;

  static void describe(record::KindBuilder<socket>& b);
};

/// One slab object of sockfs: the socket and its inode, side by side.
struct socket_alloc {
  struct socket socket;
  struct inode vfs_inode;

  static void describe(record::KindBuilder<socket_alloc>& b);
};

extern const file_operations socket_file_ops;
extern const proto_ops inet_stream_ops;

/// The socket of a descriptor's file, or nullptr with `error` -EBADF or -ENOTSOCK.
socket* sock_from_fd(Kernel& k, const HeldFile& held, long* error);
/// A new socket with its inode; its file comes later.
socket* sock_alloc(Kernel& k);
/// The protocol half of a new AF_INET stream socket.
long inet_create(Kernel& k, socket* sock);
/// Gives the socket its file and a descriptor. On failure the socket is released. Returns the descriptor or an error.
long sock_map_fd(Kernel& k, socket* sock, int flags);
void sock_release(Kernel& k, socket* sock);

long __sys_socket(Kernel& k, int family, int type, int protocol);
long __sys_bind(Kernel& k, int fd, Address address);
long __sys_listen(Kernel& k, int fd, int backlog);
MaySleep<long> __sys_accept4(Kernel& k, int fd, Address* peer, int flags);
MaySleep<long> __sys_connect(Kernel& k, int fd, Address address);
MaySleep<long> __sys_sendto(Kernel& k, int fd, const char* data, std::size_t size, int flags);
MaySleep<long> __sys_recvfrom(Kernel& k, int fd, char* buffer, std::size_t size, int flags);
long __sys_shutdown(Kernel& k, int fd, int how);
long __sys_getname(Kernel& k, int fd, Address* out, NameOf whose);
/// SOL_SOCKET and IPPROTO_TCP options that the spine needs; others -ENOPROTOOPT.
long __sys_setsockopt(Kernel& k, int fd, int level, int option, int value, int second);
long __sys_getsockopt(Kernel& k, int fd, int level, int option, int* value);

}  // namespace wakepath::kernel
