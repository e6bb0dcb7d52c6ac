// Models: close() of a TCP socket with SO_LINGER, Linux 6.18: the way of __fput() (fs/file_table.c) down to
// sk_stream_wait_close() (net/core/stream.c), which sleeps. Left out: that a file whose last reference another way of
// ending drops (dup2(), a message's) may linger, too.

#include "sim/kernel/final_put.hh"
#include "sim/kernel/tcp.hh"
#include "sim/kernel/tcp_close.hh"

namespace wakepath::kernel {

bool lingers(const file* file) {
  if (file->f_op.get() != &socket_file_ops) return false;
  const sock* sk = file->private_data.get().as<struct socket>()->sk;
  return sk != nullptr && sk->sk_prot->close == tcp_close && sock_flag(sk, SOCK_LINGER_BIT) && sk->linger_s > 0;
}

MaySleep<> __fput_and_linger(Kernel& k, file* file) {
  FinalPut put(k, file);
  auto* socket = file->private_data.get().as<struct socket>();
  Call close(k, Fn::sock_close, file);
  {
    Call release(k, Fn::inet_release, socket);
    sock* sk = socket->sk;
    socket->sk = nullptr;
    TcpClose tcp(k, sk);
    co_await tcp.linger();
  }
  socket->file = nullptr;
}

}  // namespace wakepath::kernel
