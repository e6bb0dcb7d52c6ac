#pragma once

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "src/os/socket_address.hh"

namespace wakepath::os {

/// A socket address as it was passed, byte for byte. `size` 0: a null pointer was passed.
struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;

  static Address copy(const sockaddr* from, socklen_t size);
  /// When it is a complete AF_INET address.
  std::optional<Endpoint> ipv4() const;
};

/// The arguments of each call, under the names of its manual page; what a pointer argument points to is copied.
/// Sizes are in bytes, times in the unit of the name. What a call writes is in CallOutput.
namespace call {
struct Socket {
  int domain, type, protocol;
};
struct Bind {
  int fd;
  Address address;
};
struct Listen {
  int fd, backlog;
};
struct Accept4 {
  int fd;
  bool wants_address;
  int flags;
};
struct Connect {
  int fd;
  Address address;
};
struct Getsockname {
  int fd;
};
struct Getpeername {
  int fd;
};
struct Setsockopt {
  int fd, level, option;
  std::string value;
};
struct Getsockopt {
  int fd, level, option;
  socklen_t size;
};
struct Shutdown {
  int fd, how;
};
struct Close {
  int fd;
};
struct Read {
  int fd;
  size_t size;
};
struct Write {
  int fd;
  std::string data;
};
struct Send {
  int fd;
  std::string data;
  int flags;
};
struct Recv {
  int fd;
  size_t size;
  int flags;
};
struct Sendto {
  int fd;
  std::string data;
  int flags;
  Address address;
};
struct Recvfrom {
  int fd;
  size_t size;
  int flags;
  bool wants_address;
};
struct Fcntl {
  int fd, command, argument;
};
struct Pipe2 {
  int flags;
};
struct EpollCreate1 {
  int flags;
};
struct EpollCtl {
  int epfd, operation, fd;
  std::optional<epoll_event> event;
};
struct EpollWait {
  int epfd, max_events, timeout_ms;
};
// from here on: of other people's programs alone (src/guest); no ring has them
struct Eventfd2 {
  unsigned count;
  int flags;
};
struct Socketpair {
  int domain, type, protocol;
};
struct Poll {
  std::vector<pollfd> fds;
  int timeout_ms;
  bool by_select = false;  ///< select(2): POLLIN, POLLOUT and POLLPRI stand for its three sets
};
}  // namespace call

using CallArguments =
    std::variant<call::Socket, call::Bind, call::Listen, call::Accept4, call::Connect, call::Getsockname,
                 call::Getpeername, call::Setsockopt, call::Getsockopt, call::Shutdown, call::Close, call::Read,
                 call::Write, call::Send, call::Recv, call::Sendto, call::Recvfrom, call::Fcntl, call::Pipe2,
                 call::EpollCreate1, call::EpollCtl, call::EpollWait, call::Eventfd2, call::Socketpair, call::Poll>;

/// In the order of CallArguments: `record.call() == Call::recv` exactly when `arguments` holds a call::Recv.
enum class Call : uint8_t {
  socket,
  bind,
  listen,
  accept4,
  connect,
  getsockname,
  getpeername,
  setsockopt,
  getsockopt,
  shutdown,
  close,
  read,
  write,
  send,
  recv,
  sendto,
  recvfrom,
  fcntl,
  pipe2,
  epoll_create1,
  epoll_ctl,
  epoll_wait,
  eventfd2,
  socketpair,
  poll,
};

/// What the call wrote for its caller. Empty when it failed.
struct CallOutput {
  std::string data;                 ///< read, recv, recvfrom: the bytes; getsockopt: the value
  std::vector<epoll_event> events;  ///< epoll_wait, in the order in which they were reported
  std::vector<pollfd> polled;       ///< poll: those with events, in the order of the arguments
  Address address;                  ///< accept4 (also when the caller did not ask), getsockname, getpeername, recvfrom
  std::array<int, 2> fds{-1, -1};   ///< pipe2: read end, write end; socketpair
};

/// What a descriptor showed of itself just after a call, where the call's answer alone does not tell what a peer has
/// done: when a connection has ended or is about to, when the kernel took less than it was given, when a socket has got
/// a port. Read past Os, by the recorder; nothing of it changes the descriptor.
struct Sight {
  int fd = -1;
  int32_t state = 0;  ///< TCP_INFO: tcpi_state
  uint64_t bytes_received =
      0;  ///< TCP_INFO: in order; a FIN counts as one (net/ipv4/tcp_input.c, tcp_rcv_nxt_update())
  uint32_t unacknowledged = 0;  ///< SIOCOUTQ: bytes sent and not acknowledged, with those that wait to be sent
  bool has_room = false;        ///< SO_MEMINFO: whether what the kernel did not take would fit
  uint32_t address = 0;         ///< getsockname(2), host order; port 0: not asked, or not AF_INET
  uint16_t port = 0;
  uint32_t waiting = 0;  ///< SIOCINQ: bytes that wait to be read, without the FIN
  std::string unread;    ///< of these the first (MSG_PEEK)
};

/// One call of one thread.
struct CallRecord {
  uint64_t sequence = 0;  ///< from 1: in the order in which the calls took effect, entries of sleeping calls included
  int thread = 0;         ///< ThreadInfo::id; 0: none that has made a call
  std::string_view thread_name;  ///< lives as long as the log
  CallArguments arguments;
  /// Whether this call may put its thread to sleep: epoll_wait with a timeout other than 0, read, write, recv, send,
  /// recvfrom, sendto, accept4 and connect without O_NONBLOCK or MSG_DONTWAIT. A close that lingers is not counted
  /// (nobody here sets SO_LINGER with a time).
  bool may_block = false;
  /// It may block, and nothing says that it will not: it has an entry of its own for its beginning.
  bool sleeps = false;
  bool passed_by = false;  ///< accept4: what is done with the connection is not recorded (CallLogOptions::one_of)
  bool cut = false;        ///< only the first bytes of its data are known, the rest is 0

  long result = 0;  ///< of the call, a negative errno when it failed
  CallOutput output;
  std::vector<Sight> sights;
  int64_t at_ns = 0;  ///< monotonic: just after the call or, at the entry of a sleeping one, just before it

  Call call() const { return static_cast<Call>(arguments.index()); }
  /// The errno of a failed call, 0 of any other.
  int error() const { return result < 0 ? static_cast<int>(-result) : 0; }
};

/// The name of the call in the manual: "epoll_wait".
std::string_view name_of(Call call);

}  // namespace wakepath::os
