#pragma once

#include <atomic>
#include <cstdint>
#include <type_traits>

#include "src/os/forwarding_os.hh"

namespace wakepath::bench {

/// Counts the system calls of a server at work: everything that it does to sockets and epoll sets after its start, and
/// its threads' waiting and waking. The clock is none: it is read without entering the kernel.
class CountingOs final : public os::ForwardingOs {
 public:
  CountingOs(os::Os& inner, std::atomic<uint64_t>& calls) : os::ForwardingOs(inner), calls_(calls) {}

  int accept4(int fd, sockaddr* address, socklen_t* size, int flags) override {
    return counted([&] { return inner_.accept4(fd, address, size, flags); });
  }
  int setsockopt(int fd, int level, int option, const void* value, socklen_t size) override {
    return counted([&] { return inner_.setsockopt(fd, level, option, value, size); });
  }
  int getsockopt(int fd, int level, int option, void* value, socklen_t* size) override {
    return counted([&] { return inner_.getsockopt(fd, level, option, value, size); });
  }
  int shutdown(int fd, int how) override {
    return counted([&] { return inner_.shutdown(fd, how); });
  }
  int close(int fd) override {
    return counted([&] { return inner_.close(fd); });
  }
  ssize_t read(int fd, void* data, size_t size) override {
    return counted([&] { return inner_.read(fd, data, size); });
  }
  ssize_t write(int fd, const void* data, size_t size) override {
    return counted([&] { return inner_.write(fd, data, size); });
  }
  ssize_t send(int fd, const void* data, size_t size, int flags) override {
    return counted([&] { return inner_.send(fd, data, size, flags); });
  }
  ssize_t recv(int fd, void* data, size_t size, int flags) override {
    return counted([&] { return inner_.recv(fd, data, size, flags); });
  }
  int epoll_ctl(int epfd, int operation, int fd, epoll_event* event) override {
    return counted([&] { return inner_.epoll_ctl(epfd, operation, fd, event); });
  }
  int epoll_wait(int epfd, epoll_event* events, int max_events, int timeout_ms) override {
    return counted([&] { return inner_.epoll_wait(epfd, events, max_events, timeout_ms); });
  }
  int park(std::atomic<uint32_t>& word, uint32_t expected, int64_t timeout_ns) override {
    return counted([&] { return inner_.park(word, expected, timeout_ns); });
  }
  int unpark(std::atomic<uint32_t>& word, int count) override {
    return counted([&] { return inner_.unpark(word, count); });
  }

 private:
  template <class Call>
  std::invoke_result_t<Call> counted(Call call) {
    calls_.fetch_add(1, std::memory_order_relaxed);
    return call();
  }

  std::atomic<uint64_t>& calls_;
};

}  // namespace wakepath::bench
