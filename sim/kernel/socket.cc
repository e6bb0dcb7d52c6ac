#include "sim/kernel/socket.hh"

#include <sys/un.h>

#include <utility>

#include "sim/kernel/kernel.hh"
#include "sim/kernel/uaccess.hh"

namespace wakepath::kernel {

Address no_address;

namespace {

struct socket* socket_of(file* file) {
  return file->private_data.get().as<struct socket>();
}

int nonblock_flag(const file* file) { return (file->f_flags & O_NONBLOCK) != 0 ? O_NONBLOCK : 0; }

MaySleep<long> sock_read_iter(Kernel& k, file* file, void* buffer, std::size_t size) {
  Call call(k, Fn::sock_read_iter, file);
  struct socket* socket = socket_of(file);
  if (size == 0) co_return call.result(0);
  int flags = nonblock_flag(file) != 0 ? MSG_DONTWAIT : 0;
  InMessage message{static_cast<char*>(buffer), size, flags};
  co_return call.result(co_await socket->ops->recvmsg(k, socket, message));
}

MaySleep<long> sock_write_iter(Kernel& k, file* file, const void* data, std::size_t size) {
  Call call(k, Fn::sock_write_iter, file);
  struct socket* socket = socket_of(file);
  int flags = nonblock_flag(file) != 0 ? MSG_DONTWAIT : 0;
  OutMessage message{static_cast<const char*>(data), size, flags};
  co_return call.result(co_await socket->ops->sendmsg(k, socket, message));
}

poll_t sock_poll(Kernel& k, file* file, poll_table* table) {
  Call call(k, Fn::sock_poll, file);
  struct socket* socket = socket_of(file);
  return call.result(socket->ops->poll(k, file, socket, table));
}

void sock_close(Kernel& k, file* file) {
  Call call(k, Fn::sock_close, file);
  sock_release(k, socket_of(file));
}

long sock_ioctl(Kernel& k, file* file, unsigned command, int* argument) {
  Call call(k, Fn::sock_ioctl, file);
  struct socket* socket = socket_of(file);
  if (socket->ops->ioctl == nullptr) return call.result(k.error(Rule::ioctl_unknown, socket));
  return call.result(socket->ops->ioctl(k, socket, command, argument));
}

}  // namespace

const file_operations socket_file_ops = {sock_read_iter, sock_write_iter, sock_poll, sock_close, sock_ioctl};

std::size_t sockaddr_size(const Address& address) {
  switch (address.family) {
    case AF_INET6:
      return sizeof(sockaddr_in6);
    case AF_UNIX:
      return offsetof(sockaddr_un, sun_path) + address.path.size();
    default:
      return sizeof(sockaddr_in);
  }
}

struct socket* sock_from_fd(Kernel& k, const HeldFile& held, long* error) {
  *error = 0;
  if (!held)
    *error = k.error(Rule::fd_not_open, nullptr);
  else if (held.get()->f_op.get() != &socket_file_ops)
    *error = k.error(Rule::fd_not_a_socket, held.get());
  return *error == 0 ? socket_of(held.get()) : nullptr;
}

namespace {

/// sock_register(): the families that there are.
const net_proto_family* const net_families[] = {&inet_family_ops, &inet6_family_ops, &unix_family_ops};

long __sock_create(Kernel& k, int family, int type, int protocol, struct socket** out) {
  Call call(k, Fn::__sock_create, nullptr);
  if (family < 0 || family >= AF_MAX) return call.result(k.error(Rule::socket_unknown_family, nullptr));
  if (type < 0 || type >= 11) return call.result(k.error(Rule::socket_unknown_type, nullptr));  // SOCK_MAX
  for (const net_proto_family* known : net_families) {
    if (known->family != family) continue;
    struct socket* socket = sock_alloc(k);
    if (socket == nullptr) return call.result(k.error(Rule::no_socket_inode, nullptr));
    socket->type = static_cast<short>(type);
    long error = known->create(k, socket, protocol);
    if (error < 0) {
      socket->ops = nullptr;
      sock_release(k, socket);
    } else {
      *out = socket;
    }
    return call.result(error);
  }
  return call.result(k.error(Rule::socket_unknown_family, nullptr));
}

}  // namespace

long __sys_socket(Kernel& k, int family, int type, int protocol) {
  Call call(k, Fn::__sys_socket, nullptr);
  int flags = type & ~0xf;
  if ((flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK)) != 0) return call.result(k.error(Rule::socket_unknown_flags, nullptr));
  type &= 0xf;
  struct socket* socket = nullptr;
  if (long error = __sock_create(k, family, type, protocol, &socket); error < 0) return call.result(error);
  return call.result(sock_map_fd(k, socket, flags));
}

