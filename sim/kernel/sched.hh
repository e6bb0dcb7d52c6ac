#pragma once

// Models: kernel/sched/wait.c (wait queues), kernel/sched/core.c (try_to_wake_up, schedule) and the part of struct
// task_struct that they touch, as of Linux 6.18.
// Left out: priorities, preemption, locks. Nothing preempts, so a function runs to its end or to its schedule(), and
// every lock of the kernel would be free when taken. Several CPUs: smp.hh.

#include <array>
#include <vector>

#include "sim/engine/scheduler.hh"
#include "sim/kernel/types.hh"
#include "sim/record/field.hh"
#include "sim/record/list.hh"

namespace wakepath::kernel {

class Kernel;
struct files_struct;
struct sighand_struct;
struct wait_queue_entry;
struct wait_queue_head;

using engine::MaySleep;

/// include/linux/sched.h
struct task_struct {
  record::Field<record::Text> comm;
  record::Field<int> pid;   ///< The thread's id.
  record::Field<int> tgid;  ///< The process's id.
  record::Field<TaskState> __state;
  record::Field<u32> cpu;  ///< thread_info.cpu: where it runs, or ran last.
  record::Ptr<files_struct> files;
  record::Ptr<sighand_struct> sighand;
  record::Field<signal_set> blocked;
  record::Field<signal_set> pending_signal;  ///< pending.signal
  record::Field<bool> sigpending;            ///< TIF_SIGPENDING: a pending signal is not blocked.
  record::Field<bool> restore_sigmask;       ///< `saved_sigmask` comes back at the end of the call.
  record::Field<signal_set> saved_sigmask;
  /// signal->rlim[RLIMIT_NOFILE].rlim_cur, the same in all threads of a process: numbers of descriptors are below it.
  record::Field<u32> rlimit_nofile;

  u32 frag_offset = 0;                                   ///< task_frag.offset: where what it sends next is laid.
  std::array<int, 32> pending_code{};                    ///< si_code of each pending signal.
  engine::Task* thread = nullptr;                        ///< Its place in the scheduler.
  record::ListNode<task_struct> group_node, wake_entry;  // with several CPUs: smp.hh
  std::uint32_t wake_cause = trace::kNoCause;            ///< The record of its waking, until it is runnable.
  std::vector<struct file*> task_works;                  ///< Profile 4.19: files that end on its way back to user mode.

  [[nodiscard]] bool call_done() const { return !thread->in_call(); }
  [[nodiscard]] long call_result() const { return thread->result(); }

  static void describe(record::KindBuilder<task_struct>& b);
};

/// `key` is the mask of events that the waker brings, `sync` its hint that it will sleep soon. Returns > 0 when it woke
/// somebody, 0 when not, < 0 to end the walk. Context: any; must not sleep.
using wait_queue_func_t = int (*)(Kernel&, wait_queue_entry*, bool sync, poll_t key);

/// include/linux/wait.h. On the stack of a sleeper, or inside an eppoll_entry.
struct wait_queue_entry {
  record::Field<wq_flags> flags;
  record::Ptr<task_struct> private_;  ///< The sleeper; NULL in an epoll's entry.
  record::Field<wait_queue_func_t> func;
  record::ListNode<wait_queue_entry> entry;

  /// Not in Linux, for sim/check: since it is on its queue an EPOLLEXCLUSIVE item before it has taken a wake-up. Its
  /// sleeper may sleep on although something is there.
  bool passed_over = false;
  static void describe(record::KindBuilder<wait_queue_entry>& b);
};

/// Invariant: every entry on `head` has its func set; an entry is on one queue at most.
struct wait_queue_head {
  record::List<wait_queue_entry, &wait_queue_entry::entry> head;

