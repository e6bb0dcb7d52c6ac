#pragma once

#include "sim/kernel/kernel.hh"

namespace wakepath::kernel {

/// close() of a TCP socket, from the FIN to the orphan (net/ipv4/tcp.c): tcp_close() makes it and lets it go; a close()
/// that lingers waits in between.
class TcpClose {
 public:
  TcpClose(Kernel& k, sock* sk);
  ~TcpClose();
  TcpClose(const TcpClose&) = delete;
  TcpClose& operator=(const TcpClose&) = delete;
  /// SO_LINGER: until the peer has acknowledged everything, the time is over or a signal comes.
  MaySleep<> linger();

 private:
  struct Locked {
    Locked(Kernel& kernel, sock* socket);
    ~Locked();
    Locked(const Locked&) = delete;
    Locked& operator=(const Locked&) = delete;
    Kernel& k;
    sock* sk;
  };
  Call call_;
  Locked locked_;
  Call inner_;
};

/// Whether the end of this file waits for the peer: a TCP socket with SO_LINGER and time to wait.
bool lingers(const file* file);
/// __fput() of such a file. Everything else ends without sleeping, so that __fput() itself is a plain function.
MaySleep<> __fput_and_linger(Kernel& k, file* file);

}  // namespace wakepath::kernel
