#include "src/os/mutex.hh"

#include <cerrno>
#include <climits>

namespace wakepath::os {

void MutexWord::lock(Os& os) {
  uint32_t seen = 0;
  if (state_.compare_exchange_strong(seen, 1, std::memory_order_acquire)) return;
  // Whoever has waited once takes the lock as "waited for": it cannot know whether others wait too.
  while (state_.exchange(2, std::memory_order_acquire) != 0) os.park(state_, 2, -1);
}

void MutexWord::unlock(Os& os) {
  if (state_.exchange(0, std::memory_order_release) == 2) os.unpark(state_, 1);
}

int Condition::wait(Mutex& mutex, int64_t timeout_ns) {
  const uint32_t seen = signals_.load(std::memory_order_acquire);
  waiters_.fetch_add(1);
  mutex.unlock();
  const int result = os_.park(signals_, seen, timeout_ns);  // a signal since `seen` makes this -EAGAIN: not lost
  waiters_.fetch_sub(1);
  mutex.lock();
  return result == -ETIMEDOUT || result == -ECANCELED ? result : 0;
}

void Condition::notify(int count) {
  signals_.fetch_add(1);
  if (waiters_.load() > 0) os_.unpark(signals_, count);
}

void Condition::notify_all() { notify(INT_MAX); }

}  // namespace wakepath::os
