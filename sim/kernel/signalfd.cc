#include "sim/kernel/signalfd.hh"

#include <sys/signalfd.h>

#include <csignal>

#include "sim/kernel/anon_inodes.hh"
#include "sim/kernel/signal.hh"
#include "sim/kernel/uaccess.hh"

namespace wakepath::kernel {

namespace {

signalfd_ctx* signalfd_of(file* file) { return file->private_data.get().as<signalfd_ctx>(); }

/// One signal of the set. Its number, -EAGAIN or -ERESTARTSYS.
MaySleep<long> signalfd_dequeue(Kernel& k, signalfd_ctx* ctx, bool nonblocking, int* code) {
  Call call(k, Fn::signalfd_dequeue, ctx);
  int signal = dequeue_signal(k, ctx->sigmask, code);
  if (signal != 0) co_return call.result(signal);
  if (nonblocking) co_return call.result(k.error(Rule::signalfd_none_pending, ctx));
  co_await k.scheduler.preempt();
  StackWaitEntry wait(k, default_wake_function);
  add_wait_queue(k, sighand_of(k, k.current())->signalfd_wqh, wait);
  long result = 0;
  for (bool looks = !k.mutant(Mutant::no_second_look);; looks = true) {
    set_current_state(k, TaskState::TASK_INTERRUPTIBLE);
    if (looks) result = dequeue_signal(k, ctx->sigmask, code);
    if (result == 0 && signal_pending(k)) result = -ERESTARTSYS;
    if (result != 0) break;
    co_await schedule(k);
  }
  remove_wait_queue(k, wait);
  set_current_state(k, TaskState::TASK_RUNNING);
  co_return call.result(result);
}

MaySleep<long> signalfd_read(Kernel& k, file* file, void* buffer, std::size_t size) {
  Call call(k, Fn::signalfd_read_iter, file);
  signalfd_ctx* ctx = signalfd_of(file);
  bool nonblocking = is_nonblocking(file);
  long total = 0;
  std::size_t room = size / sizeof(signalfd_siginfo);
  if (room == 0) co_return call.result(k.error(Rule::signalfd_no_room, file));
  for (; room > 0; --room) {
    int code = 0;
    long signal = co_await signalfd_dequeue(k, ctx, nonblocking, &code);
    if (signal <= 0) co_return call.result(total > 0 ? total : signal);
    signalfd_siginfo info{};
    info.ssi_signo = static_cast<u32>(signal);
    info.ssi_code = code;
    if (!copy_to_user(k, static_cast<char*>(buffer) + total, &info, sizeof info))
      co_return call.result(total > 0 ? total : k.error(Rule::bad_address_loses, file));
    total += static_cast<long>(sizeof info);
    nonblocking = true;  // it has something to give: it does not wait for more
  }
  co_return call.result(total);
}

poll_t signalfd_poll(Kernel& k, file* file, poll_table* table) {
  Call call(k, Fn::signalfd_poll, file);
  poll_wait(k, file, &sighand_of(k, k.current())->signalfd_wqh, table);
  return call.result(signalfd_events(signalfd_of(file), k.current()));
}

void signalfd_release(Kernel& k, file* file) {
  Call call(k, Fn::signalfd_release, file);
  k.signalfds.free(signalfd_of(file));
}

}  // namespace

const file_operations signalfd_fops = {signalfd_read, nullptr, signalfd_poll, signalfd_release, nullptr, noop_llseek};

void signalfd_ctx::describe(record::KindBuilder<signalfd_ctx>& b) { b.field(&signalfd_ctx::sigmask, "sigmask"); }

poll_t signalfd_events(const signalfd_ctx* ctx, const task_struct* task) {
  bool any = (static_cast<u32>(task->pending_signal.get()) & static_cast<u32>(ctx->sigmask.get())) != 0;
  return any ? POLL_NONE | EPOLLIN : POLL_NONE;
}

long do_signalfd4(Kernel& k, signal_set set, int flags) {
  Call call(k, Fn::do_signalfd4, nullptr);
  if ((flags & ~(SFD_CLOEXEC | SFD_NONBLOCK)) != 0) return call.result(k.error(Rule::signalfd_unknown_flags, nullptr));
  signalfd_ctx* ctx = k.alloc(k.signalfds);
  if (ctx == nullptr) return call.result(k.error(Rule::no_memory, nullptr));
  u32 never = static_cast<u32>(signal_bit(SIGKILL)) | static_cast<u32>(signal_bit(SIGSTOP));
  ctx->sigmask = static_cast<signal_set>(static_cast<u32>(set) & ~never);
  long fd = anon_inode_getfd(k, "[signalfd]", &signalfd_fops, ctx, flags);
  if (fd < 0) k.signalfds.free(ctx);
  return call.result(fd);
}

}  // namespace wakepath::kernel