  static void describe(record::KindBuilder<wait_queue_head>& b);
};

/// A wait_queue_entry on a sleeping function's stack: made here, unlinked and freed when the function ends (or when its
/// task is killed in its sleep).
class StackWaitEntry {
 public:
  StackWaitEntry(Kernel& k, wait_queue_func_t func);
  ~StackWaitEntry();
  StackWaitEntry(const StackWaitEntry&) = delete;
  StackWaitEntry& operator=(const StackWaitEntry&) = delete;
  [[nodiscard]] wait_queue_entry* get() const { return entry_; }

 private:
  Kernel& k_;
  wait_queue_entry* entry_;
};

// kernel/sched/wait.c. Non-exclusive entries go to the front, exclusive ones to the end.
void add_wait_queue(Kernel& k, wait_queue_head& queue, StackWaitEntry& entry);
void remove_wait_queue(Kernel& k, StackWaitEntry& entry);
/// list_del_init() of an entry: takes it off whatever queue it is on.
void unlink_wait_entry(wait_queue_entry* entry);
/// At the front, and woken by every wake-up.
void prepare_to_wait(Kernel& k, wait_queue_head& queue, StackWaitEntry& entry);
void prepare_to_wait_exclusive(Kernel& k, wait_queue_head& queue, StackWaitEntry& entry);
void finish_wait(Kernel& k, StackWaitEntry& entry);
/// As __add_wait_queue_exclusive: at the FRONT (epoll_wait uses it, hence last in, first out).
void add_wait_queue_exclusive(Kernel& k, wait_queue_head& queue, StackWaitEntry& entry);

/// Walks the queue. nr_exclusive 1 for the wake_up family.
void __wake_up_common(Kernel& k, wait_queue_head& queue, int nr_exclusive, bool sync, poll_t key);
void __wake_up(Kernel& k, wait_queue_head& queue, poll_t key);
void __wake_up_sync_key(Kernel& k, wait_queue_head& queue, poll_t key);
void __wake_up_sync(Kernel& k, wait_queue_head& queue);

/// __wake_up_locked_key(), the lock of the queue being held: eventfd, timerfd.
void __wake_up_locked_key(Kernel& k, wait_queue_head& queue, poll_t key);

int default_wake_function(Kernel& k, wait_queue_entry* entry, bool sync, poll_t key);
int autoremove_wake_function(Kernel& k, wait_queue_entry* entry, bool sync, poll_t key);
int woken_wake_function(Kernel& k, wait_queue_entry* entry, bool sync, poll_t key);

/// Makes a sleeping task runnable. True if it slept.
bool try_to_wake_up(Kernel& k, task_struct* task);

/// The bottom of every sleep: off the CPU until try_to_wake_up(). Does not sleep when a wake-up came since the state
/// was set, or when a signal is pending.
MaySleep<> schedule(Kernel& k);
/// Before a schedule() on a queue whose lock is held: joins it at its end, not exclusively. -ERESTARTSYS with a signal.
long do_wait_intr_irq(Kernel& k, wait_queue_head& queue, StackWaitEntry& entry);

/// A timeout as the sleeping functions take it: ns from now; kForever: none.
constexpr u64 kForever = ~u64{0};

/// Sleeps until woken or until `timeout_ns` has passed. Returns what is left of it; 0 when it passed.
/// Precondition: the state of the task is TASK_INTERRUPTIBLE (or it is already woken: then it does not sleep).
MaySleep<u64> schedule_timeout(Kernel& k, u64 timeout_ns);
/// epoll's variant, on a high resolution timer. `deadline_ns` absolute; kForever: none. False when the time passed.
MaySleep<bool> schedule_hrtimeout_range(Kernel& k, u64 deadline_ns);
/// struct hrtimer_sleeper: a high resolution timer wakes the task at `deadline_ns`; kForever: none. False when it did.
/// Precondition: as schedule_timeout().
MaySleep<bool> hrtimer_sleep(Kernel& k, u64 deadline_ns);
/// Sleeps unless the entry was woken since the last look (WQ_FLAG_WOKEN).
MaySleep<u64> wait_woken(Kernel& k, StackWaitEntry& entry, u64 timeout_ns);
void set_current_state(Kernel& k, TaskState state);

}  // namespace wakepath::kernel
