#pragma once

// Models: net/socket.c (sockfs, the socket's file, the socket system calls' upper half) and include/linux/net.h, as of
// Linux 6.18.
// Left out: security hooks, fasync; none has a visible effect here.

#include <netinet/in.h>

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sim/kernel/epoll.hh"

namespace wakepath::kernel {

struct sock;
struct socket;

/// include/linux/net.h. Where everyone sleeps who waits for the socket: epoll entries, recv(), accept().
struct socket_wq {
  wait_queue_head wait;
  static void describe(record::KindBuilder<socket_wq>& b);
};

/// An address as the model passes it; network details (byte order, sockaddr) stay at the border of the system calls.
struct Address {
  u32 ip = 0;  ///< AF_INET, in host byte order.
  u16 port = 0;
  int family = AF_INET;
  std::array<u8, 16> ip6{};  ///< AF_INET6
  std::string path;          ///< AF_UNIX: sun_path; an abstract name begins with a zero byte, empty: unnamed.
  friend bool operator==(const Address&, const Address&) = default;
};

/// addrlen of such an address: what a caller of bind() or connect() says. Less than the family's own is -EINVAL.
[[nodiscard]] std::size_t sockaddr_size(const Address& address);

/// Stands, by its own address, for one that a call names and that is not in the caller's memory. Never written.
extern Address no_address;

/// struct msghdr on its way down: what a caller sends.
struct OutMessage {
  const char* data = nullptr;
  std::size_t size = 0;
  int flags = 0;
  const Address* to = nullptr;  ///< nullptr: where the socket is connected to; &no_address.
  std::vector<file*> rights{};  ///< SCM_RIGHTS, each with a reference that the message owns until it is taken.
};
/// struct msghdr on its way up: room for what a caller receives, and what came beside the data.
struct InMessage {
  char* buffer = nullptr;
  std::size_t size = 0;
  int flags = 0;
  std::optional<Address> from{};  ///< Set when the protocol says who sent it.
  int out_flags = 0;              ///< msg_flags: MSG_TRUNC, MSG_CTRUNC.
  bool takes_rights = false;      ///< recvmsg() with room for ancillary data.
  std::vector<file*> rights{};    ///< SCM_RIGHTS received; the references are the caller's.
};
/// The value of a socket option as ints, in the order of its structure (linger: onoff, seconds; timeval: s, us).
using OptionValue = std::span<const int>;
/// Values that are not there: the first at NULL, the second outside user space.
inline constexpr std::array<int, 2> kNoOption{};
inline OptionValue null_option() { return {kNoOption.data(), 1}; }
inline OptionValue outside_option() { return {kNoOption.data() + 1, 1}; }
inline bool is_there(OptionValue value) {
  return value.data() != null_option().data() && value.data() != outside_option().data();
}

/// Whose name getname() gives; kAccepted is accept()'s question, which a connection that is over answers too.
enum class NameOf { kOwn, kPeer, kAccepted };

/// struct proto_ops: how the socket layer reaches the protocol family.
struct proto_ops {
  long (*bind)(Kernel&, socket*, const Address&);
  MaySleep<long> (*connect)(Kernel&, socket*, const Address&, int flags);
  MaySleep<long> (*accept)(Kernel&, socket*, socket* newsock, int flags);
  long (*getname)(Kernel&, socket*, Address*, NameOf);
  poll_t (*poll)(Kernel&, struct file*, socket*, poll_table*);
  long (*listen)(Kernel&, socket*, int backlog);
  long (*shutdown)(Kernel&, socket*, int how);
  /// Levels other than SOL_SOCKET.
  long (*setsockopt)(Kernel&, socket*, int level, int option, OptionValue value);
  long (*getsockopt)(Kernel&, socket*, int level, int option, std::vector<int>* value);
  MaySleep<long> (*sendmsg)(Kernel&, socket*, OutMessage&);
  MaySleep<long> (*recvmsg)(Kernel&, socket*, InMessage&);
  void (*release)(Kernel&, socket*);
  long (*ioctl)(Kernel&, socket*, unsigned command, int* argument) = nullptr;
  long (*socketpair)(Kernel&, socket*, socket*) = nullptr;  ///< nullptr: -EOPNOTSUPP.
};

/// The BSD socket: what a descriptor's file leads to. Its protocol half is `sk`.
struct socket {
  record::Field<SocketState> state;
  record::Field<short> type;
  record::Ptr<struct file> file;
  record::Ptr<sock> sk;
  record::Field<const proto_ops*> ops;
  socket_wq wq_inside;              ///< Linux 6.18: `wq` is part of the socket.
  record::Ptr<socket_wq> wq_apart;  ///< Linux 4.19: `wq` points to an object of its own.
  /// Where everyone sleeps who waits for the socket; sk->sk_wq leads there too.
  [[nodiscard]] socket_wq& wq() { return wq_apart != nullptr ? *wq_apart : wq_inside; }
  [[nodiscard]] const socket_wq& wq() const { return wq_apart != nullptr ? *wq_apart : wq_inside; }

