#include "src/os/linux_os.hh"

#include <fcntl.h>
#include <linux/futex.h>
#include <netdb.h>
#include <pthread.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace wakepath::os {
namespace {

/// From the C library's convention (-1 and errno) to the kernel's (negative errno).
template <class T>
T result_of(T returned) {
  return returned < 0 ? static_cast<T>(-errno) : returned;
}

std::atomic<int> last_thread_id{0};

ThreadInfo& self() {
  thread_local ThreadInfo info;
  if (info.id == 0) {
    info.id = ++last_thread_id;
    info.name = gettid() == getpid() ? "main" : "thread-" + std::to_string(info.id);
  }
  return info;
}

timespec timespec_of(int64_t ns) { return {.tv_sec = ns / 1'000'000'000, .tv_nsec = ns % 1'000'000'000}; }

/// gai_strerror(3)'s numbers as an errno.
int error_of_resolving(int error) {
  switch (error) {
    case EAI_SYSTEM:
      return -errno;
    case EAI_NONAME:
      return -ENOENT;
    case EAI_AGAIN:
      return -EAGAIN;
    case EAI_MEMORY:
      return -ENOMEM;
    case EAI_FAMILY:
      return -EAFNOSUPPORT;
    default:
      return -EINVAL;
  }
}

long futex(std::atomic<uint32_t>& word, int operation, uint32_t value, const timespec* timeout) {
  static_assert(sizeof(word) == sizeof(uint32_t) && std::atomic<uint32_t>::is_always_lock_free);
  return result_of(syscall(SYS_futex, &word, operation, value, timeout, nullptr, 0));
}

/// send(2), recv(2) and epoll_wait(2) without the C library's functions, which in a process of several threads open and
/// shut each time the door for pthread_cancel(3). Nobody cancels threads here. The sanitizers want to see the
/// functions.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
ssize_t plain_send(int fd, const void* data, size_t size, int flags) { return ::send(fd, data, size, flags); }
ssize_t plain_recv(int fd, void* data, size_t size, int flags) { return ::recv(fd, data, size, flags); }
int plain_epoll_wait(int epfd, epoll_event* events, int max_events, int timeout_ms) {
  return ::epoll_wait(epfd, events, max_events, timeout_ms);
}
#else
ssize_t plain_send(int fd, const void* data, size_t size, int flags) {
  return ::syscall(SYS_sendto, fd, data, size, flags, nullptr, 0);
}
ssize_t plain_recv(int fd, void* data, size_t size, int flags) {
  return ::syscall(SYS_recvfrom, fd, data, size, flags, nullptr, nullptr);
}
int plain_epoll_wait(int epfd, epoll_event* events, int max_events, int timeout_ms) {
  return static_cast<int>(::syscall(SYS_epoll_pwait, epfd, events, max_events, timeout_ms, nullptr, 0));
}
#endif

}  // namespace

LinuxOs::~LinuxOs() {
  for (auto& [id, thread] : threads_) thread.join();
}

int LinuxOs::socket(int domain, int type, int protocol) { return result_of(::socket(domain, type, protocol)); }
int LinuxOs::bind(int fd, const sockaddr* address, socklen_t size) { return result_of(::bind(fd, address, size)); }
int LinuxOs::listen(int fd, int backlog) { return result_of(::listen(fd, backlog)); }
int LinuxOs::accept4(int fd, sockaddr* address, socklen_t* size, int flags) {
  return result_of(::accept4(fd, address, size, flags));
}
int LinuxOs::connect(int fd, const sockaddr* address, socklen_t size) {
  return result_of(::connect(fd, address, size));
}
int LinuxOs::getsockname(int fd, sockaddr* address, socklen_t* size) {
  return result_of(::getsockname(fd, address, size));
}
int LinuxOs::getpeername(int fd, sockaddr* address, socklen_t* size) {
  return result_of(::getpeername(fd, address, size));
}
int LinuxOs::setsockopt(int fd, int level, int option, const void* value, socklen_t size) {
  return result_of(::setsockopt(fd, level, option, value, size));
}
int LinuxOs::getsockopt(int fd, int level, int option, void* value, socklen_t* size) {
  return result_of(::getsockopt(fd, level, option, value, size));
}
int LinuxOs::shutdown(int fd, int how) { return result_of(::shutdown(fd, how)); }
int LinuxOs::close(int fd) { return result_of(::close(fd)); }
ssize_t LinuxOs::read(int fd, void* data, size_t size) { return result_of(::read(fd, data, size)); }
ssize_t LinuxOs::write(int fd, const void* data, size_t size) { return result_of(::write(fd, data, size)); }
ssize_t LinuxOs::send(int fd, const void* data, size_t size, int flags) {
  return result_of(plain_send(fd, data, size, flags));
}
ssize_t LinuxOs::recv(int fd, void* data, size_t size, int flags) {
  return result_of(plain_recv(fd, data, size, flags));
}
ssize_t LinuxOs::sendto(int fd, const void* data, size_t size, int flags, const sockaddr* to, socklen_t to_size) {
  return result_of(::sendto(fd, data, size, flags, to, to_size));
}
ssize_t LinuxOs::recvfrom(int fd, void* data, size_t size, int flags, sockaddr* from, socklen_t* from_size) {
  return result_of(::recvfrom(fd, data, size, flags, from, from_size));
}
int LinuxOs::fcntl(int fd, int command, int argument) { return result_of(::fcntl(fd, command, argument)); }
int LinuxOs::pipe2(int fds[2], int flags) { return result_of(::pipe2(fds, flags)); }
int LinuxOs::epoll_create1(int flags) { return result_of(::epoll_create1(flags)); }
int LinuxOs::epoll_ctl(int epfd, int operation, int fd, epoll_event* event) {
  return result_of(::epoll_ctl(epfd, operation, fd, event));
}
int LinuxOs::epoll_wait(int epfd, epoll_event* events, int max_events, int timeout_ms) {
  return result_of(plain_epoll_wait(epfd, events, max_events, timeout_ms));
}

