#include "sim/kernel/futex.hh"

#include <algorithm>

#include "sim/kernel/kernel.hh"
#include "sim/kernel/signal.hh"

namespace wakepath::kernel {

namespace {

/// Off the queue. False: whoever woke it has taken it off before.
bool futex_unqueue(Kernel& k, const futex_q* q) { return std::erase(k.futex_queue, q) != 0; }

/// A waiter that is dropped in its sleep (its task is killed) must not stay on the queue.
struct QueuedWhile {
  Kernel& k;
  futex_q q;
  ~QueuedWhile() { futex_unqueue(k, &q); }
};

long futex_wait_setup(Kernel& k, futex_q* q, u32 expected) {
  Call call(k, Fn::futex_wait_setup, q->task);
  if (q->key->load() != expected) return call.result(k.error(Rule::futex_value_changed, nullptr));
  set_current_state(k, TaskState::TASK_INTERRUPTIBLE);
  k.futex_queue.push_back(q);
  return call.result(0);
}

MaySleep<bool> futex_do_wait(Kernel& k, u64 deadline_ns) {
  Call call(k, Fn::futex_do_wait, k.current());
  bool in_time = co_await hrtimer_sleep(k, deadline_ns);
  set_current_state(k, TaskState::TASK_RUNNING);
  co_return call.result(in_time);
}

MaySleep<long> __futex_wait(Kernel& k, futex_q* q, u32 expected, u64 deadline_ns) {
  Call call(k, Fn::__futex_wait, q->task);
  do {
    if (long error = futex_wait_setup(k, q, expected); error != 0) co_return call.result(error);
    bool in_time = co_await futex_do_wait(k, deadline_ns);
    if (!futex_unqueue(k, q)) co_return call.result(0);
    if (!in_time) co_return call.result(k.error(Rule::futex_timed_out, nullptr));
  } while (!signal_pending(k));
  co_return call.result(-ERESTARTSYS);
}

void futex_wake_mark(Kernel& k, futex_q* q) {
  Call call(k, Fn::futex_wake_mark, q->task);
  futex_unqueue(k, q);
}

void wake_up_q(Kernel& k, const std::vector<task_struct*>& wake_q) {
  Call call(k, Fn::wake_up_q, nullptr);
  for (task_struct* task : wake_q) try_to_wake_up(k, task);
}

MaySleep<long> futex_wait(Kernel& k, const std::atomic<u32>& word, u32 number, u32 expected, u64 deadline_ns) {
  Call call(k, Fn::futex_wait, k.current());
  QueuedWhile waiter{k, {&word, number, k.current()}};
  long result = co_await __futex_wait(k, &waiter.q, expected, deadline_ns);
  if (result == -ERESTARTSYS && deadline_ns != kForever) result = -ERESTART_RESTARTBLOCK;
  co_return call.result(result);
}

long futex_wake(Kernel& k, const std::atomic<u32>& word, int count) {
  Call call(k, Fn::futex_wake, nullptr);
  std::vector<task_struct*> wake_q;
  for (std::size_t i = 0; i < k.futex_queue.size() && static_cast<int>(wake_q.size()) < count;) {
    futex_q* q = k.futex_queue[i];
    if (q->key != &word) {
      ++i;
      continue;
    }
    wake_q.push_back(q->task);
    futex_wake_mark(k, q);
  }
  wake_up_q(k, wake_q);
  return call.result(static_cast<long>(wake_q.size()));
}

}  // namespace

u32 futex_number(const Kernel& k, const std::atomic<u32>& word) {
  auto same = [&](const futex_q* q) { return q->key == &word; };
  auto found = std::find_if(k.futex_queue.begin(), k.futex_queue.end(), same);
  return found != k.futex_queue.end() ? (*found)->number : 0;
}

MaySleep<long> do_futex_wait(Kernel& k, const std::atomic<u32>& word, u32 number, u32 expected, u64 deadline_ns) {
  Call call(k, Fn::do_futex, k.current());
  co_return call.result(co_await futex_wait(k, word, number, expected, deadline_ns));
}

long do_futex_wake(Kernel& k, const std::atomic<u32>& word, int count) {
  Call call(k, Fn::do_futex, k.current());
  return call.result(futex_wake(k, word, count));
}

namespace {

/// False: a signal came first.
MaySleep<bool> do_nanosleep(Kernel& k, u64 deadline_ns) {
  Call call(k, Fn::do_nanosleep, k.current());
  bool runs = true;
  do {
    set_current_state(k, TaskState::TASK_INTERRUPTIBLE);
    runs = co_await hrtimer_sleep(k, deadline_ns);
  } while (runs && !signal_pending(k));
  set_current_state(k, TaskState::TASK_RUNNING);
  co_return call.result(!runs);
}

}  // namespace

MaySleep<long> hrtimer_nanosleep(Kernel& k, u64 deadline_ns) {
  Call call(k, Fn::hrtimer_nanosleep, k.current());
  bool slept = co_await do_nanosleep(k, deadline_ns);
  co_return call.result(slept ? 0L : static_cast<long>(-ERESTART_RESTARTBLOCK));
}

}  // namespace wakepath::kernel
