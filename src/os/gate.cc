#include "src/os/gate.hh"

#include <chrono>

namespace wakepath::os {

void Gate::enter(Pass pass, bool returning) {
  if (!try_enter(pass, returning)) wait(pass, returning);
}

bool Gate::try_enter(Pass pass, bool returning) {
  Pass nobody = 0;
  return (returning || returning_.load() == 0) && holder_.compare_exchange_strong(nobody, pass);
}

void Gate::wait(Pass pass, bool returning) {
  std::unique_lock hold(lock_);
  ++waiting_;
  if (returning) ++returning_;
  for (;;) {
    const Pass blocker = holder_.load();
    const auto entered = [&] { return try_enter(pass, returning); };
    if (freed_.wait_for(hold, std::chrono::milliseconds(kPatienceMs), entered)) break;
    Pass still = blocker;
    if (blocker != 0) holder_.compare_exchange_strong(still, 0);
  }
  if (returning) --returning_;
  --waiting_;
  if (waiting_.load() > 0) freed_.notify_all();  // an entry may have waited for this return alone
}

void Gate::leave(Pass pass) {
  if (!holder_.compare_exchange_strong(pass, 0) || waiting_.load() == 0) return;
  { std::lock_guard hold(lock_); }  // whoever has just found the gate taken sleeps by now
  freed_.notify_all();
}

}  // namespace wakepath::os
