#pragma once

// Models: kernel/futex/ (syscalls.c, waitwake.c) of Linux 6.18: FUTEX_WAIT and FUTEX_WAKE of a private word; and the
// sleep of clock_nanosleep(2), kernel/time/hrtimer.c.
// Left out: shared words, bitsets, requeueing, priority inheritance, robust lists; the hash buckets: whoever waits
// stands in one list, in order of arrival, and all of one word are woken in that order, as from their bucket (all
// threads of the model have one priority).

#include <atomic>

#include "sim/kernel/sched.hh"

namespace wakepath::kernel {

/// A waiter: on the stack of its call, and on Kernel::futex_queue until it is woken or gives up.
struct futex_q {
  const std::atomic<u32>* key;
  u32 number;  ///< futex_number() of its word
  task_struct* task;
};

/// A small number for a word, so that a trace names no address: the same as long as anybody waits for the word, then
/// another. 0: nobody waits for it.
u32 futex_number(const Kernel& k, const std::atomic<u32>& word);

/// do_futex() with FUTEX_WAIT: sleeps while `word` is `expected`. 0 when woken; `deadline_ns` absolute, kForever: none.
MaySleep<long> do_futex_wait(Kernel& k, const std::atomic<u32>& word, u32 number, u32 expected, u64 deadline_ns);
/// do_futex() with FUTEX_WAKE: how many it woke, at most `count`.
long do_futex_wake(Kernel& k, const std::atomic<u32>& word, int count);

MaySleep<long> hrtimer_nanosleep(Kernel& k, u64 deadline_ns);

}  // namespace wakepath::kernel
