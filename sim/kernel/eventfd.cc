#include "sim/kernel/eventfd.hh"

#include "sim/kernel/anon_inodes.hh"
#include "sim/kernel/signal.hh"
#include "sim/kernel/uaccess.hh"

namespace wakepath::kernel {

namespace {

constexpr u64 kMost = ~u64{0};  // the counter stays below; writing this much is an error

eventfd_ctx* eventfd_of(file* file) { return file->private_data.get().as<eventfd_ctx>(); }
bool has_room(const eventfd_ctx* ctx, u64 more) { return kMost - ctx->count > more; }

/// A semaphore gives one at a time, else everything is taken.
u64 eventfd_ctx_do_read(Kernel& k, eventfd_ctx* ctx) {
  Call call(k, Fn::eventfd_ctx_do_read, ctx);
  u64 taken = (static_cast<u32>(ctx->flags.get()) & EFD_SEMAPHORE) != 0 && ctx->count > 0 ? 1 : ctx->count.get();
  ctx->count -= taken;
  return call.result(taken);
}

MaySleep<long> eventfd_read(Kernel& k, file* file, void* buffer, std::size_t size) {
  Call call(k, Fn::eventfd_read, file);
  eventfd_ctx* ctx = eventfd_of(file);
  if (size < sizeof(u64)) co_return call.result(k.error(Rule::counter_needs_eight_bytes, file));
  if (ctx->count == 0) {
    if (is_nonblocking(file)) co_return call.result(k.error(Rule::eventfd_is_zero, file));
    auto counted = [ctx] { return ctx->count > 0; };
    if (long error = co_await wait_event_interruptible_locked(k, ctx->wqh, counted); error != 0)
      co_return call.result(error);
  }
  u64 taken = eventfd_ctx_do_read(k, ctx);
  if (!ctx->wqh.head.empty()) __wake_up_locked_key(k, ctx->wqh, POLL_NONE | EPOLLOUT);
  if (!copy_to_user(k, buffer, &taken, sizeof taken)) co_return call.result(k.error(Rule::bad_address_loses, file));
  co_return call.result(static_cast<long>(sizeof taken));
}

MaySleep<long> eventfd_write(Kernel& k, file* file, const void* data, std::size_t size) {
  Call call(k, Fn::eventfd_write, file);
  eventfd_ctx* ctx = eventfd_of(file);
  if (size != sizeof(u64)) co_return call.result(k.error(Rule::counter_needs_eight_bytes, file));
  u64 more = 0;
  if (!copy_from_user(k, &more, data, sizeof more)) co_return call.result(k.error(Rule::bad_address, file));
  if (more == kMost) co_return call.result(k.error(Rule::eventfd_too_much, file));
  if (!has_room(ctx, more)) {
    if (is_nonblocking(file)) co_return call.result(k.error(Rule::eventfd_is_full, file));
    auto room = [ctx, more] { return has_room(ctx, more); };
    if (long error = co_await wait_event_interruptible_locked(k, ctx->wqh, room); error != 0)
      co_return call.result(error);
  }
  ctx->count += more;
  if (!ctx->wqh.head.empty()) __wake_up_locked_key(k, ctx->wqh, POLL_NONE | EPOLLIN);
  co_return call.result(static_cast<long>(sizeof more));
}

poll_t eventfd_poll(Kernel& k, file* file, poll_table* table) {
  Call call(k, Fn::eventfd_poll, file);
  eventfd_ctx* ctx = eventfd_of(file);
  poll_wait(k, file, &ctx->wqh, table);
  return call.result(eventfd_events(ctx));
}

void eventfd_release(Kernel& k, file* file) {
  Call call(k, Fn::eventfd_release, file);
  eventfd_ctx* ctx = eventfd_of(file);
  __wake_up(k, ctx->wqh, POLL_NONE | EPOLLHUP);
  k.eventfds.free(ctx);
}

}  // namespace

const file_operations eventfd_fops = {eventfd_read, eventfd_write, eventfd_poll, eventfd_release, nullptr, noop_llseek};

void eventfd_ctx::describe(record::KindBuilder<eventfd_ctx>& b) {
  b.embed(&eventfd_ctx::wqh, "wqh", "wait_queue_head", 8, 24)
      .field(&eventfd_ctx::count, "count")
      .field(&eventfd_ctx::flags, "flags")
      .field(&eventfd_ctx::id, "id");
}

poll_t eventfd_events(const eventfd_ctx* ctx) {
  poll_t mask = POLL_NONE;
  if (ctx->count > 0) mask = mask | EPOLLIN;
  if (ctx->count == kMost) mask = mask | EPOLLERR;
  if (kMost - 1 > ctx->count) mask = mask | EPOLLOUT;
  return mask;
}

long do_eventfd(Kernel& k, u32 count, int flags) {
  Call call(k, Fn::do_eventfd, nullptr);
  if ((flags & ~(EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE)) != 0)
    return call.result(k.error(Rule::eventfd_unknown_flags, nullptr));
  eventfd_ctx* ctx = k.alloc(k.eventfds);
  if (ctx == nullptr) return call.result(k.error(Rule::no_memory, nullptr));
  ctx->count = count;
  ctx->flags = static_cast<eventfd_flags>(flags);
  ctx->id = k.next_eventfd_id++;
  long fd = anon_inode_getfd(k, "[eventfd]", &eventfd_fops, ctx, flags);
  if (fd < 0) k.eventfds.free(ctx);
  return call.result(fd);
}

}  // namespace wakepath::kernel
