#include "sim/engine/scheduler.hh"

#include <algorithm>

namespace wakepath::engine {

namespace {

/// How much of the stack calls may nest in before they take to the heap.
constexpr std::uintptr_t kStack = 64 * 1024;

/// The task is the running one while this lives.
class RunningScope {
 public:
  explicit RunningScope(std::coroutine_handle<>& leaf) : before_(detail::running) {
    detail::running = {&leaf, reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)) - kStack};
  }
  ~RunningScope() { detail::running = before_; }
  RunningScope(const RunningScope&) = delete;
  RunningScope& operator=(const RunningScope&) = delete;

 private:
  detail::Running before_;
};

}  // namespace

Task& Scheduler::add_task() {
  tasks_.push_back(std::make_unique<Task>(static_cast<trace::TaskId>(tasks_.size() + 1)));
  return *tasks_.back();
}

void Scheduler::start(Task& task, MaySleep<long> call) {
  WP_BUG_ON(&recorder_, task.in_call() || task.runnable_);
  task.root_.emplace(std::move(call));
  task.leaf_ = task.root_->handle();
  task.runnable_ = true;
  run_queue_.push_back(&task);
}

void Scheduler::wake(Task& task, std::uint32_t cause) {
  if (task.runnable_ || !task.in_call()) return;
  task.runnable_ = true;
  task.cause_ = cause;
  run_queue_.push_back(&task);
}

void Scheduler::Schedule::await_suspend(std::coroutine_handle<> leaf) const {
  Task& task = *scheduler.current_;
  task.leaf_ = leaf;
  task.sleeping_ = true;
}

void Scheduler::Preempt::await_suspend(std::coroutine_handle<> leaf) const {
  Task& task = *scheduler.current_;
  task.leaf_ = leaf;
  task.sleeping_ = true;
  if (!task.runnable_ && scheduler.cpus_ > 1)
    scheduler.run_queue_.push_front(&task);  // its own CPU goes on with it
  else if (!task.runnable_)
    scheduler.run_queue_.push_back(&task);
  task.runnable_ = true;
}

void Scheduler::set_cpus(unsigned cpus) {
  cpus_ = cpus;
  preemptible_ = cpus > 1;
}

/// Taken off the run queue; nullptr when all CPUs are idle.
Task* Scheduler::next_task() {
  auto next = run_queue_.begin();
  for (unsigned i = 1; cpus_ > 1 && i <= cpus_; ++i) {
    unsigned cpu = (turn_ + i) % cpus_;
    next = std::find_if(run_queue_.begin(), run_queue_.end(), [&](const Task* task) { return task->cpu_ == cpu; });
    if (next == run_queue_.end()) continue;
    turn_ = cpu;
    break;
  }
  if (next == run_queue_.end()) return nullptr;
  Task* task = *next;
  run_queue_.erase(next);
  return task;
}

void Scheduler::resume(Task& task) {
  current_ = &task;
  cpu_ = task.cpu_;
  recorder_.run(task.id_, task.cause_);
  task.cause_ = trace::kNoCause;
  task.sleeping_ = false;
  // Woken while still on its way to sleep: `runnable_` is set again by wake() and the queue holds it once more.
  task.runnable_ = false;
  {
    RunningScope running(task.leaf_);
    while (task.leaf_ && !task.sleeping_) task.leaf_.resume();
  }
  if (!task.leaf_) {
    task.result_ = task.root_->handle().promise().take();
    task.root_.reset();
    // a wake-up that its last call did not need is no reason to run when there is nothing to run
    if (task.runnable_) run_queue_.erase(std::find(run_queue_.begin(), run_queue_.end(), &task));
    task.runnable_ = false;
  }
  current_ = nullptr;
}

void Scheduler::run_until_idle() {
  WP_BUG_ON(&recorder_, current_ != nullptr);
  for (;;) {
    if (interrupt && interrupt()) continue;
    Task* task = next_task();
    if (task == nullptr) break;
    resume(*task);
  }
  recorder_.run(0, trace::kNoCause);
}

bool Scheduler::run_task(Task& task) {
  WP_BUG_ON(&recorder_, current_ != nullptr);
  bool ran = false;
  while (task.runnable_) {
    run_queue_.erase(std::find(run_queue_.begin(), run_queue_.end(), &task));
    resume(task);
    ran = true;
  }
  recorder_.run(0, trace::kNoCause);
  return ran;
}

void Scheduler::run_slice(Task& task) {
  WP_BUG_ON(&recorder_, current_ != nullptr || !task.runnable_);
  run_queue_.erase(std::find(run_queue_.begin(), run_queue_.end(), &task));
  resume(task);
  while (interrupt && interrupt()) {
  }
  recorder_.run(0, trace::kNoCause);
}

void Scheduler::kill(Task& task) {
  WP_BUG_ON(&recorder_, current_ == &task);
  if (task.runnable_) run_queue_.erase(std::find(run_queue_.begin(), run_queue_.end(), &task));
  task.runnable_ = false;
  recorder_.run(task.id_, trace::kNoCause);
  cpu_ = task.cpu_;
  task.leaf_ = {};
  task.root_.reset();
  recorder_.run(0, trace::kNoCause);
}

void Scheduler::arm(Timer& timer, std::uint64_t deadline_ns, TimerGrain grain) {
  timers_.remove(timer);
  timer.cpu_ = static_cast<std::uint16_t>(cpu_);
  timer.grain_ = grain;
  timers_.add(timer, std::max(deadline_ns, now_));
}

void Scheduler::set_now(std::uint64_t now_ns) {
  if (now_ns <= now_) return;
  now_ = now_ns;
  recorder_.clock(now_);
}

bool Scheduler::fire_next(std::uint64_t limit_ns) {
  auto [timer, deadline] = timers_.take_due(limit_ns);
  if (timer == nullptr) return false;
  set_now(deadline);
  cpu_ = timer->cpu_;
  timer->function(machine_, *timer);  // which may free the timer's owner
  return true;
}

bool Scheduler::run_next_of_tick() {
  Timer* timer = timers_.take_coarse(cpu_);
  if (timer == nullptr) return false;
  timer->function(machine_, *timer);
  return true;
}

void Scheduler::advance_to(std::uint64_t target_ns) {
  run_until_idle();
  while (fire_next(target_ns)) run_until_idle();
  set_now(target_ns);
}

void Scheduler::advance_clock_to(std::uint64_t target_ns) {
  while (fire_next(target_ns)) {
  }
  set_now(target_ns);
}

}  // namespace wakepath::engine
