#include "sim/kernel/sched.hh"
#include "sim/kernel/timer.hh"

#include "sim/kernel/kernel.hh"
#include "sim/kernel/signal.hh"
#include "sim/kernel/smp.hh"

namespace wakepath::kernel {

namespace {

void join_at_end(wait_queue_head& queue, wait_queue_entry* entry) {
  if (entry->entry.linked()) return;
  entry->passed_over = false;
  queue.head.push_back(entry);
}

}  // namespace

void task_struct::describe(record::KindBuilder<task_struct>& b) {
  b.field(&task_struct::comm, "comm")
      .field(&task_struct::pid, "pid")
      .field(&task_struct::tgid, "tgid")
      .field(&task_struct::__state, "__state")
      .field(&task_struct::cpu, "thread_info.cpu")
      .field(&task_struct::files, "files")
      .field(&task_struct::sighand, "sighand")
      .field(&task_struct::blocked, "blocked")
      .field(&task_struct::pending_signal, "pending.signal")
      .field(&task_struct::sigpending, "TIF_SIGPENDING")
      .field(&task_struct::restore_sigmask, "restore_sigmask")
      .field(&task_struct::saved_sigmask, "saved_sigmask")
      .field(&task_struct::rlimit_nofile, "rlim[RLIMIT_NOFILE].rlim_cur");
}

void wait_queue_entry::describe(record::KindBuilder<wait_queue_entry>& b) {
  b.field(&wait_queue_entry::flags, "flags")
      .field(&wait_queue_entry::private_, "private")
      .field(&wait_queue_entry::func, "func");
}

void wait_queue_head::describe(record::KindBuilder<wait_queue_head>& b) { b.field(&wait_queue_head::head, "head"); }

StackWaitEntry::StackWaitEntry(Kernel& k, wait_queue_func_t func) : k_(k), entry_(k.wait_entries.make()) {
  entry_->private_ = k.current();
  entry_->func = func;
}

StackWaitEntry::~StackWaitEntry() {
  unlink_wait_entry(entry_);
  k_.wait_entries.free(entry_);
}

void add_wait_queue(Kernel& k, wait_queue_head& queue, StackWaitEntry& entry) {
  Call call(k, Fn::add_wait_queue, &queue);
  queue.head.push_front(entry.get());
}

void add_wait_queue_exclusive(Kernel& k, wait_queue_head& queue, StackWaitEntry& entry) {
  entry.get()->flags |= WQ_FLAG_EXCLUSIVE;
  if (k.mutant(Mutant::epoll_waiters_fifo))
    queue.head.push_back(entry.get());
  else
    queue.head.push_front(entry.get());
}

void unlink_wait_entry(wait_queue_entry* entry) {
  using Queue = decltype(wait_queue_head::head);
  if (entry->entry.linked()) const_cast<Queue*>(static_cast<const Queue*>(entry->entry.list.get()))->erase(entry);
}

void remove_wait_queue(Kernel& k, StackWaitEntry& entry) {
  Call call(k, Fn::remove_wait_queue, entry.get());
  unlink_wait_entry(entry.get());
}

void prepare_to_wait(Kernel& k, wait_queue_head& queue, StackWaitEntry& entry) {
  Call call(k, Fn::prepare_to_wait, &queue);
  if (!entry.get()->entry.linked()) queue.head.push_front(entry.get());
  set_current_state(k, TaskState::TASK_INTERRUPTIBLE);
}

void prepare_to_wait_exclusive(Kernel& k, wait_queue_head& queue, StackWaitEntry& entry) {
  Call call(k, Fn::prepare_to_wait_exclusive, &queue);
  if (!k.mutant(Mutant::sleepers_not_exclusive)) entry.get()->flags |= WQ_FLAG_EXCLUSIVE;
  join_at_end(queue, entry.get());
  set_current_state(k, TaskState::TASK_INTERRUPTIBLE);
}

void finish_wait(Kernel& k, StackWaitEntry& entry) {
  Call call(k, Fn::finish_wait, entry.get());
  set_current_state(k, TaskState::TASK_RUNNING);
  unlink_wait_entry(entry.get());
}

void __wake_up_common(Kernel& k, wait_queue_head& queue, int nr_exclusive, bool sync, poll_t key) {
  Call call(k, Fn::__wake_up_common, &queue);
  for (wait_queue_entry* entry : queue.head) {
    bool exclusive = (entry->flags & WQ_FLAG_EXCLUSIVE) != 0;  // read first: the callback may unlink and free it
    int woke = entry->func(k, entry, sync, key);
    if (woke < 0) break;
    if (woke > 0 && exclusive && --nr_exclusive == 0) break;
  }
}

void __wake_up(Kernel& k, wait_queue_head& queue, poll_t key) {
  Call call(k, Fn::__wake_up, &queue);
  __wake_up_common(k, queue, 1, false, key);
}

void __wake_up_sync_key(Kernel& k, wait_queue_head& queue, poll_t key) {
  Call call(k, Fn::__wake_up_sync_key, &queue);
  __wake_up_common(k, queue, 1, true, key);
}

void __wake_up_sync(Kernel& k, wait_queue_head& queue) {
  Call call(k, Fn::__wake_up_sync, &queue);
  __wake_up_common(k, queue, 1, true, POLL_NONE);
}

void __wake_up_locked_key(Kernel& k, wait_queue_head& queue, poll_t key) {
  Call call(k, Fn::__wake_up_locked_key, &queue);
  __wake_up_common(k, queue, 1, false, key);
}

bool try_to_wake_up(Kernel& k, task_struct* task) {
  Call call(k, Fn::try_to_wake_up, task);
  if (task->__state == TaskState::TASK_RUNNING || task->__state == TaskState::TASK_WAKING) return call.result(false);
  std::uint32_t cause = k.recorder.wake(task->thread->id(), record::object_of(task));
  bool off_cpu = !k.runqueues.empty() && !task->group_node.linked();  // else it has not got to sleep yet
  if (off_cpu) {
    ttwu_queue(k, task, cause);
  } else {
    task->__state = TaskState::TASK_RUNNING;
    k.scheduler.wake(*task->thread, cause);
  }
  return call.result(true);
}

int default_wake_function(Kernel& k, wait_queue_entry* entry, bool, poll_t) {
  return try_to_wake_up(k, entry->private_) ? 1 : 0;
}

int autoremove_wake_function(Kernel& k, wait_queue_entry* entry, bool sync, poll_t key) {
  Call call(k, Fn::autoremove_wake_function, entry);
  int woke = default_wake_function(k, entry, sync, key);
  if (woke != 0) unlink_wait_entry(entry);
  return call.result(woke);
}

int woken_wake_function(Kernel& k, wait_queue_entry* entry, bool sync, poll_t key) {
  Call call(k, Fn::woken_wake_function, entry);
  entry->flags |= WQ_FLAG_WOKEN;
  return call.result(default_wake_function(k, entry, sync, key));
}

void set_current_state(Kernel& k, TaskState state) { k.current()->__state = state; }

MaySleep<> schedule(Kernel& k) {
  Call call(k, Fn::schedule, k.current());
  if (signal_pending(k)) set_current_state(k, TaskState::TASK_RUNNING);
  if (k.current()->__state == TaskState::TASK_RUNNING) co_return;
  Call inner(k, Fn::__schedule, k.current());
  task_leaves(k, k.current());
  co_await k.scheduler.schedule();
  task_runs(k, k.current());
}

long do_wait_intr_irq(Kernel& k, wait_queue_head& queue, StackWaitEntry& entry) {
  Call call(k, Fn::do_wait_intr_irq, &queue);
  join_at_end(queue, entry.get());
  set_current_state(k, TaskState::TASK_INTERRUPTIBLE);
  return call.result(signal_pending(k) ? -ERESTARTSYS : 0);
}

namespace {

using StartTimer = void (*)(Kernel&, engine::Timer&, u64, const void*);
using RunTimer = void (*)(Kernel&, Fn, const void*, const std::function<void()>&);

/// A sleeping task's timer, on its stack.
struct SleepTimer {
  engine::Timer timer;
  Kernel& k;
  task_struct* task;
  Fn expired;
  RunTimer run;
  bool passed = false;