  static void describe(record::KindBuilder<socket>& b);
};

/// One slab object of sockfs: the socket and its inode, side by side.
struct socket_alloc {
  struct socket socket;
  struct inode vfs_inode;

  static void describe(record::KindBuilder<socket_alloc>& b);
};

extern const file_operations socket_file_ops;
// sockfs
extern const super_operations sockfs_ops;
extern const super_operations sockfs_ops_4_19;  ///< as Linux 4.19 has them
extern const dentry_operations sockfs_dentry_operations;
extern const file_system_type sock_fs_type_4_19;
inode* sock_alloc_inode(Kernel& k);
void sock_free_inode(Kernel& k, inode* inode);
void sock_destroy_inode(Kernel& k, inode* inode);
std::string sockfs_dname(const Kernel& k, const dentry* dentry);
extern const proto_ops inet_stream_ops;
extern const proto_ops inet_dgram_ops;
extern const proto_ops inet6_stream_ops;
extern const proto_ops inet6_dgram_ops;

/// The socket of a descriptor's file, or nullptr with `error` -EBADF or -ENOTSOCK.
socket* sock_from_fd(Kernel& k, const HeldFile& held, long* error);
/// A new socket with its inode; its file comes later. nullptr: no memory.
socket* sock_alloc(Kernel& k);
/// struct net_proto_family: who makes the protocol half of a new socket of a family.
struct net_proto_family {
  int family;
  /// Sets ops and sk; `type` stands in the socket. On an error the socket has no sk.
  long (*create)(Kernel&, socket*, int protocol);
};
extern const net_proto_family inet_family_ops;
extern const net_proto_family inet6_family_ops;
/// Its file. `name`: of the protocol. nullptr: no memory, and the socket is released.
file* sock_alloc_file(Kernel& k, socket* sock, int flags, const char* name);
/// Gives the socket its file and a descriptor. On failure the socket is released. Returns the descriptor or an error.
long sock_map_fd(Kernel& k, socket* sock, int flags);
/// The protocol half goes; the socket itself with its inode: now when it has no file, else with the file's dentry.
void sock_release(Kernel& k, socket* sock);

long __sys_socket(Kernel& k, int family, int type, int protocol);
/// `fds` nullptr: not in the caller's memory, -EFAULT.
long __sys_socketpair(Kernel& k, int family, int type, int protocol, int fds[2]);
// Addresses may be no_address: -EFAULT, in the order of Linux's checks.
long __sys_bind(Kernel& k, int fd, const Address& address);
long __sys_listen(Kernel& k, int fd, int backlog);
MaySleep<long> __sys_accept4(Kernel& k, int fd, Address* peer, int flags);
MaySleep<long> __sys_connect(Kernel& k, int fd, const Address& address);
MaySleep<long> __sys_sendto(Kernel& k, int fd, OutMessage& message);
MaySleep<long> __sys_recvfrom(Kernel& k, int fd, InMessage& message);
// --- socket_message.cc ---
/// `rights`: descriptors to send along. -EBADF when one of them is none, -EINVAL for too many.
MaySleep<long> __sys_sendmsg(Kernel& k, int fd, OutMessage& message, const std::vector<int>& rights);
/// `rights`: the descriptors that came.
MaySleep<long> __sys_recvmsg(Kernel& k, int fd, InMessage& message, std::vector<int>* rights);
long __sys_shutdown(Kernel& k, int fd, int how);
long __sys_getname(Kernel& k, int fd, Address* out, NameOf whose);
/// -EINVAL when the value is too short, -EFAULT when it is not there, -ENOPROTOOPT for options that are not modelled.
long __sys_setsockopt(Kernel& k, int fd, int level, int option, OptionValue value);
/// `value` nullptr, here and below it: the length of the value is not in the caller's memory, -EFAULT.
long __sys_getsockopt(Kernel& k, int fd, int level, int option, std::vector<int>* value);
// --- sockopt.cc: SOL_SOCKET ---
long sk_setsockopt(Kernel& k, socket* sock, int option, OptionValue value);
long sk_getsockopt(Kernel& k, socket* sock, int option, std::vector<int>* value);

}  // namespace wakepath::kernel
