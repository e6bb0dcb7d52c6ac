#pragma once

#include <sys/types.h>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>

namespace wakepath::scenario {

/// The system call in which a thread of this process sleeps, as /proc/self/task/TID/{stat,syscall} tell; -1 when it
/// does not sleep.
long sleeping_in(pid_t thread);

/// A thread that runs what it is given, one thing at a time. It is reached through shared memory and a futex, never
/// through a descriptor, so that its descriptor table holds what the scenario made and nothing else.
class Worker {
 public:
  enum class Table {
    fresh,   ///< its own: 0 to 2 on /dev/null, nothing else
    copied,  ///< its own: a copy of the creator's (fork)
    shared,  ///< the creator's (thread)
  };

  /// Creates the thread from the calling thread, whose descriptor table it starts with, and waits until it is ready.
  Worker(Table table, int cpu, bool fifo);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker();

  pid_t tid() const { return tid_; }
  void post(std::function<void()> job);  ///< starts a job; the worker must be idle
  bool busy() const { return phase_.load(std::memory_order_acquire) == kJob; }
  void wait();                           ///< until the job is done
  void call(std::function<void()> job);  ///< post and wait

  /// The calling thread runs before all that are not SCHED_FIFO, and is not interrupted by those that are.
  static void take_fifo();
  /// Ends the thread and waits until the kernel has let go of its descriptor table.
  void stop();

  /// The thread sleeps in system call `number`.
  bool sleeps_in(long number) const { return sleeping_in(tid_) == number; }

 private:
  static constexpr uint32_t kIdle = 0, kJob = 1, kStop = 2, kStarting = 3;
  void loop(Table table, int cpu, bool fifo);

  std::atomic<uint32_t> phase_{kStarting};
  pid_t tid_ = 0;
  std::function<void()> job_;
  std::thread thread_;
};

}  // namespace wakepath::scenario
