#include "src/bench/server/kind.hh"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>

namespace wakepath::bench {

#ifdef WAKEPATH_BENCH_LIBEVENT
constexpr auto kLibevent = &serve_libevent;
#else
constexpr void (*kLibevent)(const Seat&) = nullptr;
#endif
#ifdef WAKEPATH_BENCH_LIBUV
constexpr auto kLibuv = &serve_libuv;
#else
constexpr void (*kLibuv)(const Seat&) = nullptr;
#endif
#ifdef WAKEPATH_BENCH_ASIO
constexpr auto kAsio = &serve_asio;
#else
constexpr void (*kAsio)(const Seat&) = nullptr;
#endif

const std::vector<Kind>& all_kinds() {
  static const std::vector<Kind> kKinds = {
      {"raw", "a loop of epoll_wait, recv and send", &serve_raw, "", false},
      {"libevent", "libevent's bufferevents", kLibevent, "libevent-dev", false},
      {"libuv", "libuv's streams", kLibuv, "libuv1-dev", false},
      {"asio", "standalone Asio", kAsio, "libasio-dev", false},
      {"echo", "the socket-server, answering in its own thread", &serve_echo, "", true},
      {"service", "a C++ service behind queue and workers", &serve_service, "", true},
      {"workers", "the same, never run by the socket thread itself", &serve_workers, "", true},
      {"lua", "a Lua service, one callback", &serve_lua, "", true},
      {"coroutine", "a Lua service, a coroutine a connection", &serve_coroutine, "", true},
  };
  return kKinds;
}

void Seat::tell(uint16_t port) const {
  if (write(ready_fd, &port, sizeof port) != sizeof port) _exit(3);
}

int listening_socket(uint16_t& port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0 || bind(fd, generic, size) < 0 ||
      listen(fd, 1024) < 0 || getsockname(fd, generic, &size) < 0)
    throw std::runtime_error("no listening socket can be made");
  port = ntohs(address.sin_port);
  return fd;
}

}  // namespace wakepath::bench
