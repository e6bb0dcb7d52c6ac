#pragma once

#include <utility>

#include "src/os/os.hh"

namespace wakepath::os {

/// An Os that passes every call on to another one: the base of what stands around an Os and changes a few calls,
/// such as a test that lets the third accept4 fail. The inner Os must outlive it.
class ForwardingOs : public Os {
 public:
  explicit ForwardingOs(Os& inner) : inner_(inner) {}

  int socket(int domain, int type, int protocol) override { return inner_.socket(domain, type, protocol); }
  int bind(int fd, const sockaddr* address, socklen_t size) override { return inner_.bind(fd, address, size); }
  int listen(int fd, int backlog) override { return inner_.listen(fd, backlog); }
  int accept4(int fd, sockaddr* address, socklen_t* size, int flags) override {
    return inner_.accept4(fd, address, size, flags);
  }
  int connect(int fd, const sockaddr* address, socklen_t size) override { return inner_.connect(fd, address, size); }
  int getsockname(int fd, sockaddr* address, socklen_t* size) override { return inner_.getsockname(fd, address, size); }
  int getpeername(int fd, sockaddr* address, socklen_t* size) override { return inner_.getpeername(fd, address, size); }
  int setsockopt(int fd, int level, int option, const void* value, socklen_t size) override {
    return inner_.setsockopt(fd, level, option, value, size);
  }
  int getsockopt(int fd, int level, int option, void* value, socklen_t* size) override {
    return inner_.getsockopt(fd, level, option, value, size);
  }
  int shutdown(int fd, int how) override { return inner_.shutdown(fd, how); }
  int close(int fd) override { return inner_.close(fd); }
  ssize_t read(int fd, void* data, size_t size) override { return inner_.read(fd, data, size); }
  ssize_t write(int fd, const void* data, size_t size) override { return inner_.write(fd, data, size); }
  ssize_t send(int fd, const void* data, size_t size, int flags) override { return inner_.send(fd, data, size, flags); }
  ssize_t recv(int fd, void* data, size_t size, int flags) override { return inner_.recv(fd, data, size, flags); }
  ssize_t sendto(int fd, const void* data, size_t size, int flags, const sockaddr* to, socklen_t to_size) override {
    return inner_.sendto(fd, data, size, flags, to, to_size);
  }
  ssize_t recvfrom(int fd, void* data, size_t size, int flags, sockaddr* from, socklen_t* from_size) override {
    return inner_.recvfrom(fd, data, size, flags, from, from_size);
  }
  int fcntl(int fd, int command, int argument) override { return inner_.fcntl(fd, command, argument); }
  int pipe2(int fds[2], int flags) override { return inner_.pipe2(fds, flags); }
  int epoll_create1(int flags) override { return inner_.epoll_create1(flags); }
  int epoll_ctl(int epfd, int operation, int fd, epoll_event* event) override {
    return inner_.epoll_ctl(epfd, operation, fd, event);
  }
  int epoll_wait(int epfd, epoll_event* events, int max_events, int timeout_ms) override {
    return inner_.epoll_wait(epfd, events, max_events, timeout_ms);
  }
  int resolve(const std::string& host, uint16_t port, int type, bool passive,
              std::vector<SocketAddress>& addresses) override {
    return inner_.resolve(host, port, type, passive, addresses);
  }
  int thread_start(const std::string& name, std::function<void()> body) override {
    return inner_.thread_start(name, std::move(body));
  }
  int thread_join(int thread) override { return inner_.thread_join(thread); }
  ThreadInfo thread_self() override { return inner_.thread_self(); }
  int park(std::atomic<uint32_t>& word, uint32_t expected, int64_t timeout_ns) override {
    return inner_.park(word, expected, timeout_ns);
  }
  int unpark(std::atomic<uint32_t>& word, int count) override { return inner_.unpark(word, count); }
  int64_t monotonic_ns() override { return inner_.monotonic_ns(); }
  int sleep_ns(int64_t duration_ns) override { return inner_.sleep_ns(duration_ns); }
  int random(void* data, size_t size) override { return inner_.random(data, size); }

 protected:
  Os& inner_;
};

}  // namespace wakepath::os
