#pragma once

#include "src/os/mutex.hh"
#include "src/service/context.hh"

namespace wakepath::service {

/// The contexts that have something to do and that nobody runs yet, each at most once; worker threads take them.
/// A worker sleeps exactly while there is none, and one is woken for each that comes while some sleep.
class RunQueue {
 public:
  explicit RunQueue(os::Os& os) : lock_(os), something_(os) {}

  /// Any thread. The caller has set context.scheduled.
  void push(Context& context);
  /// The next one; waits for it. Null when there is none and stop() was called.
  Context* pop();
  /// The next one, or null.
  Context* try_pop();
  void stop();

 private:
  Context* take();

  os::Mutex lock_;
  os::Condition something_;
  Context* head_ = nullptr;
  Context* tail_ = nullptr;
  int sleeping_ = 0;  // in pop()
  int woken_ = 0;     // of these: have been woken and have not got the lock yet
  bool stopped_ = false;
};

}  // namespace wakepath::service
