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
    task.result_ = task.root_->handle().promise().value;
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

void Scheduler::put(std::size_t index, const Armed& armed) {
  timers_[index] = armed;
  armed.timer->place_ = static_cast<std::uint32_t>(index + 1);
}

void Scheduler::sift_up(std::size_t index, const Armed& armed) {
  while (index > 0 && armed.before(timers_[(index - 1) / 4])) {
    put(index, timers_[(index - 1) / 4]);
    index = (index - 1) / 4;
  }
  put(index, armed);
}

void Scheduler::sift_down(std::size_t index, const Armed& armed) {
  for (;;) {
    std::size_t first = index * 4 + 1;
    if (first >= timers_.size()) break;
    std::size_t least = first;
    for (std::size_t child = first + 1; child < std::min(first + 4, timers_.size()); ++child)
      if (timers_[child].before(timers_[least])) least = child;
    if (!timers_[least].before(armed)) break;
    put(index, timers_[least]);
    index = least;
  }
  put(index, armed);
}

void Scheduler::arm(Timer& timer, std::uint64_t deadline_ns) {
  cancel(timer);
  timer.deadline_ = std::max(deadline_ns, now_);
  timer.cpu_ = cpu_;
  timers_.push_back({});
  sift_up(timers_.size() - 1, {timer.deadline_, ++armed_, &timer});
}

bool Scheduler::cancel(Timer& timer) {
  if (!timer.active()) return false;
  std::size_t hole = timer.place_ - 1;
  timer.place_ = 0;
  Armed last = timers_.back();
  timers_.pop_back();
  if (last.timer == &timer) return true;
  if (hole > 0 && last.before(timers_[(hole - 1) / 4]))
    sift_up(hole, last);
  else
    sift_down(hole, last);
  return true;
}

std::optional<std::uint64_t> Scheduler::next_deadline() const {
  if (timers_.empty()) return std::nullopt;
  return timers_.front().deadline;
}

void Scheduler::set_now(std::uint64_t now_ns) {
  if (now_ns <= now_) return;
  now_ = now_ns;
  recorder_.clock(now_);
}

bool Scheduler::fire_next(std::uint64_t limit_ns) {
  if (timers_.empty() || timers_.front().deadline > limit_ns) return false;
  Timer* timer = timers_.front().timer;
  set_now(timer->deadline_);
  cpu_ = timer->cpu_;
  cancel(*timer);
  auto function = timer->function;  // it may free the timer's owner
  function();
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
