#pragma once

#include <cstdint>
#include <queue>
#include <vector>

#include "src/os/mutex.hh"
#include "src/service/message.hh"

namespace wakepath::service {

/// Deadlines of services. One thread waits for them and sleeps exactly until the next one, or for ever when there is
/// none: no tick. Deadlines of the same time come in the order in which they were added.
class Timers {
 public:
  struct Due {
    Handle service = 0;
    Session session = 0;
  };

  explicit Timers(os::Os& os) : os_(os), lock_(os), sooner_(os) {}

  /// Any thread. `deadline_ns` of Os::monotonic_ns().
  void add(int64_t deadline_ns, Due due);
  /// The timer thread: all that are due, at least one; waits for it. False after stop().
  bool wait(std::vector<Due>& due);
  void stop();
  size_t size();

 private:
  struct Entry {
    int64_t deadline_ns;
    uint64_t serial;
    Due due;
    bool operator>(const Entry& other) const {
      return deadline_ns != other.deadline_ns ? deadline_ns > other.deadline_ns : serial > other.serial;
    }
  };

  os::Os& os_;
  os::Mutex lock_;
  os::Condition sooner_;  // the first deadline has changed
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> entries_;
  uint64_t last_serial_ = 0;
  bool stopped_ = false;
};

}  // namespace wakepath::service
