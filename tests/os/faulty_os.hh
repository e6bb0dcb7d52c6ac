#pragma once

#include <cerrno>
#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include "src/os/forwarding_os.hh"

namespace wakepath::os {

/// What becomes of one call. Neither: it is made as it is.
struct Fault {
  int error = 0;          ///< > 0: it fails with it, and does nothing
  bool one_byte = false;  ///< send or recv move one byte at most; of a pipe, what was written at once is read at once
};

/// The errors that a call may have without its caller having done anything wrong (section 2 of the manual): it was
/// interrupted, the machine is short of something, the peer went away, it was not ready after all.
inline const std::vector<int>& errors_of(std::string_view call) {
  static const std::vector<std::pair<std::string_view, std::vector<int>>> table = {
      {"socket", {EMFILE, ENFILE, ENOBUFS, ENOMEM}},
      {"bind", {EADDRINUSE, ENOMEM}},
      {"listen", {EADDRINUSE}},
      {"accept4", {EINTR, EAGAIN, ECONNABORTED, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPROTO}},
      {"connect", {EINTR, EADDRNOTAVAIL, ENETUNREACH, ECONNREFUSED, ENOBUFS}},
      {"getsockname", {ENOBUFS}},
      {"setsockopt", {ENOMEM}},
      {"getsockopt", {ENOBUFS}},
      {"close", {EINTR}},
      {"read", {EINTR, EAGAIN}},
      {"write", {EINTR}},  // a pipe says EAGAIN when it is full, and then there is something to wait for
      {"send", {EINTR, EAGAIN, ECONNRESET, EPIPE, ENOBUFS, ENOMEM}},
      {"recv", {EINTR, EAGAIN, ECONNRESET, ENOMEM, ETIMEDOUT}},
      {"pipe2", {EMFILE, ENFILE}},
      {"epoll_create1", {EMFILE, ENOMEM}},
      {"epoll_ctl", {ENOMEM, ENOSPC}},
      {"epoll_wait", {EINTR}},
      {"thread_start", {EAGAIN}},
      {"park", {EINTR}},
  };
  for (const auto& [name, errors] : table)
    if (name == call) return errors;
  static const std::vector<int> none;
  return none;
}

/// Whether a caller can go on as if nothing had been: the next try may succeed, and nothing is lost by it.
inline bool is_transient(int error) { return error == EINTR || error == EAGAIN; }

/// Any Os, but a plan decides of each call what becomes of it. The plan is asked by the calling thread, before the
/// call.
class FaultyOs final : public ForwardingOs {
 public:
  using Plan = std::function<Fault(std::string_view call)>;
  FaultyOs(Os& inner, Plan plan) : ForwardingOs(inner), plan_(std::move(plan)) {}

  int socket(int domain, int type, int protocol) override {
    return unless("socket", [&] { return inner_.socket(domain, type, protocol); });
  }
  int bind(int fd, const sockaddr* address, socklen_t size) override {
    return unless("bind", [&] { return inner_.bind(fd, address, size); });
  }
  int listen(int fd, int backlog) override {
    return unless("listen", [&] { return inner_.listen(fd, backlog); });
  }
  int accept4(int fd, sockaddr* address, socklen_t* size, int flags) override {
    return unless("accept4", [&] { return inner_.accept4(fd, address, size, flags); });
  }
  int connect(int fd, const sockaddr* address, socklen_t size) override {
    const Fault fault = plan_("connect");
    if (fault.error != 0 && fault.error != EINTR) return -fault.error;
    const int result = inner_.connect(fd, address, size);
    return fault.error == EINTR ? -EINTR : result;  // an interrupted connect goes on
  }
  int getsockname(int fd, sockaddr* address, socklen_t* size) override {
    return unless("getsockname", [&] { return inner_.getsockname(fd, address, size); });
  }
  int setsockopt(int fd, int level, int option, const void* value, socklen_t size) override {
    return unless("setsockopt", [&] { return inner_.setsockopt(fd, level, option, value, size); });
  }
  int getsockopt(int fd, int level, int option, void* value, socklen_t* size) override {
    return unless("getsockopt", [&] { return inner_.getsockopt(fd, level, option, value, size); });
  }
  int close(int fd) override {
    const int error = plan_("close").error;
    const int result = inner_.close(fd);  // whatever close returns, the descriptor is gone (close(2))
    return error != 0 ? -error : result;
  }
  ssize_t read(int fd, void* data, size_t size) override {
    return some("read", size, [&](size_t) { return inner_.read(fd, data, size); });
  }
  ssize_t write(int fd, const void* data, size_t size) override {
    return some("write", size, [&](size_t) { return inner_.write(fd, data, size); });
  }
  ssize_t send(int fd, const void* data, size_t size, int flags) override {
    return some("send", size, [&](size_t part) { return inner_.send(fd, data, part, flags); });
  }
  ssize_t recv(int fd, void* data, size_t size, int flags) override {
    return some("recv", size, [&](size_t part) { return inner_.recv(fd, data, part, flags); });
  }
  int pipe2(int fds[2], int flags) override {
    return unless("pipe2", [&] { return inner_.pipe2(fds, flags); });
  }
  int epoll_create1(int flags) override {
    return unless("epoll_create1", [&] { return inner_.epoll_create1(flags); });
  }
  int epoll_ctl(int epfd, int operation, int fd, epoll_event* event) override {
    if (operation != EPOLL_CTL_ADD) return inner_.epoll_ctl(epfd, operation, fd, event);  // needs nothing new
    return unless("epoll_ctl", [&] { return inner_.epoll_ctl(epfd, operation, fd, event); });
  }
  int epoll_wait(int epfd, epoll_event* events, int max_events, int timeout_ms) override {
    return unless("epoll_wait", [&] { return inner_.epoll_wait(epfd, events, max_events, timeout_ms); });
  }
  int thread_start(const std::string& name, std::function<void()> body) override {
    return unless("thread_start", [&] { return inner_.thread_start(name, std::move(body)); });
  }
  int park(std::atomic<uint32_t>& word, uint32_t expected, int64_t timeout_ns) override {
    return unless("park", [&] { return inner_.park(word, expected, timeout_ns); });
  }

 private:
  template <class Run>
  int unless(std::string_view call, Run run) {
    const int error = plan_(call).error;
    return error != 0 ? -error : run();
  }
  template <class Run>
  ssize_t some(std::string_view call, size_t size, Run run) {
    const Fault fault = plan_(call);
    if (fault.error != 0) return -fault.error;
    return run(fault.one_byte && size > 1 ? 1 : size);
  }
  Plan plan_;
};

}  // namespace wakepath::os
