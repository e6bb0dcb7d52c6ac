#pragma once

// Models: fs/signalfd.c of Linux 6.18: pending signals as a file. Whoever reads or polls it sees its own pending
// signals, not those of whoever made it.
// Left out: changing the set of an existing one; what a signal tells beside its number and cause is 0 (pid, uid).

#include "sim/kernel/fs.hh"

namespace wakepath::kernel {

/// private_data of a signalfd's file.
struct signalfd_ctx {
  record::Field<signal_set> sigmask;  ///< Those that it gives. Linux keeps the complement.

  static void describe(record::KindBuilder<signalfd_ctx>& b);
};

extern const file_operations signalfd_fops;

/// Which events `task` would see now. Changes nothing.
poll_t signalfd_events(const signalfd_ctx* ctx, const task_struct* task);
/// signalfd4(2) for a new descriptor.
long do_signalfd4(Kernel& k, signal_set set, int flags);

}  // namespace wakepath::kernel
