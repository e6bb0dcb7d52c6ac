#pragma once

// Models: kernel/task_work.c and the use that fs/file_table.c makes of it: the last fput() of a file only notes that it
// is to end; it ends when its task goes back to user mode or exits. In Linux 4.19 that is so for every close(); in 6.18
// close() ends the file at once (fput_close_sync()), and what is left are files that a table or a message held.
// Left out: work queued from interrupts and kernel threads (delayed_fput), which the model never has.

#include "sim/engine/may_sleep.hh"

namespace wakepath::kernel {

class Kernel;
struct file;
struct task_struct;

/// fput() of the last reference: __fput() waits for the end of the running task's call, or of its exit.
void fput_by_task_work(Kernel& k, struct file* file);
/// Does what was noted for the task, the latest first.
void task_work_run(Kernel& k, task_struct* task);
/// The same of a task that is alive: a file that ends may be a TCP socket that lingers.
engine::MaySleep<> task_work_run_and_linger(Kernel& k, task_struct* task);
/// A system call and the way back to user mode behind it.
engine::MaySleep<long> run_then_task_work(Kernel& k, task_struct* task, engine::MaySleep<long> call);

}  // namespace wakepath::kernel
