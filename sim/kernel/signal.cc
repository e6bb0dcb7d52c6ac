#include "sim/kernel/signal.hh"

#include <csignal>

#include "sim/kernel/kernel.hh"

namespace wakepath::kernel {

namespace {

signal_set minus(signal_set set, signal_set other) {
  return static_cast<signal_set>(static_cast<u32>(set) & ~static_cast<u32>(other));
}
signal_set plus(signal_set set, signal_set other) {
  return static_cast<signal_set>(static_cast<u32>(set) | static_cast<u32>(other));
}
bool deliverable(const task_struct* task) { return minus(task->pending_signal, task->blocked) != 0; }

void recalc_sigpending(task_struct* task) { task->sigpending = deliverable(task); }

/// Nobody can block these two.
signal_set blockable(signal_set set) { return minus(set, plus(signal_bit(SIGKILL), signal_bit(SIGSTOP))); }

void set_current_blocked(task_struct* task, signal_set set) {
  task->blocked = blockable(set);
  recalc_sigpending(task);
}

bool has_handler(const task_struct* task, int signal) {
  return task->sighand != nullptr && has_signal(task->sighand->handled, signal);
}

/// The handlers of what is pending and not blocked run, the lowest signal first. The first one that had a handler, or
/// 0.
int run_handlers(Kernel& k, task_struct* task) {
  int first = 0;
  for (int signal = 1; signal < 32; ++signal) {
    if (!has_signal(minus(task->pending_signal, task->blocked), signal)) continue;
    task->pending_signal = minus(task->pending_signal, signal_bit(signal));
    if (!has_handler(task, signal)) continue;
    if (first == 0) first = signal;
    k.rule(Rule::signal_handler_runs, task);
  }
  return first;
}

/// The handlers run and return. The first one, or 0: nothing was to be delivered. What the mask of the call alone held
/// back is delivered, too, before the task is in user mode again (exit_to_user_mode_loop() of kernel/entry/common.c).
int get_signal(Kernel& k, task_struct* task) {
  Call call(k, Fn::get_signal, task);
  const int first = run_handlers(k, task);
  if (task->restore_sigmask) {  // the handler's frame has the mask that was there before the call
    task->restore_sigmask = false;
    task->blocked = task->saved_sigmask;
    run_handlers(k, task);
  }
  recalc_sigpending(task);
  return call.result(first);
}

/// prepare_signal(): an ignored signal is not even queued, unless it is blocked: it may have a handler by then.
bool ignored(const task_struct* task, int signal) {
  return !has_signal(task->blocked, signal) && !has_handler(task, signal);
}

void signal_wake_up_state(Kernel& k, task_struct* task) {
  Call call(k, Fn::signal_wake_up_state, task);
  task->sigpending = true;
  try_to_wake_up(k, task);
}

}  // namespace

void sighand_struct::describe(record::KindBuilder<sighand_struct>& b) {
  b.field(&sighand_struct::count, "count")
      .embed(&sighand_struct::signalfd_wqh, "signalfd_wqh", "wait_queue_head", -1, 24)
      .field(&sighand_struct::handled, "handled")
      .field(&sighand_struct::sa_restart, "SA_RESTART");
}

long sock_intr_errno(Kernel& k, u64 timeout_ns) {
  return timeout_ns == kForever ? -ERESTARTSYS : k.error(Rule::signal_interrupts, k.current());
}

void inherit_signals(Kernel& k, task_struct* task, const task_struct* from) {
  task->blocked = from->blocked;
  if (from->sighand == nullptr) return;
  if (task->tgid == from->tgid) {
    task->sighand = from->sighand;
  } else {
    sighand_struct* copy = k.sighands.make();
    copy->handled = from->sighand->handled;
    copy->sa_restart = from->sighand->sa_restart;
    task->sighand = copy;
  }
  ++task->sighand->count;
}

void flush_signal_handlers(Kernel& k, task_struct* task) {
  Call call(k, Fn::flush_signal_handlers, task);
  if (task->sighand == nullptr) return;
  task->sighand->handled = NO_SIGNALS;
  task->sighand->sa_restart = NO_SIGNALS;
}

void put_sighand(Kernel& k, task_struct* task) {
  sighand_struct* sighand = task->sighand;
  if (sighand == nullptr) return;
  task->sighand = nullptr;
  --sighand->count;
  if (sighand->count == 0) k.sighands.free(sighand);
}

sighand_struct* sighand_of(Kernel& k, task_struct* task) {
  if (task->sighand != nullptr) return task->sighand;
  sighand_struct* sighand = k.sighands.make();
  for (task_struct* other : k.task_by_id) {
    if (other == nullptr || other->tgid != task->tgid || other->__state == TaskState::TASK_DEAD) continue;
    other->sighand = sighand;
    ++sighand->count;
  }
  return sighand;
}

void set_empty_handler(Kernel& k, task_struct* task, int signal, bool restart) {
  Call call(k, Fn::do_sigaction, task);
  sighand_struct* sighand = sighand_of(k, task);
  sighand->handled = plus(sighand->handled, signal_bit(signal));
  sighand->sa_restart =
      restart ? plus(sighand->sa_restart, signal_bit(signal)) : minus(sighand->sa_restart, signal_bit(signal));
}

void send_signal(Kernel& k, task_struct* task, int signal, int code) {
  Call call(k, Fn::do_send_specific, task);
  if (ignored(task, signal)) return;
  Call send(k, Fn::__send_signal_locked, task);
  if (has_signal(task->pending_signal, signal)) return;  // one of each is enough
  if (task->sighand != nullptr && !task->sighand->signalfd_wqh.head.empty())
    __wake_up(k, task->sighand->signalfd_wqh, POLL_NONE);
  task->pending_signal = plus(task->pending_signal, signal_bit(signal));
  task->pending_code[static_cast<std::size_t>(signal)] = code;
  Call complete(k, Fn::complete_signal, task);
  if (has_signal(task->blocked, signal) || task->sigpending) return;
  signal_wake_up_state(k, task);
  if (task->call_done()) get_signal(k, task);  // it computes in user mode, where a signal is taken at once
}

int dequeue_signal(Kernel& k, signal_set set, int* code) {
  task_struct* task = k.current();
  for (int signal = 1; signal < 32; ++signal) {
    if (!has_signal(task->pending_signal, signal) || !has_signal(set, signal)) continue;
    task->pending_signal = minus(task->pending_signal, signal_bit(signal));
    *code = task->pending_code[static_cast<std::size_t>(signal)];
    recalc_sigpending(task);
    return signal;
  }
  return 0;
}

long do_sigprocmask(Kernel& k, int how, signal_set set) {
  task_struct* task = k.current();
  Call call(k, Fn::sigprocmask, task);
  switch (how) {
    case SIG_BLOCK:
      set_current_blocked(task, plus(task->blocked, set));
      return call.result(0);
    case SIG_UNBLOCK:
      set_current_blocked(task, minus(task->blocked, set));
      return call.result(0);
    case SIG_SETMASK:
      set_current_blocked(task, set);
      return call.result(0);
    default:
      return call.result(k.error(Rule::sigprocmask_unknown, task));
  }
}

void set_user_sigmask(Kernel& k, signal_set mask) {
  task_struct* task = k.current();
  Call call(k, Fn::set_user_sigmask, task);
  task->saved_sigmask = task->blocked;
  task->restore_sigmask = true;
  set_current_blocked(task, mask);
}

void restore_saved_sigmask_unless(Kernel& k, bool interrupted) {
  task_struct* task = k.current();
  if (interrupted || !task->restore_sigmask) return;
  task->restore_sigmask = false;
  set_current_blocked(task, task->saved_sigmask);
}

bool arch_do_signal_or_restart(Kernel& k, long* result) {
  task_struct* task = k.current();
  Call call(k, Fn::arch_do_signal_or_restart, task);
  int handled = get_signal(k, task);
  if (*result > -ERESTARTSYS || *result < -ERESTART_RESTARTBLOCK) return call.result(false);
  // without a handler nothing has happened that user space could see: the call goes on
  bool again = handled == 0 || (*result == -ERESTARTSYS && has_signal(task->sighand->sa_restart, handled));
  if (again)
    k.rule(Rule::signal_restarts, task);
  else
    *result = k.error(Rule::signal_interrupts, task);
  return call.result(again);
}

}  // namespace wakepath::kernel
