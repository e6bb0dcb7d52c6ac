#include "src/service/monitor.hh"

#include <cerrno>

namespace wakepath::service {

Watch& Monitor::add() { return watched_.emplace_back().watch; }

std::vector<Handle> Monitor::look() {
  std::vector<Handle> stuck;
  for (Watched& thread : watched_) {
    const uint64_t version = thread.watch.version_.load(std::memory_order_acquire);
    if (version % 2 == 1 && version == thread.seen) stuck.push_back(thread.watch.service_.load());
    thread.seen = version;
  }
  return stuck;
}

bool Monitor::anything_new() {
  for (const Watched& thread : watched_) {
    const uint64_t version = thread.watch.version_.load(std::memory_order_seq_cst);
    if (version % 2 == 1 || version != thread.seen) return true;
  }
  return false;
}

void Monitor::run(const Report& stuck) {
  os::Lock hold(lock_);
  while (!stopped_) {
    // First say that a wake-up is wanted, then look once more: whoever begins in between is seen by one of both.
    resting_.store(true, std::memory_order_seq_cst);
    if (!anything_new()) {
      if (wake_.wait(lock_) == -ECANCELED) return;
      continue;
    }
    resting_.store(false, std::memory_order_seq_cst);
    const int64_t until_ns = os_.monotonic_ns() + period_ns_;
    for (int64_t left_ns = period_ns_; left_ns > 0 && !stopped_; left_ns = until_ns - os_.monotonic_ns())
      if (const int result = wake_.wait(lock_, left_ns); result != 0) {
        if (result == -ECANCELED) return;
        break;
      }
    if (stopped_) return;
    for (const Handle service : look()) stuck(service);
  }
}

void Monitor::wake() {
  os::Lock hold(lock_);
  if (resting_.exchange(false)) wake_.notify_one();
}

void Monitor::stop() {
  os::Lock hold(lock_);
  stopped_ = true;
  wake_.notify_one();
}

}  // namespace wakepath::service
