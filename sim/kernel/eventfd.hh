#pragma once

// Models: fs/eventfd.c of Linux 6.18: a 64-bit counter as a file.
// Left out: eventfd_signal(), by which other parts of the kernel count up; nothing in the model does.

#include "sim/kernel/fs.hh"

namespace wakepath::kernel {

/// private_data of an eventfd's file.
struct eventfd_ctx {
  wait_queue_head wqh;
  record::Field<u64> count;
  record::Field<eventfd_flags> flags;
  record::Field<int> id;  ///< As fdinfo shows it.

  static void describe(record::KindBuilder<eventfd_ctx>& b);
};

extern const file_operations eventfd_fops;

/// Which events are there now. Changes nothing.
poll_t eventfd_events(const eventfd_ctx* ctx);
/// eventfd2(2).
long do_eventfd(Kernel& k, u32 count, int flags);

}  // namespace wakepath::kernel
