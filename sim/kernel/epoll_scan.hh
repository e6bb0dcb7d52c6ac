#pragma once

// What epoll.cc (Linux 6.18) and epoll_4_19.cc share: the parts of a scan of the ready list.

#include "sim/kernel/epoll.hh"

namespace wakepath::kernel {

inline bool ep_is_linked(const epitem* epi) { return epi->rdllink.linked(); }
inline bool is_scanning(const eventpoll* ep) { return ep->ovflist.get() != ep_unactive_ptr(); }

/// Asks the watched file which of the wanted events are there.
poll_t ep_item_poll(Kernel& k, epitem* epi, poll_table* table);
/// The loop of ep_send_events(): from txlist to the user, until `maxevents`. How many were sent.
long send_each(Kernel& k, eventpoll* ep, user_epoll_event* events, int maxevents);

// --- epoll_4_19.cc ---
/// ep_poll(): sends what is ready, or sleeps.
MaySleep<long> ep_poll_4_19(Kernel& k, eventpoll* ep, user_epoll_event* events, int maxevents, int timeout_ms);
/// What ep_item_poll() asks of a file: its poll(), or of an epoll the scan itself.
poll_t ep_poll_file_4_19(Kernel& k, struct file* file, poll_table* table);
/// poll() of an epoll's own file, once the caller hangs on its poll_wait: is anything ready in it?
poll_t ep_read_events_4_19(Kernel& k, eventpoll* ep);
/// wake_up_locked(&ep->wq): its lock is the lock of the ready list, and no hint of the waker gets through.
void wake_up_locked(Kernel& k, eventpoll* ep);

}  // namespace wakepath::kernel