  SleepTimer(Kernel& kernel, task_struct* sleeper, Fn name, RunTimer context)
      : k(kernel), task(sleeper), expired(name), run(context) {
    timer.function = [](void*, engine::Timer& due) {
      auto* self = container_of(&due, &SleepTimer::timer);
      self->run(self->k, self->expired, self->task, [self] {
        self->passed = true;
        try_to_wake_up(self->k, self->task);
      });
    };
  }
  ~SleepTimer() { k.scheduler.cancel(timer); }
  SleepTimer(const SleepTimer&) = delete;
  SleepTimer& operator=(const SleepTimer&) = delete;
};

/// Starts a timer that wakes the task, sleeps, and stops it. False when the time passed first. `start`: what kind of
/// timer it is; `run`: in which context such a timer expires.
MaySleep<bool> sleep_until(Kernel& k, u64 deadline_ns, Fn expired, StartTimer start, RunTimer run) {
  if (deadline_ns == kForever) {
    co_await schedule(k);
    co_return true;
  }
  SleepTimer sleep(k, k.current(), expired, run);
  start(k, sleep.timer, deadline_ns, k.current());
  co_await schedule(k);
  co_return !sleep.passed;
}

}  // namespace

void hrtimer_interrupt(Kernel& k, Fn timer, const void* subject, const std::function<void()>& body) {
  TimerInterrupt interrupt(k);
  Call hrtimer(k, Fn::hrtimer_interrupt, nullptr);
  Call run(k, Fn::__hrtimer_run_queues, nullptr);
  Call call(k, timer, subject);
  body();
}

MaySleep<u64> schedule_timeout(Kernel& k, u64 timeout_ns) {
  Call call(k, Fn::schedule_timeout, k.current());
  if (timeout_ns == kForever) {
    co_await schedule(k);
    co_return kForever;
  }
  u64 deadline = k.now_ns() + timeout_ns;
  co_await sleep_until(k, deadline, Fn::process_timeout, __mod_timer, timer_softirq);
  co_return deadline > k.now_ns() ? deadline - k.now_ns() : 0;
}

MaySleep<bool> schedule_hrtimeout_range(Kernel& k, u64 deadline_ns) {
  Call call(k, Fn::schedule_hrtimeout_range_clock, k.current());
  bool in_time = co_await sleep_until(k, deadline_ns, Fn::hrtimer_wakeup, hrtimer_start_range_ns, hrtimer_interrupt);
  co_return call.result(in_time);
}

MaySleep<bool> hrtimer_sleep(Kernel& k, u64 deadline_ns) {
  co_return co_await sleep_until(k, deadline_ns, Fn::hrtimer_wakeup, hrtimer_start_range_ns, hrtimer_interrupt);
}

MaySleep<u64> wait_woken(Kernel& k, StackWaitEntry& entry, u64 timeout_ns) {
  Call call(k, Fn::wait_woken, k.current());
  co_await k.scheduler.preempt();
  set_current_state(k, TaskState::TASK_INTERRUPTIBLE);
  if ((entry.get()->flags & WQ_FLAG_WOKEN) == 0) timeout_ns = co_await schedule_timeout(k, timeout_ns);
  set_current_state(k, TaskState::TASK_RUNNING);
  entry.get()->flags &= static_cast<wq_flags>(~static_cast<u32>(WQ_FLAG_WOKEN));
  co_return timeout_ns;
}

}  // namespace wakepath::kernel
