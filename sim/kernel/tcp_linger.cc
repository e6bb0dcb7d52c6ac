// Models: close() of a TCP socket with SO_LINGER, Linux 6.18: the way of __fput() (fs/file_table.c) down to
// sk_stream_wait_close() (net/core/stream.c), which sleeps. Left out: that a file whose last reference another way of
// ending drops (dup2(), a message's) may linger, too; in profile 4.19, where task work ends files, they do.

#include "sim/kernel/final_put.hh"
#include "sim/kernel/tcp.hh"
#include "sim/kernel/tcp_close.hh"

namespace wakepath::kernel {

bool lingers(const file* file) {
  if (file->f_op.get() != &socket_file_ops) return false;
  const sock* sk = file->private_data.get().as<struct socket>()->sk;
  return sk != nullptr && sk->sk_prot->close == tcp_close && sock_flag(sk, SOCK_LINGER_BIT) && sk->sk_lingertime != 0;
}

namespace {

MaySleep<> inet_release_and_linger(Kernel& k, struct socket* socket) {
  Call call(k, Fn::inet_release, socket);
  TcpClose tcp(k, socket->sk);
  struct Forget {  // also when the task is killed while it waits
    struct socket* socket;
    ~Forget() { socket->sk = nullptr; }
  } forget{socket};
  co_await tcp.linger();
}

MaySleep<> inet6_release_and_linger(Kernel& k, struct socket* socket) {
  Call call(k, Fn::inet6_release, socket);
  co_await inet_release_and_linger(k, socket);
}

}  // namespace

MaySleep<> __fput_and_linger(Kernel& k, file* file) {
  FinalPut put(k, file);
  auto* socket = file->private_data.get().as<struct socket>();
  Call close(k, Fn::sock_close, file);
  if (socket->ops.get() == &inet6_stream_ops)
    co_await inet6_release_and_linger(k, socket);
  else
    co_await inet_release_and_linger(k, socket);
  socket->file = nullptr;
}

}  // namespace wakepath::kernel
