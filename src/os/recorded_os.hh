#pragma once

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "src/os/call_log.hh"
#include "src/os/forwarding_os.hh"

namespace wakepath::os {

/// An Os around another one that writes every call of the kernel's sockets, pipes and epolls into a log. Calls pass
/// through unchanged; what the kernel has no part in (threads, parking, clock, chance, names) is not recorded.
/// It holds no lock of its own while a call runs, but the log's gate when the call cannot sleep. The descriptors of the
/// inner Os are this process's own: where an answer does not tell enough, they are looked at (Sight).
/// Inner Os and log must outlive it.
class RecordedOs final : public ForwardingOs {
 public:
  RecordedOs(Os& inner, CallLog& log);
  /// Whether what is done with that connection is not recorded.
  bool passes_by(int fd) const { return descriptors_.passed_by(fd); }

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

 private:
  /// What is known of each descriptor, looked up without a lock; those beyond kMost count as unknown.
  class Descriptors {
   public:
    static constexpr int kMost = 1 << 20;
    void set_nonblocking(int fd, bool nonblocking);
    /// One that was made elsewhere counts as blocking.
    bool nonblocking(int fd) const;
    /// Whether another kOften bytes have been sent since this was last true.
    bool sent_much(int fd, size_t bytes);
    void pass_by(int fd);
    bool passed_by(int fd) const;
    /// A call of a connection that is passed by.
    bool passed_by(const LogEntry& entry) const;
    void forget(int fd);

   private:
    static constexpr uint32_t kOften = 65536;
    static constexpr uint32_t kNonblocking = 1;
    static constexpr uint32_t kPassedBy = 2;
    static constexpr int kFlags = 2;  // bits; the rest of the word: bytes that were sent
    std::atomic_ref<uint32_t> word(int fd) const { return std::atomic_ref<uint32_t>(words_.get()[fd]); }

    // calloc: memory that is not used is not touched
    std::unique_ptr<uint32_t, decltype(&std::free)> words_{static_cast<uint32_t*>(std::calloc(kMost, sizeof(uint32_t))),
                                                           &std::free};
  };
  /// By what events a descriptor is told of.
  class Registrations {
   public:
    void add(int epfd, int fd, uint64_t data);
    void forget(int fd);
    int fd_of(int epfd, uint64_t data);  ///< -1: unknown

   private:
    using Key = std::pair<int, uint64_t>;
    std::mutex lock_;
    std::map<Key, int> fd_of_;
    std::map<int, Key> key_of_;
  };
  /// What goes into the log behind an entry.
  struct Extra;

  /// The one way through: entry of a call that may sleep, call, `tell` (fills entry and extra), return.
  template <class Result, class Run, class Tell>
  Result through(LogEntry entry, bool sleeps, std::string_view given, Run run, Tell tell);
  /// A call that cannot sleep.
  template <class Result, class Run, class Tell>
  Result at_once(LogEntry entry, Run run, Tell tell) {
    return through<Result>(entry, false, {}, run, tell);
  }
  template <class Result, class Run>
  Result at_once(LogEntry entry, Run run) {
    return through<Result>(entry, false, {}, run, [](LogEntry&, Extra&) {});
  }
  template <class Tell>
  void record(LogThread& thread, LogEntry& entry, Gate::Pass pass, bool sleeps, int64_t result, Tell tell);
  template <class Run>
  ssize_t sending(LogEntry entry, int flags, const void* data, size_t size, Run run);
  template <class Run>
  ssize_t receiving(LogEntry entry, int flags, void* data, Run run);
  bool may_sleep(int fd, int flags) const { return !(flags & MSG_DONTWAIT) && !descriptors_.nonblocking(fd); }
  LogThread& self();
  void cut(LogEntry& entry, std::string_view& data) const;

  CallLog& log_;
  Descriptors descriptors_;
  Registrations registrations_;
};

}  // namespace wakepath::os
