#pragma once

// Models: fs/eventpoll.c of Linux 6.18.
// Left out: wakeup sources (EPOLLWAKEUP is accepted and kept), busy polling, and the red-black tree's shape (rbr is a
// list in order of (file, fd)); no call that the scenario language knows can tell. One user has all the watches. An
// item hangs on one wait queue: no file of the model has two.

#include "sim/kernel/fs.hh"

namespace wakepath::kernel {

struct epitem;
struct eventpoll;
struct poll_wqueues;

/// What poll() of a file is given: where to hang a wait entry (nullptr: only asking), and which events are wanted.
struct poll_table {
  void (*_qproc)(Kernel&, struct file*, wait_queue_head*, poll_table*) = nullptr;
  poll_t _key{};
  epitem* epi = nullptr;        ///< struct ep_pqueue embeds the table beside this pointer,
  poll_wqueues* pwq = nullptr;  ///< and struct poll_wqueues begins with it.
};
/// include/linux/poll.h
void poll_wait(Kernel& k, struct file* file, wait_queue_head* queue, poll_table* table);

/// One per (item, wait queue): the card that an item leaves on a socket's wait queue.
struct eppoll_entry {
  record::Ptr<epitem> base;
  wait_queue_entry wait;  ///< func = ep_poll_callback
  record::Ptr<wait_queue_head> whead;

  static void describe(record::KindBuilder<eppoll_entry>& b);
};

/// One watched (file, descriptor) of an epoll.
struct epitem {
  record::Field<int> ffd_fd;
  record::Field<poll_t> event_events;
  record::Ptr<struct file> ffd_file;
  record::Ptr<eventpoll> ep;
  record::Ptr<eppoll_entry> pwqlist;
  record::Field<u64> event_data;
  record::Ptr<epitem> ovflist_next;
  record::ListNode<epitem> rbn;
  record::ListNode<epitem> rdllink;
  record::ListNode<epitem> fllink;
  record::Field<bool> dying;  ///< Its file goes away.

  static void describe(record::KindBuilder<epitem>& b);
};

/// The list that file->f_ep points to: an object of its own, or `refs` of an epoll. (Linux has a bare hlist_head
/// there.)
struct epitems_head {
  record::List<epitem, &epitem::fllink> epitems;
  static void describe(record::KindBuilder<epitems_head>& b);
};

/// private_data of an epoll file.
struct eventpoll {
  wait_queue_head wq;         ///< Threads in epoll_wait().
  wait_queue_head poll_wait;  ///< Pollers of the epoll file itself.
  record::List<epitem, &epitem::rdllink> rdllist;
  record::List<epitem, &epitem::rbn> rbr;
  record::Ptr<epitem> ovflist;  ///< EP_UNACTIVE_PTR: no scan is running.
  record::Ptr<struct file> file;
  record::Field<u32> refcount;                    ///< Its file and its items.
  epitems_head refs;                              ///< The items by which other epolls watch this one.
  record::List<epitem, &epitem::rdllink> txlist;  ///< ep_start_scan()'s local list; it is only used during a scan.

  static void describe(record::KindBuilder<eventpoll>& b);
};

/// EP_UNACTIVE_PTR
inline epitem* ep_unactive_ptr() { return reinterpret_cast<epitem*>(~std::uintptr_t{0}); }

extern const file_operations eventpoll_fops;

/// A copy of struct epoll_event as user space gives it.
struct user_epoll_event {
  u32 events;
  u64 data;
};

long do_epoll_create(Kernel& k, int flags);
long do_epoll_ctl(Kernel& k, int epfd, int op, int fd, const user_epoll_event& event);
/// `events` nullptr: nowhere to write to, EFAULT as soon as there is something.
MaySleep<long> do_epoll_wait(Kernel& k, int epfd, user_epoll_event* events, int maxevents, int timeout_ms);
/// Takes the item's entry off the wait queue of what it watches.
void ep_unregister_pollwait(Kernel& k, epitem* epi);
/// A file that is watched goes away: called by __fput before the file's own release.
void eventpoll_release_file(Kernel& k, struct file* file);
int ep_poll_callback(Kernel& k, wait_queue_entry* wait, bool sync, poll_t key);
int ep_autoremove_wake_function(Kernel& k, wait_queue_entry* wait, bool sync, poll_t key);

}  // namespace wakepath::kernel
