#pragma once

// Models: fs/pipe.c of Linux 6.18, as far as a control pipe needs it: 16 pages, of which the last takes more when it
// has room, two wait queues, poll. Left out: splice and F_SETPIPE_SZ, which no call of the model can ask for.

#include <deque>
#include <string>

#include "sim/kernel/fs.hh"

namespace wakepath::kernel {

/// One slot of the ring: what was written into its page, and how much of that was read.
struct pipe_page {
  std::string data;
  std::size_t read = 0;
  bool packet = false;  ///< PIPE_BUF_FLAG_PACKET: written with O_DIRECT. Read on its own; what a read leaves is lost.
};

struct pipe_inode_info {
  wait_queue_head rd_wait;
  wait_queue_head wr_wait;
  record::Field<u32> bytes;  ///< Waiting to be read.
  record::Field<u32> readers;
  record::Field<u32> writers;
  record::Field<bool> poll_usage;  ///< Somebody has polled it.

  std::deque<pipe_page> pages;  ///< Oldest first; none is read to its end.
  static void describe(record::KindBuilder<pipe_inode_info>& b);
};

extern const file_operations pipefifo_fops;

/// Which events are there now at this end. Changes nothing.
poll_t pipe_events(const file* file);
/// pipe2(2). fds[0] is the read end.
long do_pipe2(Kernel& k, int fds[2], int flags);

}  // namespace wakepath::kernel
