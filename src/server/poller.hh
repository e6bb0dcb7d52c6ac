#pragma once

#include <cstdint>
#include <span>

#include "src/os/os.hh"

namespace wakepath::server {

/// What happened to one registered descriptor; `key` is what it was registered with.
struct Ready {
  uint64_t key = 0;
  bool readable = false;  ///< EPOLLIN
  bool writable = false;  ///< EPOLLOUT
  bool error = false;     ///< EPOLLERR: SO_ERROR says which
  bool hangup = false;    ///< EPOLLHUP: both directions are shut
};

/// An epoll instance, level triggered. Errors and hang-ups are reported for every registered descriptor, asked for or
/// not (epoll_ctl(2)). All functions return 0 or a negative errno unless they say otherwise. Owns its descriptor.
class Poller {
 public:
  static constexpr int kBatch = 64;  ///< events taken by one wait()

  explicit Poller(os::Os& os) : os_(os) {}
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  int open();
  int add(int fd, uint64_t key, bool read, bool write);
  int modify(int fd, uint64_t key, bool read, bool write);
  int remove(int fd);
  /// Waits without limit until something is ready. Returns how many events stand in `ready` (at most kBatch).
  int wait(std::span<Ready, kBatch> ready);

 private:
  int control(int operation, int fd, uint64_t key, bool read, bool write);
  os::Os& os_;
  int epfd_ = -1;
};

}  // namespace wakepath::server
