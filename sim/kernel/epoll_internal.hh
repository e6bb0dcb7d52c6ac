#pragma once

// What the files of the epoll model share with each other and with nobody else.

#include "sim/kernel/epoll_scan.hh"
#include "sim/kernel/kernel.hh"

namespace wakepath::kernel {

constexpr u32 kEpPrivateBits = EPOLLWAKEUP | EPOLLONESHOT | static_cast<u32>(EPOLLET) | EPOLLEXCLUSIVE;
constexpr int kEpMaxNests = 4;  // EP_MAX_NESTS

/// Does the item have one of these bits among its events?
inline bool has_event(const epitem* epi, u32 bits) { return (static_cast<u32>(epi->event_events.get()) & bits) != 0; }
inline bool ep_events_available(const eventpoll* ep) { return !ep->rdllist.empty() || is_scanning(ep); }
inline bool is_file_epoll(const struct file* file) { return file->f_op.get() == &eventpoll_fops; }
inline eventpoll* eventpoll_of(const struct file* file) { return file->private_data.get().as<eventpoll>(); }

/// From here to ep_done_scan() the ready list is the caller's, as `txlist`; what becomes ready goes to `ovflist`.
void ep_start_scan(Kernel& k, eventpoll* ep);
/// What became ready during the scan, and what the scan left, goes back to the ready list; if there is anything, the
/// next waiter is told.
void ep_done_scan(Kernel& k, eventpoll* ep);
/// Tells those who poll the epoll itself.
void ep_poll_safewake(Kernel& k, eventpoll* ep);
/// Tells a thread in epoll_wait(), and those who poll the epoll itself.
void ep_wake_both(Kernel& k, eventpoll* ep, bool sync);
/// Takes the item off everything it is on, and frees it.
void ep_remove(Kernel& k, eventpoll* ep, epitem* epi);

// --- epoll_nest.cc ---
/// ep_loop_check(): false for a circle, or more than kEpMaxNests levels.
bool ep_may_nest(Kernel& k, eventpoll* outer, eventpoll* inner);
/// Directly or through others.
bool ep_watches(const eventpoll* ep, const eventpoll* other);
/// reverse_path_check(): whether a file's wake-up has too many ways up through epolls that watch epolls, now that
/// `inner` (nullptr: the plain file `target`) is watched.
bool ep_too_many_paths(Kernel& k, eventpoll* inner, struct file* target);

}  // namespace wakepath::kernel
