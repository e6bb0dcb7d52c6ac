// Models: ep_poll, ep_send_events, ep_scan_ready_list and their callbacks in fs/eventpoll.c of Linux 4.19 (profile 4.19
// alone). What is as in 6.18 stands in epoll.cc.
// Left out: as in epoll.hh. The structures are those of 6.18: epitem.next is ovflist_next here, f_ep_links is f_ep.

#include "sim/kernel/epoll_scan.hh"
#include "sim/kernel/kernel.hh"

namespace wakepath::kernel {

namespace {

/// ep_scan_ready_list(): `walk` sees the ready list as txlist, while newcomers go to ovflist.
template <class Walk>
auto scan_ready_list(Kernel& k, eventpoll* ep, Walk walk) {
  Call call(k, Fn::ep_scan_ready_list, ep);
  while (epitem* epi = ep->rdllist.pop_front()) ep->txlist.push_back(epi);
  ep->ovflist = nullptr;
  auto result = walk();
  for (epitem* epi = ep->ovflist; epi != nullptr;) {  // latest first, and each to the end: their order turns round
    epitem* next = epi->ovflist_next;
    epi->ovflist_next = ep_unactive_ptr();
    if (!ep_is_linked(epi)) ep->rdllist.push_back(epi);
    epi = next;
  }
  ep->ovflist = ep_unactive_ptr();
  while (epitem* epi = ep->txlist.back()) {
    ep->txlist.erase(epi);
    ep->rdllist.push_front(epi);
  }
  if (!ep->rdllist.empty()) {
    if (!ep->wq.head.empty()) wake_up_locked(k, ep);
    if (!ep->poll_wait.head.empty()) __wake_up(k, ep->poll_wait, POLL_NONE | EPOLLIN);
  }
  return result;
}

long ep_send_events_4_19(Kernel& k, eventpoll* ep, user_epoll_event* events, int maxevents) {
  Call call(k, Fn::ep_send_events, ep);
  return call.result(scan_ready_list(k, ep, [&] {
    Call proc(k, Fn::ep_send_events_proc, ep);
    return send_each(k, ep, events, maxevents);
  }));
}

bool events_available(const eventpoll* ep) { return !ep->rdllist.empty() || is_scanning(ep); }

}  // namespace

void wake_up_locked(Kernel& k, eventpoll* ep) {
  Call call(k, Fn::__wake_up_locked, &ep->wq);
  __wake_up_common(k, ep->wq, 1, false, POLL_NONE);
}

poll_t ep_read_events_4_19(Kernel& k, eventpoll* ep) {
  return scan_ready_list(k, ep, [&]() -> poll_t {
    Call proc(k, Fn::ep_read_events_proc, ep);
    while (epitem* epi = ep->txlist.front()) {
      poll_table only_asking{nullptr, {}, epi};
      if (ep_item_poll(k, epi, &only_asking) != POLL_NONE) return proc.result(POLL_NONE | (EPOLLIN | EPOLLRDNORM));
      ep->txlist.erase(epi);
    }
    return proc.result(POLL_NONE);
  });
}

poll_t ep_poll_file_4_19(Kernel& k, struct file* file, poll_table* table) {
  if (file->f_op.get() != &eventpoll_fops) return vfs_poll(k, file, table);
  auto* ep = file->private_data.get().as<eventpoll>();
  poll_wait(k, file, &ep->poll_wait, table);
  return ep_read_events_4_19(k, ep);
}

MaySleep<long> ep_poll_4_19(Kernel& k, eventpoll* ep, user_epoll_event* events, int maxevents, int timeout_ms) {
  Call call(k, Fn::ep_poll, ep);
  u64 deadline = timeout_ms < 0 ? kForever : k.now_ns() + static_cast<u64>(timeout_ms) * kNsPerMs;
  bool timed_out = timeout_ms == 0;
  for (;;) {
    if (!timed_out && !events_available(ep)) {
      co_await k.scheduler.preempt();
      StackWaitEntry wait(k, default_wake_function);
      add_wait_queue_exclusive(k, ep->wq, wait);
      for (bool looks = !k.mutant(Mutant::no_second_look);; looks = true) {
        set_current_state(k, TaskState::TASK_INTERRUPTIBLE);
        if ((looks && events_available(ep)) || timed_out || signal_pending(k)) break;
        k.rule(Rule::epoll_wait_sleeps, ep);
        timed_out = !co_await schedule_hrtimeout_range(k, deadline);
      }
      unlink_wait_entry(wait.get());  // nobody else has: default_wake_function() only wakes
      set_current_state(k, TaskState::TASK_RUNNING);
    }
    if (events_available(ep)) {
      long sent = ep_send_events_4_19(k, ep, events, maxevents);
      if (sent != 0) co_return call.result(sent);
    }
    if (timed_out) co_return call.result(0);
    if (signal_pending(k)) co_return call.result(k.error(Rule::signal_interrupts, ep));
  }
}

}  // namespace wakepath::kernel
