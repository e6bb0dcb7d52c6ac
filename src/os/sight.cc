#include "src/os/sight.hh"

#include <fcntl.h>
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <linux/tcp.h>  // <netinet/tcp.h> has a shorter tcp_info
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

namespace wakepath::os {

namespace {

// asm-generic/socket.h; <sys/socket.h> of some C libraries leaves it out
#ifndef SO_MEMINFO
constexpr int SO_MEMINFO = 55;
#endif

// include/net/tcp_states.h, which is not for programs; <netinet/tcp.h> does not go with <linux/tcp.h>
enum State { kSynSent = 2, kSynReceived = 3, kTimeWait = 6, kClose, kCloseWait, kLastAck, kListen, kClosing };

bool is_connection(int state) {
  return state != 0 && state != kSynSent && state != kSynReceived && state != kClose && state != kListen;
}
bool has_fin(int state) { return state == kCloseWait || state == kLastAck || state == kClosing || state == kTimeWait; }

size_t asked(int fd, unsigned long request) {
  int count = 0;
  return ioctl(fd, request, &count) == 0 && count > 0 ? static_cast<size_t>(count) : 0;
}

/// Ask only when there are bytes: on an empty queue it would take off a pending error.
std::string peek(int fd, size_t size) {
  std::string data(size, '\0');
  const ssize_t got = ::recv(fd, data.data(), data.size(), MSG_PEEK | MSG_DONTWAIT);
  data.resize(got > 0 ? static_cast<size_t>(got) : 0);
  return data;
}

}  // namespace

Sight sight_of_end(int fd, size_t most) {
  Sight sight{.fd = fd};
  struct ::tcp_info info {};
  socklen_t size = sizeof info;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return sight;
  sight.state = info.tcpi_state;  // first: a FIN that it shows has all data before it
  sight.bytes_received = info.tcpi_bytes_received;
  sight.waiting = static_cast<uint32_t>(asked(fd, SIOCINQ));
  if (sight.waiting > 0) sight.unread = peek(fd, std::min<size_t>(sight.waiting, most));
  return sight;
}

Sight sight_of_sending(int fd, size_t left) {
  return {.fd = fd,
          .unacknowledged = static_cast<uint32_t>(asked(fd, SIOCOUTQ)),
          .has_room = left > 0 && has_room(fd, left)};
}

Sight sight_of_address(int fd) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0 || address.sin_family != AF_INET)
    return {.fd = fd};
  return {.fd = fd, .address = ntohl(address.sin_addr.s_addr), .port = ntohs(address.sin_port)};
}

std::optional<ConnectionSight> sight_of_connection(int fd, size_t most) {
  constexpr int kTries = 4;
  for (int tries = 0; tries < kTries; ++tries) {
    const Sight before = sight_of_end(fd, most);
    if (!is_connection(before.state)) return std::nullopt;
    const Sight after = sight_of_end(fd, most);
    if (before.state != after.state || before.bytes_received != after.bytes_received) continue;
    pollfd wanted{.fd = fd, .events = POLLOUT, .revents = 0};
    poll(&wanted, 1, 0);
    // what waited was asked between the two looks, in which nothing had come
    return ConnectionSight{.sight = before,
                           .read = before.bytes_received - before.waiting - (has_fin(before.state) ? 1 : 0),
                           .writable = (wanted.revents & POLLOUT) != 0};
  }
  return std::nullopt;
}

std::optional<std::string> held_in_pipe(int read_end) {
  const size_t held = asked(read_end, FIONREAD);
  if (held == 0) return "";
  int scratch[2];
  if (pipe2(scratch, O_CLOEXEC | O_NONBLOCK) != 0) return std::nullopt;
  std::string bytes(held, '\0');
  const ssize_t copied = tee(read_end, scratch[1], held, SPLICE_F_NONBLOCK);
  const ssize_t got = copied > 0 ? ::read(scratch[0], bytes.data(), bytes.size()) : -1;
  for (const int fd : scratch) ::close(fd);
  if (got != static_cast<ssize_t>(held)) return std::nullopt;
  return bytes;
}

bool has_room(int fd, size_t size) {
  uint32_t info[SK_MEMINFO_VARS] = {};
  socklen_t info_size = sizeof info;
  if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &info_size) != 0) return false;
  constexpr size_t kMargin = 65536;  // overhead of segments, generously
  return info[SK_MEMINFO_WMEM_QUEUED] + 2 * size + kMargin < info[SK_MEMINFO_SNDBUF];
}

}  // namespace wakepath::os
