#pragma once

// Models: fs/timerfd.c of Linux 6.18: a timer as a file, which counts how often it has run out.
// Left out: the alarm clocks, cancellation when the clock is set, timerfd_gettime(), absolute times, and timer slack:
// no call of the scenario language asks for them. All clocks run alike here.

#include "sim/kernel/fs.hh"

namespace wakepath::kernel {

/// private_data of a timerfd's file.
struct timerfd_ctx {
  record::Field<int> clockid;
  record::Field<record::Time> expires;  ///< t.tmr: when it runs out; 0: it is not armed.
  record::Field<record::Time> tintv;    ///< The interval; 0: once.
  wait_queue_head wqh;
  record::Field<u64> ticks;     ///< How often it has run out since the last read.
  record::Field<bool> expired;  ///< It has run out, and has not been started again.

  engine::Timer timer;
  static void describe(record::KindBuilder<timerfd_ctx>& b);
};

extern const file_operations timerfd_fops;

/// Which events are there now. Changes nothing.
poll_t timerfd_events(const timerfd_ctx* ctx);
long do_timerfd_create(Kernel& k, int clock, int flags);
/// Relative times in ns. `first` 0 disarms.
long do_timerfd_settime(Kernel& k, int fd, u64 first, u64 interval);

}  // namespace wakepath::kernel