long __sys_socketpair(Kernel& k, int family, int type, int protocol, int fds[2]) {
  Call call(k, Fn::__sys_socketpair, nullptr);
  int flags = type & ~0xf;
  if ((flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK)) != 0) return call.result(k.error(Rule::socket_unknown_flags, nullptr));
  type &= 0xf;
  ReservedFd one(k, (flags & O_CLOEXEC) != 0);
  if (one.fd() < 0) return call.result(one.fd());
  ReservedFd other(k, (flags & O_CLOEXEC) != 0);
  if (other.fd() < 0) return call.result(other.fd());
  if (fds == nullptr) return call.result(k.error(Rule::bad_address, nullptr));  // before there are sockets
  struct socket* sock1 = nullptr;
  struct socket* sock2 = nullptr;
  if (long error = __sock_create(k, family, type, protocol, &sock1); error < 0) return call.result(error);
  long error = __sock_create(k, family, type, protocol, &sock2);
  if (error == 0)
    error = sock1->ops->socketpair != nullptr ? sock1->ops->socketpair(k, sock1, sock2)
                                              : k.error(Rule::socketpair_not_in_family, sock1);
  if (error < 0) {
    if (sock2 != nullptr) sock_release(k, sock2);
    sock_release(k, sock1);
    return call.result(error);
  }
  file* file1 = sock_alloc_file(k, sock1, flags, sock1->sk->sk_prot->name);
  if (file1 == nullptr) {
    sock_release(k, sock2);
    return call.result(k.error(why_no_file(k), nullptr));
  }
  file* file2 = sock_alloc_file(k, sock2, flags, sock2->sk->sk_prot->name);
  if (file2 == nullptr) {
    Rule why = why_no_file(k);
    fput(k, file1);
    return call.result(k.error(why, nullptr));
  }
  fds[0] = one.install(file1);
  fds[1] = other.install(file2);
  return call.result(0);
}

long __sys_bind(Kernel& k, int fd, const Address& address) {
  Call call(k, Fn::__sys_bind, nullptr);
  HeldFile held(k, fd);
  long error = 0;
  struct socket* socket = sock_from_fd(k, held, &error);
  if (error != 0) return call.result(error);
  return call.result(&address == &no_address ? k.error(Rule::bad_address, socket)
                                             : socket->ops->bind(k, socket, address));
}

long __sys_listen(Kernel& k, int fd, int backlog) {
  Call call(k, Fn::__sys_listen, nullptr);
  HeldFile held(k, fd);
  long error = 0;
  struct socket* socket = sock_from_fd(k, held, &error);
  if (error != 0) return call.result(error);
  if (static_cast<u32>(backlog) > k.config.somaxconn) backlog = static_cast<int>(k.config.somaxconn);
  return call.result(socket->ops->listen(k, socket, backlog));
}

namespace {

/// The file of a connection that is still to come: closed again when none does, also when the sleeper is killed.
struct NewFile {
  Kernel& k;
  file* made;
  ~NewFile() {
    if (made != nullptr) fput(k, made);
  }
};

struct socket* new_socket_like(Kernel& k, const struct socket* listener) {
  struct socket* newsock = sock_alloc(k);
  if (newsock == nullptr) return nullptr;
  newsock->type = listener->type;
  newsock->ops = listener->ops;
  return newsock;
}

/// The file of the new connection is made before it is taken from the accept queue.
MaySleep<long> take_connection(Kernel& k, file* listening, struct socket* socket, struct socket* newsock, Address* peer,
                               int flags, file** out) {
  if (k.mutant(Mutant::accepted_inherits_nonblock)) flags |= nonblock_flag(listening);
  NewFile newfile{k, sock_alloc_file(k, newsock, flags, socket->sk->sk_prot->name)};
  if (newfile.made == nullptr) co_return k.error(why_no_file(k), socket);
  long error = co_await socket->ops->accept(k, socket, newsock, nonblock_flag(listening));
  if (error < 0) co_return error;
  if (peer == &no_address) co_return k.error(Rule::bad_address_loses, socket);
  if (peer != nullptr) socket->ops->getname(k, newsock, peer, NameOf::kAccepted);
  *out = std::exchange(newfile.made, nullptr);
  co_return 0;
}

MaySleep<long> do_accept(Kernel& k, file* listening, struct socket* socket, Address* peer, int flags, file** out) {
  Call call(k, Fn::do_accept, socket);
  struct socket* newsock = new_socket_like(k, socket);
  if (newsock == nullptr) co_return call.result(k.error(Rule::no_socket_inode, socket));
  co_return call.result(co_await take_connection(k, listening, socket, newsock, peer, flags, out));
}

/// As of Linux 4.19: the flags are looked at first, and the new socket is made before its number is taken.
MaySleep<long> accept4_4_19(Kernel& k, int fd, Address* peer, int flags) {
  if ((flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK)) != 0) co_return k.error(Rule::socket_unknown_flags, nullptr);
  HeldFile held(k, fd);
  long error = 0;
  struct socket* socket = sock_from_fd(k, held, &error);
  if (error != 0) co_return error;
  struct socket* newsock = new_socket_like(k, socket);
  if (newsock == nullptr) co_return k.error(Rule::no_socket_inode, socket);
  ReservedFd newfd(k, (flags & O_CLOEXEC) != 0);
  if (newfd.fd() < 0) {
    sock_release(k, newsock);
    co_return newfd.fd();
  }
  file* newfile = nullptr;
  error = co_await take_connection(k, held.get(), socket, newsock, peer, flags, &newfile);
  co_return error < 0 ? error : newfd.install(newfile);
}

}  // namespace

