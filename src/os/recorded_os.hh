#pragma once

#include <atomic>
#include <mutex>
#include <unordered_map>

#include "src/os/call_record.hh"
#include "src/os/os.hh"

namespace wakepath::os {

/// An Os around another one that tells an observer about every call. Calls pass through unchanged.
/// It adds no call of its own to the inner Os but readings of the clock, and holds no lock while a call runs.
/// Inner Os and observer must outlive it.
class RecordedOs final : public Os {
 public:
  RecordedOs(Os& inner, CallObserver& observer) : inner_(inner), observer_(observer) {}

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
  ThreadInfo thread_self() override { return inner_.thread_self(); }
  int park(std::atomic<uint32_t>& word, uint32_t expected, int64_t timeout_ns) override;
  int unpark(std::atomic<uint32_t>& word, int count) override;
  int64_t monotonic_ns() override;
  int sleep_ns(int64_t duration_ns) override;
  int random(void* data, size_t size) override;

 private:
  /// Which descriptors are known to be non-blocking. One that was made elsewhere counts as blocking.
  class NonBlocking {
   public:
    void set(int fd, bool nonblocking);
    bool get(int fd);
    void forget(int fd);

   private:
    std::mutex lock_;
    std::unordered_map<int, bool> flags_;
  };

  /// The one way through: record, entering, call, fill (only after success), returned.
  template <class Result, class Run, class Fill>
  Result through(CallArguments arguments, bool may_block, Run run, Fill fill);
  template <class Result, class Run>
  Result through(CallArguments arguments, bool may_block, Run run) {
    return through<Result>(std::move(arguments), may_block, run, [](CallRecord&) {});
  }
  bool sleeps(int fd, int flags) { return !(flags & MSG_DONTWAIT) && !nonblocking_.get(fd); }

  Os& inner_;
  CallObserver& observer_;
  std::atomic<uint64_t> sequence_{0};
  NonBlocking nonblocking_;
};

}  // namespace wakepath::os
