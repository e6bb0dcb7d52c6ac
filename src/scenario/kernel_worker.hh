#pragma once

#include <sys/types.h>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace wakepath::scenario {

/// The system call in which a thread of the run sleeps, as /proc/TID/{stat,syscall} tell; -1 when it does not sleep.
long sleeping_in(pid_t thread);
/// The functions in which it does, by /proc/TID/stack, the innermost last, without those of the scheduler and of the
/// entry into the kernel; empty for those who may not look.
std::vector<std::string> stack_of(pid_t thread);
/// Whether /proc tells the call at all: a machine may keep it from all but debuggers (kernel.yama.ptrace_scope above
/// 1).
bool can_see_sleepers(pid_t thread);

/// Somebody who runs what it is given, one thing at a time. It is reached through shared memory and a futex, never
/// through a descriptor, so that its descriptor table holds what the scenario made and nothing else.
///
/// With a table of its own it is a process of its own too (clone(2) with CLONE_VM alone): a signal that reaches one
/// process wakes nobody who waits on a signalfd in another. All of them share the memory of the run, so what they are
/// given and what they give back needs no copying. Each is a child of the run's process and ends with it.
class Worker {
 public:
  enum class Table {
    fresh,   ///< its own: 0 to 2 on /dev/null, nothing else
    copied,  ///< its own: a copy of the creator's (fork)
    shared,  ///< the creator's, in whose process it is a thread (thread)
  };

  /// Creates it from the calling thread, whose descriptor table it starts with, and waits until it is ready.
  Worker(Table table, int cpu, bool fifo);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker();

  pid_t tid() const { return tid_; }     ///< of a process: its number
  void post(std::function<void()> job);  ///< starts a job; the worker must be idle
  bool busy() const { return phase_.load(std::memory_order_acquire) == kJob; }
  void wait();                           ///< until the job is done
  void call(std::function<void()> job);  ///< post and wait

  /// The calling thread runs before all that are not SCHED_FIFO, and is not interrupted by those that are.
  static void take_fifo();
  /// The calling thread does without CAP_SYS_ADMIN from now on.
  static void give_up_admin();
  /// Ends it, which must be idle, and waits until the kernel has let go of its descriptor table. Of a process: the
  /// other threads have ended, and the caller is a thread of the run's own process.
  void stop();
  /// Ends a process with all its threads, whatever they do.
  void kill();
  /// Another program has taken the thread's place: there is nothing to end. libc, which does not know, keeps the stack
  /// and the thread-local memory for good, so that no new thread begins with what stands there.
  void replaced();

  /// The thread sleeps in system call `number`.
  bool sleeps_in(long number) const { return sleeping_in(tid_) == number; }

 private:
  static constexpr uint32_t kIdle = 0, kJob = 1, kStop = 2, kStarting = 3;
  void start_process();
  static int process_main(void* worker);
  void reap();
  void loop();

  const Table table_;
  const int cpu_;
  const bool fifo_;
  std::atomic<uint32_t> phase_{kStarting};
  pid_t tid_ = 0;  ///< 0 after the end
  pid_t host_ = 0, run_ = 0;
  std::function<void()> job_;
  std::thread thread_;
};

}  // namespace wakepath::scenario
