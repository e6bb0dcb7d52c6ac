#pragma once

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "src/os/socket_address.hh"

namespace wakepath::os {

/// Who makes a call. `id` is a serial number of the process, from 1, never used again after the thread has ended.
struct ThreadInfo {
  int id = 0;
  std::string name;  ///< at most 15 characters, as pthread_setname_np(3) allows
};

/// The boundary between the socket-server and the machine: everything that a thread of ours can ask for or wait for.
///
/// Every system call behaves as its page in section 2 of the manual says, with one difference: there is no `errno`;
/// a failure is the negative number that the kernel itself returns (`-EAGAIN`). Nothing is retried and nothing hidden:
/// `-EINTR` comes back to the caller, who says with `retry_on_eintr` (retry.hh) what it means there.
/// No call raises SIGPIPE for a socket as long as the caller passes MSG_NOSIGNAL.
///
/// All calls may be made from any thread at any time. An Os outlives every object that was given a reference to it.
class Os {
 public:
  virtual ~Os() = default;

  // ---- sockets and descriptors
  virtual int socket(int domain, int type, int protocol) = 0;
  virtual int bind(int fd, const sockaddr* address, socklen_t size) = 0;
  virtual int listen(int fd, int backlog) = 0;
  /// `address` and `size` may be null, both together.
  virtual int accept4(int fd, sockaddr* address, socklen_t* size, int flags) = 0;
  virtual int connect(int fd, const sockaddr* address, socklen_t size) = 0;
  virtual int getsockname(int fd, sockaddr* address, socklen_t* size) = 0;
  virtual int getpeername(int fd, sockaddr* address, socklen_t* size) = 0;
  virtual int setsockopt(int fd, int level, int option, const void* value, socklen_t size) = 0;
  virtual int getsockopt(int fd, int level, int option, void* value, socklen_t* size) = 0;
  virtual int shutdown(int fd, int how) = 0;
  /// Never to be repeated after -EINTR: on Linux the descriptor is gone all the same (close(2), "Dealing with errors").
  virtual int close(int fd) = 0;
  virtual ssize_t read(int fd, void* data, size_t size) = 0;
  virtual ssize_t write(int fd, const void* data, size_t size) = 0;
  virtual ssize_t send(int fd, const void* data, size_t size, int flags) = 0;
  virtual ssize_t recv(int fd, void* data, size_t size, int flags) = 0;
  virtual ssize_t sendto(int fd, const void* data, size_t size, int flags, const sockaddr* to, socklen_t to_size) = 0;
  /// `from` and `from_size` may be null, both together.
  virtual ssize_t recvfrom(int fd, void* data, size_t size, int flags, sockaddr* from, socklen_t* from_size) = 0;
  /// Commands whose argument is an int or that have none (F_GETFL, F_SETFL, F_GETFD, F_SETFD, F_DUPFD_CLOEXEC).
  virtual int fcntl(int fd, int command, int argument) = 0;
  virtual int pipe2(int fds[2], int flags) = 0;

  // ---- epoll
  virtual int epoll_create1(int flags) = 0;
  virtual int epoll_ctl(int epfd, int operation, int fd, epoll_event* event) = 0;
  /// `timeout_ms`: -1 waits for ever, 0 does not wait.
  virtual int epoll_wait(int epfd, epoll_event* events, int max_events, int timeout_ms) = 0;

  // ---- names
  /// getaddrinfo(3): the addresses of `host` (a name, or an address in figures; "" is this machine) for sockets of
  /// `type`, in the order in which they should be tried. `passive`: to be bound to, and "" is any address.
  /// 0, or -ENOENT (no such name), -EAGAIN (no answer now), -EAFNOSUPPORT, -ENOMEM, -EINVAL or another errno.
  /// May wait for a name server.
  virtual int resolve(const std::string& host, uint16_t port, int type, bool passive,
                      std::vector<SocketAddress>& addresses) = 0;

  // ---- threads
  /// Starts a thread that runs `body`; returns its id. Each started thread must be joined once.
  virtual int thread_start(const std::string& name, std::function<void()> body) = 0;
  /// Waits for the end of a started thread: 0, or -ESRCH when there is none of that id left to join.
  virtual int thread_join(int thread) = 0;
  /// The calling thread. Threads that this Os did not start have an id too. Not a call: never recorded, never fails.
  virtual ThreadInfo thread_self() = 0;

  /// Sleeps while `word` holds `expected` (looked at once more, atomically with going to sleep), as futex(2)
  /// FUTEX_WAIT does. Returns 0 when woken, which may happen without a reason; -EAGAIN when the word was different;
  /// -ETIMEDOUT after `timeout_ns` (negative: none); -EINTR; -ECANCELED when the machine is being taken down.
  /// os::Mutex and os::Condition are made of it; nobody else should need it.
  virtual int park(std::atomic<uint32_t>& word, uint32_t expected, int64_t timeout_ns) = 0;
  /// Wakes up to `count` threads parked on `word`; returns how many.
  virtual int unpark(std::atomic<uint32_t>& word, int count) = 0;

  // ---- time and chance
  /// Nanoseconds of a clock that never goes back; its zero means nothing.
  virtual int64_t monotonic_ns() = 0;
  virtual int sleep_ns(int64_t duration_ns) = 0;
  /// Fills `data` with random bytes, all of them: 0 or a negative error.
  virtual int random(void* data, size_t size) = 0;
};

}  // namespace wakepath::os
