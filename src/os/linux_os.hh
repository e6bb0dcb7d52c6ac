#pragma once

#include <map>
#include <mutex>
#include <thread>

#include "src/os/os.hh"

namespace wakepath::os {

/// The running kernel. Has no state but the threads that it started and that nobody has joined yet; those left over
/// are joined when it is destroyed. Pass it by reference; there is no global one.
class LinuxOs final : public Os {
 public:
  LinuxOs() = default;
  ~LinuxOs() override;
  LinuxOs(const LinuxOs&) = delete;
  LinuxOs& operator=(const LinuxOs&) = delete;

  int socket(int domain, int type, int protocol) override;
  int bind(int fd, const sockaddr* address, socklen_t size) override;
  int listen(int fd, int backlog) override;
  int accept4(int fd, sockaddr* address, socklen_t* size, int flags) override;
  int connect(int fd, const sockaddr* address, socklen_t size) override;
  int getsockname(int fd, sockaddr* address, socklen_t* size) override;
  int getpeername(int fd, sockaddr* address, socklen_t* size) override;
  int setsockopt(int fd, int level, int option, const void* value, socklen_t size) override;
  int getsockopt(int fd, int level, int option, void* value, socklen_t* size) override;
  int shutdown(int fd, int how) override;
  int close(int fd) override;
  ssize_t read(int fd, void* data, size_t size) override;
  ssize_t write(int fd, const void* data, size_t size) override;
  ssize_t send(int fd, const void* data, size_t size, int flags) override;
  ssize_t recv(int fd, void* data, size_t size, int flags) override;
  ssize_t sendto(int fd, const void* data, size_t size, int flags, const sockaddr* to, socklen_t to_size) override;
  ssize_t recvfrom(int fd, void* data, size_t size, int flags, sockaddr* from, socklen_t* from_size) override;
  int fcntl(int fd, int command, int argument) override;
  int pipe2(int fds[2], int flags) override;
  int epoll_create1(int flags) override;
  int epoll_ctl(int epfd, int operation, int fd, epoll_event* event) override;
  int epoll_wait(int epfd, epoll_event* events, int max_events, int timeout_ms) override;
  int resolve(const std::string& host, uint16_t port, int type, bool passive,
              std::vector<SocketAddress>& addresses) override;
  int thread_start(const std::string& name, std::function<void()> body) override;
  int thread_join(int thread) override;
  ThreadInfo thread_self() override;
  int park(std::atomic<uint32_t>& word, uint32_t expected, int64_t timeout_ns) override;
  int unpark(std::atomic<uint32_t>& word, int count) override;
  int64_t monotonic_ns() override;
  int sleep_ns(int64_t duration_ns) override;
  int random(void* data, size_t size) override;

 private:
  std::mutex threads_lock_;
  std::map<int, std::thread> threads_;
};

}  // namespace wakepath::os
