#pragma once

// Models: what several CPUs (`kernel: {cpus: 2}`) add to waking, of kernel/sched/core.c and kernel/smp.c, Linux 6.18: a
// run queue for each CPU, the choice of a CPU for the woken task, and the interrupt that tells an idle CPU of it.
// With one CPU there are no run queues here: the scheduler's order is all there is to see.
// No kernel that runs a scenario is compared with this: which of two CPUs is quicker is nobody's to say. Here they take
// turns in a fixed order, and a turn ends where a task sleeps, ends its call or looks again before it sleeps.
// Left out: priorities, time slices, migration of a running task, load balancing, idle polling, and the pull of a
// sync wake-up towards the waker's CPU (wake_affine()), which only shows where no CPU is idle.

#include "sim/kernel/sched.hh"

namespace wakepath::kernel {

/// One CPU's run queue, kernel/sched/sched.h.
struct rq {
  record::Field<u32> cpu;
  record::Ptr<task_struct> curr;                                  ///< Whose code runs; NULL: the CPU is idle.
  record::List<task_struct, &task_struct::group_node> cfs_tasks;  ///< Who is runnable here, `curr` among them.
  /// Woken from another CPU, not yet runnable: the interrupt is on its way (the CPU's call_single_queue).
  record::List<task_struct, &task_struct::wake_entry> wake_list;

  static void describe(record::KindBuilder<rq>& b);
};

/// The machine gets its run queues: called once, for two CPUs and more.
void sched_init_smp(Kernel& k, unsigned cpus);
/// A newborn task gets its CPU: they are dealt out in turn.
void wake_up_new_task(Kernel& k, task_struct* task);
/// try_to_wake_up()'s second half: chooses a CPU for a sleeping task and makes it runnable there, at once or by an
/// interrupt. `cause`: the record of its waking.
void ttwu_queue(Kernel& k, task_struct* task, std::uint32_t cause);
/// A CPU that others have sent woken tasks to takes the interrupt. False: there is none.
bool call_function_interrupt(Kernel& k);

// Where a task enters and leaves its CPU. No effect with one CPU.
void task_runs(Kernel& k, task_struct* task);
void task_leaves(Kernel& k, task_struct* task);
/// A system call between the two.
MaySleep<long> run_on_its_cpu(Kernel& k, task_struct* task, MaySleep<long> call);

}  // namespace wakepath::kernel
