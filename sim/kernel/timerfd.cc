#include "sim/kernel/timerfd.hh"
#include "sim/kernel/timer.hh"

#include <sys/timerfd.h>

#include "sim/kernel/anon_inodes.hh"
#include "sim/kernel/signal.hh"
#include "sim/kernel/uaccess.hh"

namespace wakepath::kernel {

namespace {

timerfd_ctx* timerfd_of(file* file) { return file->private_data.get().as<timerfd_ctx>(); }

void timerfd_triggered(Kernel& k, timerfd_ctx* ctx) {
  Call call(k, Fn::timerfd_triggered, ctx);
  ctx->expired = true;
  ++ctx->ticks;
  if (!ctx->wqh.head.empty()) __wake_up_locked_key(k, ctx->wqh, POLL_NONE | EPOLLIN);
}

void timerfd_tmrproc(Kernel& k, timerfd_ctx* ctx) {
  hrtimer_interrupt(k, Fn::timerfd_tmrproc, ctx, [&k, ctx] { timerfd_triggered(k, ctx); });
}

void start_timer(Kernel& k, timerfd_ctx* ctx, u64 expires_ns) {
  ctx->expires = record::Time{expires_ns};
  ctx->timer.function = timer_of<&timerfd_ctx::timer, timerfd_tmrproc>;
  hrtimer_start_range_ns(k, ctx->timer, expires_ns, ctx);
}

/// hrtimer_forward_now(): moves the end beyond now by whole intervals. How many.
u64 hrtimer_forward_now(const Kernel& k, timerfd_ctx* ctx, u64* expires_ns) {
  u64 interval = ctx->tintv.get().ns;
  *expires_ns = ctx->expires.get().ns;
  if (k.now_ns() < *expires_ns) return 0;
  u64 missed = (k.now_ns() - *expires_ns) / interval + 1;
  *expires_ns += missed * interval;
  return missed;
}

MaySleep<long> timerfd_read(Kernel& k, file* file, void* buffer, std::size_t size) {
  Call call(k, Fn::timerfd_read_iter, file);
  timerfd_ctx* ctx = timerfd_of(file);
  if (size < sizeof(u64)) co_return call.result(k.error(Rule::counter_needs_eight_bytes, file));
  if (ctx->ticks == 0) {
    if (is_nonblocking(file)) co_return call.result(k.error(Rule::timerfd_not_yet, file));
    auto run_out = [ctx] { return ctx->ticks != 0; };
    if (long error = co_await wait_event_interruptible_locked(k, ctx->wqh, run_out); error != 0)
      co_return call.result(error);
  }
  u64 ticks = ctx->ticks;
  if (ctx->expired && ctx->tintv.get().ns != 0) {  // the intervals that nobody looked at are counted now
    u64 expires = 0;
    ticks += hrtimer_forward_now(k, ctx, &expires) - 1;
    start_timer(k, ctx, expires);
  }
  ctx->expired = false;
  ctx->ticks = u64{0};
  const std::size_t there = user_bytes(k, buffer, sizeof ticks);  // as copy_to_iter(): as many of the bytes as go
  if (there == 0) co_return call.result(k.error(Rule::bad_address_loses, file));
  std::memcpy(buffer, &ticks, there);
  co_return call.result(static_cast<long>(there));
}

poll_t timerfd_poll(Kernel& k, file* file, poll_table* table) {
  Call call(k, Fn::timerfd_poll, file);
  timerfd_ctx* ctx = timerfd_of(file);
  poll_wait(k, file, &ctx->wqh, table);
  return call.result(timerfd_events(ctx));
}

void timerfd_release(Kernel& k, file* file) {
  Call call(k, Fn::timerfd_release, file);
  timerfd_ctx* ctx = timerfd_of(file);
  k.scheduler.cancel(ctx->timer);
  k.timerfds.free(ctx);
}

}  // namespace

const file_operations timerfd_fops = {timerfd_read, nullptr, timerfd_poll, timerfd_release, nullptr, noop_llseek};

void timerfd_ctx::describe(record::KindBuilder<timerfd_ctx>& b) {
  b.field(&timerfd_ctx::clockid, "clockid")
      .field(&timerfd_ctx::expires, "t.tmr.expires")
      .field(&timerfd_ctx::tintv, "tintv")
      .embed(&timerfd_ctx::wqh, "wqh", "wait_queue_head", -1, 24)
      .field(&timerfd_ctx::ticks, "ticks")
      .field(&timerfd_ctx::expired, "expired");
}

poll_t timerfd_events(const timerfd_ctx* ctx) { return ctx->ticks > 0 ? POLL_NONE | EPOLLIN : POLL_NONE; }

long do_timerfd_create(Kernel& k, int clock, int flags) {
  if ((flags & ~(TFD_CLOEXEC | TFD_NONBLOCK)) != 0 ||
      (clock != CLOCK_MONOTONIC && clock != CLOCK_REALTIME && clock != CLOCK_BOOTTIME))
    return k.error(Rule::timerfd_unknown, nullptr);
  timerfd_ctx* ctx = k.alloc(k.timerfds);
  if (ctx == nullptr) return k.error(Rule::no_memory, nullptr);
  ctx->clockid = clock;
  long fd = anon_inode_getfd(k, "[timerfd]", &timerfd_fops, ctx, flags);
  if (fd < 0) k.timerfds.free(ctx);
  return fd;
}

long do_timerfd_settime(Kernel& k, int fd, u64 first, u64 interval) {
  Call call(k, Fn::do_timerfd_settime, nullptr);
  HeldFile held(k, fd);
  if (!held) return call.result(k.error(Rule::fd_not_open, nullptr));
  if (held.get()->f_op.get() != &timerfd_fops) return call.result(k.error(Rule::timerfd_not_one, held.get()));
  timerfd_ctx* ctx = timerfd_of(held.get());
  k.scheduler.cancel(ctx->timer);
  ctx->expired = false;
  ctx->ticks = u64{0};
  ctx->tintv = record::Time{interval};
  ctx->expires = record::Time{0};
  if (first != 0) start_timer(k, ctx, k.now_ns() + first);
  return call.result(0);
}

}  // namespace wakepath::kernel
