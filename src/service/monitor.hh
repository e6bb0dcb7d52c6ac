#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "src/os/mutex.hh"
#include "src/service/message.hh"

namespace wakepath::service {

/// What one thread is doing, for the monitor: a counter that it raises with every message, and for whom.
class Watch {
 public:
  void begins(Handle service) {
    service_.store(service, std::memory_order_relaxed);
    version_.fetch_add(1, std::memory_order_seq_cst);  // odd: in a callback
  }
  void ends() { version_.fetch_add(1, std::memory_order_release); }

 private:
  friend class Monitor;
  std::atomic<uint64_t> version_{0};
  std::atomic<Handle> service_{0};
};

/// Looks every few seconds at what the threads do, and says which service has been in the same callback since the last
/// look: it loops, or waits for something that does not come. While nothing happens at all, it does not look either.
class Monitor {
 public:
  static constexpr int64_t kPeriodNs = 5'000'000'000;
  using Report = std::function<void(Handle)>;

  Monitor(os::Os& os, int64_t period_ns) : os_(os), period_ns_(period_ns), lock_(os), wake_(os) {}

  /// Before the threads start. The reference stays good.
  Watch& add();
  /// A watched thread has begun something: the monitor should look again in a while.
  void notice() {
    if (resting_.load(std::memory_order_seq_cst)) wake();
  }
  /// The services that are in the same callback as at the last look. One caller at a time.
  std::vector<Handle> look();
  /// The monitor's thread; until stop().
  void run(const Report& stuck);
  void stop();

 private:
  struct Watched {
    Watch watch;
    uint64_t seen = 0;
  };
  void wake();
  bool anything_new();

  os::Os& os_;
  int64_t period_ns_;
  std::deque<Watched> watched_;
  os::Mutex lock_;
  os::Condition wake_;
  std::atomic<bool> resting_{false};
  bool stopped_ = false;
};

}  // namespace wakepath::service
