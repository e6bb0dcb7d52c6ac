#pragma once

#include <sys/types.h>

#include <cstdint>

namespace wakepath::bench {

inline constexpr std::size_t kMessageBytes = 64;
inline constexpr std::size_t kLargeBytes = std::size_t{1} << 20;

enum class Work : uint8_t {
  none,        ///< says that all connections are open and have had one answer
  echo,        ///< each connection has `depth` messages under way
  paced,       ///< `per_second` messages at fixed times, whatever the answers do
  sequential,  ///< connect, one message, its answer, close; one after the other
  concurrent,  ///< the same, `depth` at a time
  flood,       ///< `depth` connections send messages of 1 MiB, and one more sends small ones, one after the other
  never_read,  ///< one connection sends and never reads, until nothing is taken any more
};

/// What the clients are to do next.
struct Task {
  Work work = Work::none;
  uint32_t depth = 1;
  double per_second = 0;
  int64_t duration_ns = 0;
};

/// What has become of it. Every answer is compared with what was sent.
struct Outcome {
  bool failed = false;     ///< a connection was refused or lost, or nothing came for ten seconds
  uint64_t replies = 0;    ///< in time: whole answers; sequential, concurrent: connections
  uint64_t all = 0;        ///< with those before and after the time that was measured
  uint64_t wrong = 0;      ///< of all
  int64_t elapsed_ns = 0;  ///< the time that was measured
  double p50_ns = 0;  ///< paced: since a message was due; sequential, concurrent: of a connection; flood: of the small
  double p99_ns = 0;
  uint64_t bytes = 0;  ///< never_read: sent

  [[nodiscard]] double per_second() const {
    return elapsed_ns == 0 ? 0 : static_cast<double>(replies) * 1e9 / static_cast<double>(elapsed_ns);
  }
};

/// The clients of one server, in a process of their own on the other processor. Between tasks they sleep.
class LoadProcess {
 public:
  /// Opens so many connections to that port of 127.0.0.1, from several addresses of 127.0.0.0/8, since one has not
  /// enough ports; sends a message through each and has its answer. Throws std::runtime_error when that fails.
  LoadProcess(uint16_t port, std::size_t connections);
  ~LoadProcess();
  LoadProcess(const LoadProcess&) = delete;
  LoadProcess& operator=(const LoadProcess&) = delete;

  /// Throws std::runtime_error when the process has died.
  [[nodiscard]] Outcome run(const Task& task);

 private:
  pid_t process_ = 0;
  int line_ = -1;
};

}  // namespace wakepath::bench
