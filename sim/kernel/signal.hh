#pragma once

// Models: kernel/signal.c and the way back to user mode (kernel/entry/common.c, arch/x86/kernel/signal.c) of
// Linux 6.18, as far as signals with an empty handler need them: pending and blocked sets, the wake-up of a sleeper,
// EINTR against the restart of a call, the mask that a call brings along. Left out: signals of a whole process
// (everybody is addressed by thread), real-time signals and their queue, stopping, core dumps, alternate stacks.
// Signals whose default would end the process come with a handler or not at all.

#include <array>

#include "sim/kernel/sched.hh"

namespace wakepath::kernel {

/// struct sighand_struct, include/linux/sched/signal.h: what the threads of a process share.
struct sighand_struct {
  record::Field<int> count;
  wait_queue_head signalfd_wqh;          ///< Whoever polls or reads a signalfd.
  record::Field<signal_set> handled;     ///< These have a handler; the others are ignored.
  record::Field<signal_set> sa_restart;  ///< Handlers that were set with SA_RESTART.

  static void describe(record::KindBuilder<sighand_struct>& b);
};

constexpr signal_set signal_bit(int signal) { return static_cast<signal_set>(1u << (signal - 1)); }
constexpr bool has_signal(signal_set set, int signal) { return (set & signal_bit(signal)) != 0; }

/// Results that user space never sees (include/linux/errno.h): the call is made again, unless a handler runs that …
enum Restart : long {
  ERESTARTSYS = 512,           ///< … was set without SA_RESTART.
  ERESTARTNOHAND = 514,        ///< … runs at all.
  ERESTART_RESTARTBLOCK = 516  ///< The same; without a handler it would go on with the rest of its time.
};

/// A signal waits for the running task that it does not block: whoever is about to sleep must give up instead.
inline bool signal_pending(const Kernel& k);  // in kernel.hh
/// include/net/sock.h: what an interrupted call on a socket gives; only one without a timeout can be made again.
long sock_intr_errno(Kernel& k, u64 timeout_ns);

/// A thread or child begins with the mask of its maker, a child also with a copy of its handlers; nothing is pending.
void inherit_signals(Kernel& k, task_struct* task, const task_struct* from);
/// The task ends.
void put_sighand(Kernel& k, task_struct* task);
/// A new program has no handlers yet.
void flush_signal_handlers(Kernel& k, task_struct* task);
/// The process's signal handlers; made when they are first asked for, then shared by all its threads.
sighand_struct* sighand_of(Kernel& k, task_struct* task);

/// sigaction(2): an empty handler.
void set_empty_handler(Kernel& k, task_struct* task, int signal, bool restart);
/// tgkill(2) from outside the model: one thread gets a signal. `code`: si_code.
void send_signal(Kernel& k, task_struct* task, int signal, int code);
/// Takes the lowest pending signal of `set` off the running task. 0: there is none. `code` receives its si_code.
int dequeue_signal(Kernel& k, signal_set set, int* code);

long do_sigprocmask(Kernel& k, int how, signal_set set);
/// For the length of a call (epoll_pwait, ppoll): swaps the mask; restored by the handler's return, or here.
void set_user_sigmask(Kernel& k, signal_set mask);
void restore_saved_sigmask_unless(Kernel& k, bool interrupted);

/// The way back to user mode with work to do: runs the handlers of what is pending. `result` is the call's, or 0.
/// True when the call is to be made again; an ERESTART… that is not becomes EINTR.
bool arch_do_signal_or_restart(Kernel& k, long* result);
/// `do result = co_await call(); while (restarts(k, &result));`
inline bool restarts(Kernel& k, long* result) {
  return *result <= -ERESTARTSYS && *result >= -ERESTART_RESTARTBLOCK && arch_do_signal_or_restart(k, result);
}

}  // namespace wakepath::kernel
