#include "src/service/timers.hh"

#include <cerrno>

namespace wakepath::service {

void Timers::add(int64_t deadline_ns, Due due) {
  bool first = false;
  {
    os::Lock hold(lock_);
    first = entries_.empty() || deadline_ns < entries_.top().deadline_ns;
    entries_.push({.deadline_ns = deadline_ns, .serial = ++last_serial_, .due = due});
  }
  if (first) sooner_.notify_one();
}

bool Timers::wait(std::vector<Due>& due) {
  due.clear();
  os::Lock hold(lock_);
  while (!stopped_) {
    if (entries_.empty()) {
      if (sooner_.wait(lock_) == -ECANCELED) return false;
      continue;
    }
    const int64_t now_ns = os_.monotonic_ns();
    const int64_t left_ns = entries_.top().deadline_ns - now_ns;
    if (left_ns > 0) {
      if (sooner_.wait(lock_, left_ns) == -ECANCELED) return false;
      continue;
    }
    while (!entries_.empty() && entries_.top().deadline_ns <= now_ns) {
      due.push_back(entries_.top().due);
      entries_.pop();
    }
    return true;
  }
  return false;
}

void Timers::stop() {
  {
    os::Lock hold(lock_);
    stopped_ = true;
  }
  sooner_.notify_one();
}

size_t Timers::size() {
  os::Lock hold(lock_);
  return entries_.size();
}

}  // namespace wakepath::service
