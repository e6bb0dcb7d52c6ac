#pragma once

#include "sim/kernel/kernel.hh"

// Models: kernel/time/timer.c and hrtimer.c of Linux 6.18, the two ends that others call: a timer is started and
// stopped. Left out: the wheel and the tree that keep them (the engine has its own), their CPUs and their slack.

namespace wakepath::kernel {

/// Due at `expires_ns`; one that is pending is moved. `subject`: whose it is.
inline void __mod_timer(Kernel& k, engine::Timer& timer, u64 expires_ns, const void* subject) {
  Call call(k, Fn::__mod_timer, subject);
  Call enqueue(k, Fn::enqueue_timer, subject);
  k.scheduler.arm(timer, expires_ns);
}
/// Whether it was pending.
inline bool timer_delete(Kernel& k, engine::Timer& timer, const void* subject) {
  Call call(k, Fn::timer_delete, subject);
  return call.result(k.scheduler.cancel(timer));
}
inline bool timer_delete_sync(Kernel& k, engine::Timer& timer, const void* subject) {
  Call call(k, Fn::timer_delete_sync, subject);
  return call.result(k.scheduler.cancel(timer));
}
/// The same of a high resolution timer.
inline void hrtimer_start_range_ns(Kernel& k, engine::Timer& timer, u64 expires_ns, const void* subject) {
  Call call(k, Fn::hrtimer_start_range_ns, subject);
  Call enqueue(k, Fn::enqueue_hrtimer, subject);
  k.scheduler.arm(timer, expires_ns);
}

}  // namespace wakepath::kernel
