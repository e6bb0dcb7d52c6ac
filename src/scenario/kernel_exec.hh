#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <memory>

#include "src/scenario/kernel_worker.hh"

namespace wakepath::scenario {

/// execve(2) on the running kernel. The runner is a thread of no process that could survive it; so a process of the
/// scenario that execs becomes a program that only sleeps, and as soon as that does, a new process takes over what it
/// still has open (pidfd_getfd(2)), its limit of descriptors, and the signals that its thread blocks and that wait for
/// it. Then the sleeper is killed: nothing of what it had was its alone any more.
class Exec {
 public:
  /// By `actor`, the only thread of the process of `observer` but that. Both have ended when it returns.
  /// Throws Unavailable when there is no such program, or the machine does not let processes take over descriptors.
  Exec(Worker& observer, Worker& actor, int cpu);

  /// The new process, whose descriptors are those that the old one kept.
  std::unique_ptr<Worker> take_process() { return std::move(process_); }
  /// Gives the thread of `process` that goes on for the actor the old one's signals.
  void settle_signals(Worker& thread, pid_t process) const;

 private:
  void run_sleeper(Worker& actor) const;
  void take_over();

  const pid_t sleeper_;
  rlimit limit_{};  ///< of descriptors
  std::unique_ptr<Worker> process_;
  unsigned long blocked_ = 0, pending_ = 0;  ///< sets of signals, bit 0 is signal 1
};

}  // namespace wakepath::scenario
