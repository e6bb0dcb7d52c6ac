#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace wakepath::os {

/// Whoever holds the gate makes a system call that cannot sleep, from before the call to after it: so the order of
/// these calls is known, and it is the kernel's. A call that has slept passes through the gate when it returns.
///
/// Not a std::mutex, for two reasons. Returns of calls that slept go before entries: such a call was over earlier. And
/// a holder that sleeps all the same (its call was expected not to) is passed by after kPatienceMs, so that an
/// instrument never stops the program that it watches. Without contention it costs two writes to one word.
class Gate {
 public:
  using Pass = uint64_t;  ///< no two of the same gate are the same; 0: none
  static constexpr int kPatienceMs = 250;

  /// Waits for the gate, and holds it under `pass`. `returning`: a call that slept is back.
  void enter(Pass pass, bool returning);
  /// Whether it is still held under `pass`: false when somebody was tired of waiting.
  bool holds(Pass pass) const { return holder_.load() == pass; }
  /// Gives it back; no effect when somebody was tired of waiting.
  void leave(Pass pass);

 private:
  bool try_enter(Pass pass, bool returning);
  void wait(Pass pass, bool returning);

  std::atomic<Pass> holder_{0};  // 0: free
  std::atomic<int> waiting_{0};
  std::atomic<int> returning_{0};  // of these, calls that are back
  std::mutex lock_;
  std::condition_variable freed_;
};

}  // namespace wakepath::os
