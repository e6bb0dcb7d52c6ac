#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace wakepath::mirror {

/// Whoever holds the gate may touch the model. A call that cannot sleep holds it from its entry to its return, so that
/// the order of these calls is known; a call that has slept passes through it when it returns.
///
/// Not a std::mutex, for two reasons. Returns of calls that slept go before entries: such a call was over earlier. And
/// a holder that sleeps all the same (its call was expected not to) is passed by after kPatienceMs, so that an
/// instrument never stops the program that it watches.
class Gate {
 public:
  using Pass = uint64_t;
  static constexpr int kPatienceMs = 250;

  /// Waits for the gate. `returning`: a call that slept is back.
  Pass enter(bool returning);
  /// Gives it back; no effect with a pass that somebody was tired of waiting for.
  void leave(Pass pass);
  /// The holder makes its system call and does not touch the model until back(): only then is it passed by.
  void calling(Pass pass);
  /// The holder's call is over. False: somebody was tired of waiting, the pass holds no longer.
  bool back(Pass pass);

 private:
  std::mutex lock_;
  std::condition_variable freed_;
  Pass holder_ = 0;  // 0: free
  Pass last_ = 0;
  bool in_call_ = false;
  int returning_ = 0;
};

/// The gate for the length of a block.
class Passing {
 public:
  explicit Passing(Gate& gate, bool returning = false) : gate_(gate), pass_(gate.enter(returning)) {}
  ~Passing() { gate_.leave(pass_); }
  Passing(const Passing&) = delete;
  Passing& operator=(const Passing&) = delete;

 private:
  Gate& gate_;
  Gate::Pass pass_;
};

}  // namespace wakepath::mirror
