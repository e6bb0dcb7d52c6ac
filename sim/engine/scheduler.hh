#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "sim/engine/may_sleep.hh"
#include "sim/engine/timer_wheel.hh"
#include "sim/record/recorder.hh"

namespace wakepath::engine {

/// A thread of the modelled machine, as the scheduler sees it: it runs one system call at a time, as a coroutine.
class Task {
 public:
  explicit Task(trace::TaskId id) : id_(id) {}
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;

  [[nodiscard]] trace::TaskId id() const { return id_; }
  /// True between start() and the end of the call.
  [[nodiscard]] bool in_call() const { return root_.has_value(); }
  /// True while it is on the run queue (or running).
  [[nodiscard]] bool runnable() const { return runnable_; }
  /// Where it runs when it is runnable.
  [[nodiscard]] unsigned cpu() const { return cpu_; }
  /// The result of the call that ended last.
  [[nodiscard]] long result() const { return result_; }

  void* owner = nullptr;  ///< The machine's own half of the task.

 private:
  friend class Scheduler;

  trace::TaskId id_;
  std::optional<MaySleep<long>> root_;
  std::coroutine_handle<> leaf_;
  unsigned cpu_ = 0;
  bool runnable_ = false;
  bool sleeping_ = false;  // set by schedule(), ends the trampoline
  std::uint32_t cause_ = trace::kNoCause;
  long result_ = 0;
};

/// Virtual time, CPUs, and timers. Deterministic: first woken runs first; several CPUs take turns, each with the first
/// of its own tasks; timers fire in order of deadline and then of arming (coarse ones: TimerGrain). Knows no Linux.
class Scheduler {
 public:
  /// `machine`: what timers' functions are given.
  explicit Scheduler(record::Recorder& recorder, void* machine = nullptr) : recorder_(recorder), machine_(machine) {}

  // --- CPUs ---
  /// One, unless this is called, before there is anything to run. With several, tasks are preemptible(): on another CPU
  /// somebody may run in between.
  void set_cpus(unsigned cpus);
  /// Where code runs now, or ran last.
  [[nodiscard]] unsigned cpu() const { return cpu_; }
  /// For an interrupt: its code runs there.
  void go_to_cpu(unsigned cpu) { cpu_ = cpu; }
  /// From its next run on, the task runs there.
  void place(Task& task, unsigned cpu) { task.cpu_ = cpu; }

  // --- tasks ---
  [[nodiscard]] Task& add_task();
  /// Begins a call on an idle task; it runs with run_until_idle() or run_task().
  void start(Task& task, MaySleep<long> call);
  /// Makes a sleeping task runnable. `cause`: the record that woke it. No effect on a runnable one.
  void wake(Task& task, std::uint32_t cause);
  /// Asked whenever a CPU is about to go to a task or idle: there a device may interrupt. True: it did. Empty: never.
  std::function<bool()> interrupt;
  /// Runs runnable tasks, in order, until all sleep or are idle.
  void run_until_idle();
  /// Runs this task alone until it sleeps or its call ends; others stay on the run queue. False if it is not runnable.
  bool run_task(Task& task);
  /// Drops the call of a task that will never go on (its process is killed). Its frames are destroyed.
  void kill(Task& task);
  [[nodiscard]] bool anything_runnable() const { return !run_queue_.empty(); }
  /// The task whose code runs now; nullptr in a timer.
  [[nodiscard]] Task* current() const { return current_; }

  /// `co_await schedule()`: the running task sleeps until somebody wakes it. The only suspension there is.
  struct Schedule {
    Scheduler& scheduler;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> leaf) const;
    void await_resume() const noexcept {}
  };
  [[nodiscard]] Schedule schedule() { return {*this}; }

  // --- other orders, for those who look for races ---
  /// `co_await preempt()`: a place between two looks at shared state, where another task may come in between. The task
  /// stays runnable. Nothing happens unless preemptible() was called.
  struct Preempt {
    Scheduler& scheduler;
    bool await_ready() const noexcept { return !scheduler.preemptible_; }
    void await_suspend(std::coroutine_handle<> leaf) const;
    void await_resume() const noexcept {}
  };
  [[nodiscard]] Preempt preempt() { return {*this}; }
  void preemptible(bool on) { preemptible_ = on; }
  /// In order of their waking.
  [[nodiscard]] const std::deque<Task*>& runnable_tasks() const { return run_queue_; }
  /// Runs one of them until it sleeps, ends its call or may be preempted.
  void run_slice(Task& task);

  // --- time ---
  [[nodiscard]] std::uint64_t now_ns() const { return now_; }
  void arm(Timer& timer, std::uint64_t deadline_ns, TimerGrain grain = TimerGrain::kExact);
  /// For a coarse timer that is being run: runs the next one of the same tick and CPU. False: that was the last.
  bool run_next_of_tick();
  /// True if it was active.
  bool cancel(Timer& timer) { return timers_.remove(timer); }
  [[nodiscard]] std::optional<std::uint64_t> next_deadline() const { return timers_.earliest(); }
  /// Moves time to `target_ns`, firing what is due on the way and running whoever that wakes. Never moves back.
  void advance_to(std::uint64_t target_ns);
  /// Fires due timers and moves the clock, without running the tasks that this wakes.
  void advance_clock_to(std::uint64_t target_ns);

 private:
  Task* next_task();
  void resume(Task& task);
  bool fire_next(std::uint64_t limit_ns);
  void set_now(std::uint64_t now_ns);

  record::Recorder& recorder_;
  void* machine_;
  std::vector<std::unique_ptr<Task>> tasks_;
  std::deque<Task*> run_queue_;
  bool preemptible_ = false;
  unsigned cpus_ = 1;
  unsigned cpu_ = 0;
  unsigned turn_ = 0;  // the CPU that had the last one
  TimerWheel timers_;
  Task* current_ = nullptr;
  std::uint64_t now_ = 0;
};

}  // namespace wakepath::engine
