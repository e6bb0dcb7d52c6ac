// epoll_wait(): the sleeper on ep->wq, what it collects, and the callback that wakes it.
#include "sim/kernel/epoll_internal.hh"
#include "sim/kernel/uaccess.hh"

namespace wakepath::kernel {

namespace {

constexpr int kMaxEvents = 0x7fffffff / 12;  // EP_MAX_EVENTS: INT_MAX / sizeof(struct epoll_event)

/// One item was reported: does it stay on the ready list, and does it stay armed?
void after_report(Kernel& k, eventpoll* ep, epitem* epi) {
  if (has_event(epi, EPOLLONESHOT) && !k.mutant(Mutant::oneshot_stays_armed)) {
    epi->event_events = static_cast<poll_t>(epi->event_events & kEpPrivateBits);
    k.rule(Rule::epoll_oneshot_disarmed, epi);
  } else if ((!has_event(epi, static_cast<u32>(EPOLLET)) || k.mutant(Mutant::edge_requeued)) &&
             !k.mutant(Mutant::level_not_requeued)) {
    // level triggered: it is looked at again by the next epoll_wait()
    if (k.mutant(Mutant::level_requeued_in_front))
      ep->rdllist.push_front(epi);
    else
      ep->rdllist.push_back(epi);
    k.rule(Rule::epoll_level_requeued, epi);
  } else {
    k.rule(Rule::epoll_edge_taken, epi);
  }
}

long ep_send_events(Kernel& k, eventpoll* ep, user_epoll_event* events, int maxevents) {
  Call call(k, Fn::ep_send_events, ep);
  ep_start_scan(k, ep);
  long sent = send_each(k, ep, events, maxevents);
  ep_done_scan(k, ep);
  return call.result(sent);
}

/// The walk of the queue ends here: for sim/check.
void pass_over_those_behind(wait_queue_entry* entry) {
  using Queue = decltype(wait_queue_head::head);
  while ((entry = Queue::next(entry)) != nullptr) entry->passed_over = true;
}

/// An exclusive item takes the wake-up for itself only when a thread in epoll_wait() was told of what it waits for.
bool exclusive_takes(const epitem* epi, poll_t key) {
  u32 direction = static_cast<u32>(key) & (EPOLLIN | EPOLLOUT);
  bool one_way = direction == EPOLLIN || direction == EPOLLOUT;
  return direction == 0 || (one_way && has_event(epi, direction));
}

/// The item becomes ready: on the ready list, or, while somebody walks that, on ovflist.
void queue_ready(Kernel& k, eventpoll* ep, epitem* epi) {
  if (is_scanning(ep)) {
    if (epi->ovflist_next != ep_unactive_ptr()) return;
    epi->ovflist_next = ep->ovflist;
    ep->ovflist = epi;
  } else if (!ep_is_linked(epi)) {
    ep->rdllist.push_back(epi);
    k.rule(Rule::epoll_item_ready, epi);
  } else {
    k.rule(Rule::epoll_already_ready, epi);
  }
}

}  // namespace

long send_each(Kernel& k, eventpoll* ep, user_epoll_event* events, int maxevents) {
  long sent = 0;
  while (epitem* epi = ep->txlist.front()) {
    if (sent >= maxevents) break;
    ep->txlist.erase(epi);
    poll_table table{nullptr, {}, epi};
    poll_t revents = ep_item_poll(k, epi, &table);
    if (revents == POLL_NONE) continue;  // no longer ready: it leaves the list
    if (events == nullptr) {             // nowhere to write it to: it stays
      ep->txlist.push_front(epi);
      return k.error(Rule::epoll_bad_buffer, ep);
    }
    events[sent++] = {static_cast<u32>(revents), epi->event_data};
    after_report(k, ep, epi);
  }
  return sent;
}

MaySleep<long> do_epoll_wait(Kernel& k, int epfd, user_epoll_event* events, int maxevents, int timeout_ms) {
  Call call(k, Fn::do_epoll_wait, nullptr);
  bool max_allowed = maxevents > 0 && maxevents <= kMaxEvents;
  if (k.linux_4_19() && !max_allowed) co_return call.result(k.error(Rule::epoll_wait_max, nullptr));
  HeldFile held(k, epfd);  // 6.18 looks the descriptor up before it checks maxevents
  if (!held) co_return call.result(k.error(Rule::fd_not_open, nullptr));
  if (!max_allowed) co_return call.result(k.error(Rule::epoll_wait_max, held.get()));
  if (!access_ok(events)) co_return call.result(k.error(Rule::epoll_bad_buffer, held.get()));
  if (!is_file_epoll(held.get())) co_return call.result(k.error(Rule::epoll_not_an_epoll, held.get()));
  eventpoll* ep = eventpoll_of(held.get());
  if (k.linux_4_19()) co_return call.result(co_await ep_poll_4_19(k, ep, events, maxevents, timeout_ms));
  u64 deadline = timeout_ms < 0 ? kForever : k.now_ns() + static_cast<u64>(timeout_ms) * kNsPerMs;
  bool timed_out = timeout_ms == 0;
  bool available = ep_events_available(ep);
  for (;;) {
    if (available) {
      long sent = ep_send_events(k, ep, events, maxevents);
      if (sent != 0) co_return call.result(sent);
    }
    if (timed_out) co_return call.result(0);
    if (signal_pending(k)) co_return call.result(k.error(Rule::signal_interrupts, ep));
    co_await k.scheduler.preempt();
    StackWaitEntry wait(k, ep_autoremove_wake_function);
    set_current_state(k, TaskState::TASK_INTERRUPTIBLE);
    // the second look, under ep->lock
    available = ep_events_available(ep) && !k.mutant(Mutant::no_second_look);
    if (!available) {
      add_wait_queue_exclusive(k, ep->wq, wait);
      k.rule(Rule::epoll_wait_sleeps, ep);
      timed_out = !co_await schedule_hrtimeout_range(k, deadline);
    }
    set_current_state(k, TaskState::TASK_RUNNING);
    // woken by a callback, which has unlinked us; after a timeout we are still on the queue
    available = !(timed_out && wait.get()->entry.linked());
    unlink_wait_entry(wait.get());
  }
}

int ep_poll_callback(Kernel& k, wait_queue_entry* wait, bool sync, poll_t key) {
  auto* pwq = container_of(wait, &eppoll_entry::wait);
  epitem* epi = pwq->base;
  eventpoll* ep = epi->ep;
  Call call(k, Fn::ep_poll_callback, epi);
  bool exclusive = has_event(epi, EPOLLEXCLUSIVE);
  if (!has_event(epi, ~kEpPrivateBits)) {
    k.rule(Rule::epoll_disarmed_ignored, epi);
    return call.result(exclusive ? 0 : 1);
  }
  if (key != POLL_NONE && !has_event(epi, key)) {
    k.rule(Rule::epoll_masked_out, epi);
    return call.result(exclusive ? 0 : 1);
  }
  bool in_scan = is_scanning(ep);
  queue_ready(k, ep, epi);
  if (in_scan && k.linux_4_19()) return call.result(exclusive ? 0 : 1);  // the scan will wake who waits
  bool taken = !ep->wq.head.empty() && exclusive_takes(epi, key);
  if (taken && (wait->flags & WQ_FLAG_EXCLUSIVE) != 0) pass_over_those_behind(wait);
  ep_wake_both(k, ep, sync);
  return call.result(!exclusive || taken ? 1 : 0);
}

int ep_autoremove_wake_function(Kernel& k, wait_queue_entry* wait, bool sync, poll_t key) {
  Call call(k, Fn::ep_autoremove_wake_function, wait);
  int woke = default_wake_function(k, wait, sync, key);
  unlink_wait_entry(wait);  // whether or not it slept: its next look finds what we brought
  return call.result(woke);
}

}  // namespace wakepath::kernel
