#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "src/os/os.hh"

namespace wakepath::server {

/// What happened to one registered descriptor; `key` is what it was registered with.
struct Ready {
  uint64_t key = 0;
  bool readable = false;
  bool writable = false;
  bool error = false;   ///< EPOLLERR: SO_ERROR says which
  bool hangup = false;  ///< EPOLLHUP: both directions are shut

  bool operator==(const Ready&) const = default;
};

enum class PollerKind : uint8_t { epoll_level, epoll_edge, kqueue };

std::string_view name_of(PollerKind kind);

/// What the server asks of the machine's way of waiting for many descriptors: eight verbs. All return 0 or a negative
/// errno unless they say otherwise. One thread uses it at a time.
///
/// epoll reports errors and hang-ups of every registered descriptor, asked for or not; kqueue only where something was
/// asked for, so there a reset of a paused connection is noticed when it is resumed.
class Poller {
 public:
  static constexpr int kBatch = 64;  ///< events taken by one wait(), at most

  virtual ~Poller() = default;
  Poller() = default;
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  /// The poller of that kind, not created yet; null when this machine has none.
  static std::unique_ptr<Poller> make(PollerKind kind, os::Os& os);

  /// Whether what it reports, it reports once: the user goes on until -EAGAIN, or nobody will ever.
  virtual bool edge_triggered() const = 0;

  virtual int create() = 0;
  virtual bool valid() const = 0;
  virtual void release() = 0;
  virtual int add(int fd, uint64_t key, bool read, bool write) = 0;
  virtual int del(int fd) = 0;
  /// Changes what is asked for. With an edge triggered poller, what is ready already is reported again.
  virtual int enable(int fd, uint64_t key, bool read, bool write) = 0;
  /// Waits until something is ready, `timeout_ms` at most (-1: for ever, 0: not at all).
  /// Returns how many events stand in `ready`.
  virtual int wait(std::span<Ready, kBatch> ready, int timeout_ms) = 0;
  /// O_NONBLOCK. Returns 1 when it was set before, 0 when not.
  virtual int nonblocking(int fd) = 0;
};

}  // namespace wakepath::server