MaySleep<long> __sys_accept4(Kernel& k, int fd, Address* peer, int flags) {
  Call call(k, Fn::__sys_accept4, nullptr);
  if (k.linux_4_19()) co_return call.result(co_await accept4_4_19(k, fd, peer, flags));
  HeldFile held(k, fd);
  if (!held) co_return call.result(k.error(Rule::fd_not_open, nullptr));
  if ((flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK)) != 0)
    co_return call.result(k.error(Rule::socket_unknown_flags, nullptr));
  ReservedFd newfd(k, (flags & O_CLOEXEC) != 0);
  if (newfd.fd() < 0) co_return call.result(newfd.fd());
  long error = 0;
  struct socket* socket = sock_from_fd(k, held, &error);
  if (error != 0) co_return call.result(error);
  file* newfile = nullptr;
  error = co_await do_accept(k, held.get(), socket, peer, flags, &newfile);
  if (error < 0) co_return call.result(error);
  co_return call.result(newfd.install(newfile));
}

MaySleep<long> __sys_connect(Kernel& k, int fd, const Address& address) {
  Call call(k, Fn::__sys_connect, nullptr);
  HeldFile held(k, fd);
  // the address is read before anybody asks whether this is a socket
  if (&address == &no_address && held) co_return call.result(k.error(Rule::bad_address, held.get()));
  long error = 0;
  struct socket* socket = sock_from_fd(k, held, &error);
  if (error != 0) co_return call.result(error);
  co_return call.result(co_await socket->ops->connect(k, socket, address, nonblock_flag(held.get())));
}

MaySleep<long> __sys_sendto(Kernel& k, int fd, OutMessage& message) {
  Call call(k, Fn::__sys_sendto, nullptr);
  if (!access_ok(message.data)) co_return call.result(k.error(Rule::bad_address, nullptr));
  HeldFile held(k, fd);
  long error = 0;
  struct socket* socket = sock_from_fd(k, held, &error);
  if (error != 0) co_return call.result(error);
  if (message.to == &no_address) co_return call.result(k.error(Rule::bad_address, socket));
  if (nonblock_flag(held.get()) != 0) message.flags |= MSG_DONTWAIT;
  co_return call.result(co_await socket->ops->sendmsg(k, socket, message));
}

MaySleep<long> __sys_recvfrom(Kernel& k, int fd, InMessage& message) {
  Call call(k, Fn::__sys_recvfrom, nullptr);
  if (!access_ok(message.buffer)) co_return call.result(k.error(Rule::bad_address, nullptr));
  HeldFile held(k, fd);
  long error = 0;
  struct socket* socket = sock_from_fd(k, held, &error);
  if (error != 0) co_return call.result(error);
  if (nonblock_flag(held.get()) != 0) message.flags |= MSG_DONTWAIT;
  Call receive(k, Fn::sock_recvmsg, socket);
  co_return call.result(co_await socket->ops->recvmsg(k, socket, message));
}

long __sys_shutdown(Kernel& k, int fd, int how) {
  Call call(k, Fn::__sys_shutdown, nullptr);
  HeldFile held(k, fd);
  long error = 0;
  struct socket* socket = sock_from_fd(k, held, &error);
  return call.result(error != 0 ? error : socket->ops->shutdown(k, socket, how));
}

long __sys_getname(Kernel& k, int fd, Address* out, NameOf whose) {
  HeldFile held(k, fd);
  long error = 0;
  struct socket* socket = sock_from_fd(k, held, &error);
  if (error != 0) return error;
  if (out != &no_address) return socket->ops->getname(k, socket, out, whose);
  Address nobodys;
  error = socket->ops->getname(k, socket, &nobodys, whose);
  return error != 0 ? error : k.error(Rule::bad_address, socket);
}

long __sys_setsockopt(Kernel& k, int fd, int level, int option, OptionValue value) {
  Call call(k, Fn::__sys_setsockopt, nullptr);
  HeldFile held(k, fd);
  long error = 0;
  struct socket* socket = sock_from_fd(k, held, &error);
  if (error != 0) return call.result(error);
  return call.result(level == SOL_SOCKET ? sk_setsockopt(k, socket, option, value)
                                         : socket->ops->setsockopt(k, socket, level, option, value));
}

long __sys_getsockopt(Kernel& k, int fd, int level, int option, std::vector<int>* value) {
  Call call(k, Fn::__sys_getsockopt, nullptr);
  HeldFile held(k, fd);
  long error = 0;
  struct socket* socket = sock_from_fd(k, held, &error);
  if (error != 0) return call.result(error);
  return call.result(level == SOL_SOCKET ? sk_getsockopt(k, socket, option, value)
                                         : socket->ops->getsockopt(k, socket, level, option, value));
}

}  // namespace wakepath::kernel
