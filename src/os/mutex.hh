#pragma once

#include <atomic>
#include <cstdint>

#include "src/os/os.hh"

namespace wakepath::os {

/// The lock of a Mutex without the Os: four bytes, for those who have many. Whoever takes it brings the Os along.
class MutexWord {
 public:
  void lock(Os& os);
  void unlock(Os& os);

 private:
  /// 0 free, 1 held, 2 held and perhaps waited for.
  std::atomic<uint32_t> state_{0};
};

/// Holds a MutexWord from here to the end of the block.
class WordLock {
 public:
  WordLock(Os& os, MutexWord& word) : os_(os), word_(word) { word_.lock(os_); }
  ~WordLock() { word_.unlock(os_); }
  WordLock(const WordLock&) = delete;
  WordLock& operator=(const WordLock&) = delete;

 private:
  Os& os_;
  MutexWord& word_;
};

/// A mutual exclusion lock over park and unpark. Taking a free lock and giving up one that nobody waits for makes no
/// call at all, so that a recording shows contention and nothing else.
/// Not recursive. Works with std::lock_guard's shape: lock(), unlock().
class Mutex {
 public:
  explicit Mutex(Os& os) : os_(os) {}
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void lock() { word_.lock(os_); }
  void unlock() { word_.unlock(os_); }

 private:
  Os& os_;
  MutexWord word_;
};

/// Holds a Mutex from here to the end of the block.
class Lock {
 public:
  explicit Lock(Mutex& mutex) : mutex_(mutex) { mutex_.lock(); }
  ~Lock() { mutex_.unlock(); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  Mutex& mutex_;
};

/// A condition variable over park and unpark. wait() may return without a reason: look again, always.
/// Notifying makes no call while nobody waits.
class Condition {
 public:
  explicit Condition(Os& os) : os_(os) {}
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;

  /// The caller holds `mutex`; it is released while waiting and held again on return.
  /// Returns 0, -ETIMEDOUT after `timeout_ns` (negative: none), or -ECANCELED: stop waiting, the machine goes down.
  int wait(Mutex& mutex, int64_t timeout_ns = -1);
  void notify_one() { notify(1); }
  void notify_all();

 private:
  void notify(int count);
  Os& os_;
  std::atomic<uint32_t> signals_{0};
  std::atomic<uint32_t> waiters_{0};
};

}  // namespace wakepath::os
