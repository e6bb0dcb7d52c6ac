#include "src/service/run_queue.hh"

#include <algorithm>
#include <cerrno>

namespace wakepath::service {

void RunQueue::push(Context& context) {
  bool wake = false;
  {
    os::Lock hold(lock_);
    context.next = nullptr;
    if (tail_ != nullptr) tail_->next = &context;
    if (head_ == nullptr) head_ = &context;
    tail_ = &context;
    wake = woken_ < sleeping_;
    if (wake) ++woken_;
  }
  if (wake) something_.notify_one();
}

Context* RunQueue::take() {
  Context* context = head_;
  if (context == nullptr) return nullptr;
  head_ = context->next;
  if (head_ == nullptr) tail_ = nullptr;
  context->next = nullptr;
  return context;
}

Context* RunQueue::try_pop() {
  os::Lock hold(lock_);
  return take();
}

Context* RunQueue::pop() {
  os::Lock hold(lock_);
  while (head_ == nullptr && !stopped_) {
    ++sleeping_;
    const int result = something_.wait(lock_);
    --sleeping_;
    // A wake-up without a reason may use up somebody else's; the other one then finds nothing and sleeps on.
    woken_ = std::max(0, woken_ - 1);
    if (result == -ECANCELED) return nullptr;
  }
  return take();
}

void RunQueue::stop() {
  {
    os::Lock hold(lock_);
    stopped_ = true;
  }
  something_.notify_all();
}

}  // namespace wakepath::service
