#pragma once

// Models: fs/pipe.c of Linux 6.18, as far as a control pipe needs it: bytes in order, two wait queues, poll.
// Left out: pages and packets (a pipe holds 65,536 bytes here, however written), splice, O_DIRECT. A writer that fills
// the pipe with small writes would meet Linux's limit of 16 pages earlier.

#include <string>

#include "sim/kernel/fs.hh"

namespace wakepath::kernel {

struct pipe_inode_info {
  wait_queue_head rd_wait;
  wait_queue_head wr_wait;
  record::Field<u32> bytes;  ///< Waiting to be read.
  record::Field<u32> readers;
  record::Field<u32> writers;
  record::Field<u64> i_ino;

  std::string buffer;
  static void describe(record::KindBuilder<pipe_inode_info>& b);
};

extern const file_operations pipefifo_fops;

/// Which events are there now at this end. Changes nothing.
poll_t pipe_events(const file* file);
/// pipe2(2). fds[0] is the read end.
long do_pipe2(Kernel& k, int fds[2], int flags);

}  // namespace wakepath::kernel
