#pragma once

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
struct ThreadStart {
  std::string name;
};
struct ThreadJoin {
  int thread;
};
/// `word` is the address of the word, an identity and nothing more.
struct Park {
  uintptr_t word;
  uint32_t expected;
  int64_t timeout_ns;
};
struct Unpark {
  uintptr_t word;
  int count;
};
struct MonotonicNs {};
struct SleepNs {
  int64_t duration_ns;
};
struct Random {
  size_t size;
};
struct Resolve {
  std::string host;
  uint16_t port;
  int type;
  bool passive;
};
}  // namespace call

using CallArguments =
    std::variant<call::Socket, call::Bind, call::Listen, call::Accept4, call::Connect, call::Getsockname,
                 call::Getpeername, call::Setsockopt, call::Getsockopt, call::Shutdown, call::Close, call::Read,
                 call::Write, call::Send, call::Recv, call::Sendto, call::Recvfrom, call::Fcntl, call::Pipe2,
                 call::EpollCreate1, call::EpollCtl, call::EpollWait, call::ThreadStart, call::ThreadJoin, call::Park,
                 call::Unpark, call::MonotonicNs, call::SleepNs, call::Random, call::Resolve>;

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
  thread_start,
  thread_join,
  park,
  unpark,
  monotonic_ns,
  sleep_ns,
  random,
  resolve,
};

/// What the call wrote for its caller. Empty when it failed.
struct CallOutput {
  std::string data;                      ///< read, recv, recvfrom, random: the bytes; getsockopt: the value
  std::vector<epoll_event> events;       ///< epoll_wait, in the order in which they were reported
  Address address;                       ///< accept4, getsockname, getpeername, recvfrom
  std::array<int, 2> fds{-1, -1};        ///< pipe2: read end, write end
  std::vector<SocketAddress> addresses;  ///< resolve
};

/// One call of one thread.
struct CallRecord {
  uint64_t sequence = 0;  ///< from 1, in the order of arrival at the boundary
  int thread = 0;         ///< ThreadInfo::id
  std::string thread_name;
  CallArguments arguments;
  /// Whether this call may put its thread to sleep: epoll_wait with a timeout other than 0, read, write, recv, send,
  /// recvfrom, sendto, accept4 and connect without O_NONBLOCK or MSG_DONTWAIT, and resolve, thread_join, park,
  /// sleep_ns. A close that lingers is not counted (nobody here sets SO_LINGER with a time).
  bool may_block = false;

  long result = 0;        ///< of the call, a negative errno when it failed; monotonic_ns: the time. Set on return.
  CallOutput output;      ///< set on return
  int64_t entry_ns = 0;   ///< monotonic, just before the call itself; set after entering()
  int64_t return_ns = 0;  ///< monotonic, just after the call itself

  /// For an observer that wants to keep something of its own from entering() to returned(): never touched here.
  void* attachment = nullptr;

  Call call() const { return static_cast<Call>(arguments.index()); }
  /// The errno of a failed call, 0 of any other.
  int error() const { return result < 0 ? static_cast<int>(-result) : 0; }
};

/// The name of the call in the manual: "epoll_wait".
std::string_view name_of(Call call);

/// Watches the calls of a RecordedOs. Both functions are called by the thread that makes the call, one after the other
/// with the call between them, and by several threads at once. RecordedOs holds no lock meanwhile.
///
/// When `may_block` is false an observer may take a lock of its own in entering() and release it in returned(); if it
/// does so always, the order of these calls is total. It must not when `may_block` is true.
/// An observer must not call the RecordedOs that it watches; the inner one is free to use.
class CallObserver {
 public:
  virtual ~CallObserver() = default;
  virtual void entering(CallRecord& record) = 0;
  virtual void returned(CallRecord& record) = 0;
};

}  // namespace wakepath::os
