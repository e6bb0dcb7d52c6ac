#pragma once

#include "sim/kernel/kernel.hh"

// Models: kernel/time/timer.c and hrtimer.c of Linux 6.18, the two ends that others call: a timer is started and
// stopped. Left out: the wheel and the tree that keep them (the engine has its own), their CPUs and their slack. Timers
// of the wheel are coarse: Linux rounds them up, the more the further away they are (by 4 ms to 252 ms, by 32 ms to 2
// s), and runs those of one slot together, the last armed first (enqueue_timer(): hlist_add_head()). Here those run
// together that are due at the same nanosecond, which is what steps give that follow one another without a wait.

namespace wakepath::kernel {

/// Due at `expires_ns`; one that is pending is moved. `subject`: whose it is.
inline void __mod_timer(Kernel& k, engine::Timer& timer, u64 expires_ns, const void* subject) {
  Call call(k, Fn::__mod_timer, subject);
  Call enqueue(k, Fn::enqueue_timer, subject);
  k.scheduler.arm(timer, expires_ns, engine::TimerGrain::kCoarse);
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