int LinuxOs::resolve(const std::string& host, uint16_t port, int type, bool passive,
                     std::vector<SocketAddress>& addresses) {
  addrinfo wanted{};
  wanted.ai_flags = AI_NUMERICSERV | (passive ? AI_PASSIVE : 0);
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = type;
  addrinfo* found = nullptr;
  const std::string service = std::to_string(port);
  const int error = getaddrinfo(host.empty() ? nullptr : host.c_str(), service.c_str(), &wanted, &found);
  if (error != 0) return error_of_resolving(error);
  addresses.clear();
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    sockaddr_storage storage{};
    std::memcpy(&storage, each->ai_addr, std::min<size_t>(each->ai_addrlen, sizeof storage));
    if (const SocketAddress address = SocketAddress::from(storage); address.present()) addresses.push_back(address);
  }
  freeaddrinfo(found);
  return addresses.empty() ? -EAFNOSUPPORT : 0;
}

int LinuxOs::thread_start(const std::string& name, std::function<void()> body) {
  const int id = ++last_thread_id;
  auto run = [id, name, body = std::move(body)] {
    self() = {.id = id, .name = name};
    pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
    body();
  };
  std::lock_guard lock(threads_lock_);
  try {
    threads_.emplace(id, std::thread(std::move(run)));
  } catch (const std::system_error& error) {
    return -error.code().value();
  }
  return id;
}

int LinuxOs::thread_join(int thread) {
  std::thread joined;
  {
    std::lock_guard lock(threads_lock_);
    auto found = threads_.find(thread);
    if (found == threads_.end()) return -ESRCH;
    joined = std::move(found->second);
    threads_.erase(found);
  }
  joined.join();
  return 0;
}

ThreadInfo LinuxOs::thread_self() { return self(); }

int LinuxOs::park(std::atomic<uint32_t>& word, uint32_t expected, int64_t timeout_ns) {
  const timespec timeout = timespec_of(timeout_ns);
  return static_cast<int>(futex(word, FUTEX_WAIT_PRIVATE, expected, timeout_ns < 0 ? nullptr : &timeout));
}

int LinuxOs::unpark(std::atomic<uint32_t>& word, int count) {
  return static_cast<int>(futex(word, FUTEX_WAKE_PRIVATE, static_cast<uint32_t>(count), nullptr));
}

int64_t LinuxOs::monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * int64_t{1'000'000'000} + now.tv_nsec;
}

int LinuxOs::sleep_ns(int64_t duration_ns) {
  const timespec duration = timespec_of(duration_ns);
  return -clock_nanosleep(CLOCK_MONOTONIC, 0, &duration, nullptr);  // returns the error itself, positive
}

int LinuxOs::random(void* data, size_t size) {
  auto* to = static_cast<std::byte*>(data);
  while (size > 0) {
    const ssize_t got = getrandom(to, size, 0);
    if (got < 0 && errno != EINTR) return -errno;
    if (got > 0) to += got, size -= static_cast<size_t>(got);
  }
  return 0;
}

}  // namespace wakepath::os
