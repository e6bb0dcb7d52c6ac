#include "src/mirror/gate.hh"

#include <chrono>

namespace wakepath::mirror {

Gate::Pass Gate::enter(bool returning) {
  std::unique_lock hold(lock_);
  if (returning) ++returning_;
  const auto free = [&] { return holder_ == 0 && (returning || returning_ == 0); };
  while (!free()) {
    const Pass blocker = holder_;
    const bool in_time = freed_.wait_for(hold, std::chrono::milliseconds(kPatienceMs), free);
    if (!in_time && holder_ == blocker && holder_ != 0 && in_call_) holder_ = 0;
  }
  if (returning) --returning_;
  holder_ = ++last_;
  in_call_ = false;
  return holder_;
}

void Gate::leave(Pass pass) {
  {
    std::lock_guard hold(lock_);
    if (holder_ != pass) return;
    holder_ = 0;
  }
  freed_.notify_all();
}

void Gate::calling(Pass pass) {
  std::lock_guard hold(lock_);
  if (holder_ == pass) in_call_ = true;
}

bool Gate::back(Pass pass) {
  std::lock_guard hold(lock_);
  if (holder_ != pass) return false;
  in_call_ = false;
  return true;
}

}  // namespace wakepath::mirror
