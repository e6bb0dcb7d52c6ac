#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>

#include "src/bench/server/kind.hh"

namespace wakepath::bench {

/// Two processors of those that this process may use: one for the server and all its threads, one for its clients.
/// With one processor only, both are that one.
struct Processors {
  int server = 0;
  int clients = 0;
  [[nodiscard]] bool apart() const { return server != clients; }
};
[[nodiscard]] Processors processors();

/// Descriptors that one of these processes may have.
[[nodiscard]] std::size_t most_descriptors();

/// Forks a process that is pinned to `processor`, runs `body` and ends; it dies with its parent, and leaves no trace
/// in the parent's files. `name` is what ps and perf show. Throws std::runtime_error. The caller has one thread.
[[nodiscard]] pid_t fork_pinned(std::string_view name, int processor, const std::function<void()>& body);
/// Kills it and waits for its end.
void end_process(pid_t process);

/// A server of some kind in a process of its own.
class ServerProcess {
 public:
  struct Ways {
    bool count_calls = false;
    Mirroring mirroring = Mirroring::off;
  };
  /// Returns when it listens. Throws std::runtime_error when it does not, after 10 s.
  explicit ServerProcess(const Kind& kind) : ServerProcess(kind, Ways{}) {}
  ServerProcess(const Kind& kind, Ways ways);
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  [[nodiscard]] uint16_t port() const { return port_; }
  [[nodiscard]] uint64_t calls() const { return shared_->calls.load(); }
  [[nodiscard]] const Shared& shared() const { return *shared_; }
  /// CPU time of all its threads so far, user and system.
  [[nodiscard]] int64_t cpu_ns() const;
  /// How often its threads have gone to sleep so far, and so were woken.
  [[nodiscard]] uint64_t sleeps() const;
  /// Memory that is its own, resident now; and the most that was resident, shared pages too.
  [[nodiscard]] uint64_t private_bytes() const;
  [[nodiscard]] uint64_t peak_bytes() const;
  /// Lets it end in order, which fills in shared(); only for those that can.
  void finish();

 private:
  [[nodiscard]] uint16_t wait_for_port(int fd) const;

  Shared* shared_;
  pid_t process_ = 0;
  int stop_fd_ = -1;
  uint16_t port_ = 0;
};

}  // namespace wakepath::bench
