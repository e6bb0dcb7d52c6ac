#pragma once

// Models: fs/select.c of Linux 6.18: poll(2), ppoll(2) and select(2), which hang an entry on the wait queue of every
// file they ask about, sleep, and ask again.
// Left out: busy polling. Entries and what poll() is given stand in lists here, in pages in Linux; a page that cannot
// be had is asked for where Linux asks for it.

#include <poll.h>

#include <vector>

#include "sim/kernel/epoll.hh"

namespace wakepath::kernel {

struct poll_wqueues;

/// One per (call, wait queue): what poll() leaves on a file's wait queue while it sleeps.
struct poll_table_entry {
  record::Ptr<struct file> filp;  ///< Held.
  record::Field<poll_t> key;
  wait_queue_entry wait;  ///< func = pollwake; private is the sleeper here, the poll_wqueues in Linux.
  record::Ptr<wait_queue_head> wait_address;
  record::Ptr<poll_wqueues> pwq;
  record::ListNode<poll_table_entry> node;
  int fd = -1;  ///< Not in Linux, for sim/check: the number under which the call asked about the file.

  static void describe(record::KindBuilder<poll_table_entry>& b);
};

/// On the stack of a call of poll() or select(): everything that it waits for.
struct poll_wqueues {
  record::Ptr<task_struct> polling_task;
  record::Field<bool> triggered;  ///< Somebody has called pollwake() since the last look.
  record::List<poll_table_entry, &poll_table_entry::node> entries;
  int asking = -1;  ///< Not in Linux: the number that is being asked about.
  u32 used = 0;     ///< Entries so far.
  long error = 0;   ///< -ENOMEM: some file is not waited for, so nobody may sleep.

  static void describe(record::KindBuilder<poll_wqueues>& b);
};

/// The three sets of select(2), by descriptor; both what is asked and what is found.
struct SelectSets {
  std::vector<bool> in, out, ex;
};

int pollwake(Kernel& k, wait_queue_entry* wait, bool sync, poll_t key);

/// `timeout_ms` < 0: for ever. Fills the entries' revents. A negative errno, or how many are not 0.
MaySleep<long> do_sys_poll(Kernel& k, struct pollfd* fds, std::size_t count, int timeout_ms);
/// `n` as select(2) takes it: one more than the highest descriptor. How many bits are set in the results, which replace
/// the sets; a negative errno leaves them.
MaySleep<long> core_sys_select(Kernel& k, int n, SelectSets* sets, int timeout_ms);

}  // namespace wakepath::kernel
