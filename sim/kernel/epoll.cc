#include "sim/kernel/epoll.hh"

#include <algorithm>

#include "sim/kernel/epoll_scan.hh"
#include "sim/kernel/kernel.hh"

namespace wakepath::kernel {

namespace {

constexpr u32 kPrivateBits = EPOLLWAKEUP | EPOLLONESHOT | static_cast<u32>(EPOLLET) | EPOLLEXCLUSIVE;
constexpr int kMaxEvents = 0x7fffffff / 12;  // EP_MAX_EVENTS: INT_MAX / sizeof(struct epoll_event)

/// Does the item have one of these bits among its events?
bool has_event(const epitem* epi, u32 bits) { return (static_cast<u32>(epi->event_events.get()) & bits) != 0; }

eventpoll* eventpoll_of(struct file* file) { return file->private_data.get().as<eventpoll>(); }

void ep_ptable_queue_proc(Kernel& k, struct file*, wait_queue_head* whead, poll_table* table) {
  Call call(k, Fn::ep_ptable_queue_proc, table->epi);
  epitem* epi = table->epi;
  eppoll_entry* pwq = k.eppoll_entries.make();
  pwq->wait.func = ep_poll_callback;
  pwq->whead = whead;
  pwq->base = epi;
  if (has_event(epi, EPOLLEXCLUSIVE)) {
    pwq->wait.flags |= WQ_FLAG_EXCLUSIVE;
    whead->head.push_back(&pwq->wait);
  } else {
    whead->head.push_front(&pwq->wait);
  }
  epi->pwqlist = pwq;
}

}  // namespace

poll_t ep_item_poll(Kernel& k, epitem* epi, poll_table* table) {
  Call call(k, Fn::ep_item_poll, epi);
  table->_key = epi->event_events;
  struct file* file = epi->ffd_file;
  if (k.linux_4_19()) return call.result(static_cast<poll_t>(ep_poll_file_4_19(k, file, table) & epi->event_events));
  ++file->f_ref;  // 6.18 holds the file while it polls
  poll_t res = vfs_poll(k, file, table);
  --file->f_ref;
  return call.result(static_cast<poll_t>(res & epi->event_events));
}

namespace {

void ep_unregister_pollwait(Kernel& k, epitem* epi) {
  eppoll_entry* pwq = epi->pwqlist;
  if (pwq == nullptr) return;
  Call call(k, Fn::ep_unregister_pollwait, epi);
  unlink_wait_entry(&pwq->wait);
  epi->pwqlist = nullptr;
  k.eppoll_entries.free(pwq);
}

void ep_remove(Kernel& k, eventpoll* ep, epitem* epi) {
  Call call(k, Fn::ep_remove, epi);
  ep_unregister_pollwait(k, epi);
  struct file* file = epi->ffd_file;
  epitems_head* head = file->f_ep;
  head->epitems.erase(epi);
  if (head->epitems.empty()) {
    file->f_ep = nullptr;
    k.epitems_heads.free(head);
  }
  ep->rbr.erase(epi);
  ep->by_key.erase({record::object_of(file), epi->ffd_fd});
  if (ep_is_linked(epi)) ep->rdllist.erase(epi);
  k.epitems.free(epi);
}

void ep_eventpoll_release(Kernel& k, struct file* file) {
  Call call(k, Fn::ep_eventpoll_release, file);
  Call clear(k, Fn::ep_clear_and_put, file);
  eventpoll* ep = eventpoll_of(file);
  for (epitem* epi : ep->rbr) ep_unregister_pollwait(k, epi);  // first nobody may call back any more
  while (epitem* epi = ep->rbr.front()) ep_remove(k, ep, epi);
  k.eventpolls.free(ep);
}

void wake_ep(Kernel& k, eventpoll* ep, bool sync) {
  if (!ep->wq.head.empty()) {
    if (k.linux_4_19())
      wake_up_locked(k, ep);
    else if (sync)
      __wake_up_sync(k, ep->wq);
    else
      __wake_up(k, ep->wq, POLL_NONE);
  }
  if (!ep->poll_wait.head.empty()) __wake_up(k, ep->poll_wait, POLL_NONE | EPOLLIN);
}

long ep_insert(Kernel& k, eventpoll* ep, const user_epoll_event& event, struct file* tfile, int fd) {
  Call call(k, Fn::ep_insert, ep);
  epitem* epi = k.epitems.make();
  epi->ep = ep;
  epi->ffd_file = tfile;
  epi->ffd_fd = fd;
  epi->event_events = static_cast<poll_t>(event.events);
  epi->event_data = event.data;
  epi->ovflist_next = ep_unactive_ptr();
  if (tfile->f_ep == nullptr) tfile->f_ep = k.epitems_heads.make();
  if (k.linux_4_19())
    tfile->f_ep->epitems.push_back(epi);
  else
    tfile->f_ep->epitems.push_front(epi);

  auto place = ep->by_key.emplace(std::pair{record::object_of(tfile), fd}, epi).first;
  ep->rbr.insert_behind(place == ep->by_key.begin() ? nullptr : std::prev(place)->second, epi);

  poll_table table{ep_ptable_queue_proc, {}, epi};
  if (ep_item_poll(k, epi, &table) != POLL_NONE && !ep_is_linked(epi)) {
    ep->rdllist.push_back(epi);
    wake_ep(k, ep, false);
  }
  return call.result(0);
}

long ep_modify(Kernel& k, eventpoll* ep, epitem* epi, const user_epoll_event& event) {
  Call call(k, Fn::ep_modify, epi);
  epi->event_events = static_cast<poll_t>(event.events);
  epi->event_data = event.data;
  poll_table table{nullptr, {}, epi};
  if (ep_item_poll(k, epi, &table) != POLL_NONE && !ep_is_linked(epi)) {
    ep->rdllist.push_back(epi);
    wake_ep(k, ep, false);
  }
  return call.result(0);
}

void ep_start_scan(Kernel& k, eventpoll* ep) {
  Call call(k, Fn::ep_start_scan, ep);
  while (epitem* epi = ep->rdllist.pop_front()) ep->txlist.push_back(epi);
  ep->ovflist = nullptr;
}

/// What became ready during the scan, and what the scan left, goes back to the ready list.
void ep_done_scan(Kernel& k, eventpoll* ep) {
  Call call(k, Fn::ep_done_scan, ep);
  for (epitem* epi = ep->ovflist; epi != nullptr;) {
    epitem* next = epi->ovflist_next;
    epi->ovflist_next = ep_unactive_ptr();
    if (!ep_is_linked(epi)) ep->rdllist.push_front(epi);
    epi = next;
  }
  ep->ovflist = ep_unactive_ptr();
  while (epitem* epi = ep->txlist.back()) {
    ep->txlist.erase(epi);
    ep->rdllist.push_front(epi);
  }
  if (!ep->rdllist.empty() && !ep->wq.head.empty()) __wake_up(k, ep->wq, POLL_NONE);
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
    events[sent++] = {static_cast<u32>(revents), epi->event_data};
    if (has_event(epi, EPOLLONESHOT)) {
      epi->event_events = static_cast<poll_t>(epi->event_events & kPrivateBits);
      k.rule(Rule::epoll_oneshot_disarmed, epi);
    } else if (!has_event(epi, static_cast<u32>(EPOLLET)) && !k.mutant(Mutant::level_not_requeued)) {
      // level triggered: it is looked at again by the next epoll_wait()
      ep->rdllist.push_back(epi);
      k.rule(Rule::epoll_level_requeued, epi);
    } else {
      k.rule(Rule::epoll_edge_taken, epi);
    }
  }
  return sent;
}

namespace {

long ep_send_events(Kernel& k, eventpoll* ep, user_epoll_event* events, int maxevents) {
  Call call(k, Fn::ep_send_events, ep);
  ep_start_scan(k, ep);
  long sent = send_each(k, ep, events, maxevents);
  ep_done_scan(k, ep);
  return call.result(sent);
}

constexpr int kMaxNests = 4;  // EP_MAX_NESTS

/// How many epolls are nested below `ep`; beyond kMaxNests when `target` is among them.
int depth_below(eventpoll* ep, const eventpoll* target, int depth) {
  if (ep == target || depth > kMaxNests) return kMaxNests + 1;
  int deepest = 0;
  for (epitem* epi : ep->rbr)
    if (epi->ffd_file->f_op.get() == &eventpoll_fops)
      deepest = std::max(deepest, 1 + depth_below(eventpoll_of(epi->ffd_file), target, depth + 1));
  return deepest;
}

int depth_above(eventpoll* ep, int depth) {
  if (depth > kMaxNests || ep->file->f_ep == nullptr) return 0;
  int highest = 0;
  for (epitem* epi : ep->file->f_ep->epitems) highest = std::max(highest, 1 + depth_above(epi->ep, depth + 1));
  return highest;
}

/// As ep_loop_check(): no cycles, and at most kMaxNests levels.
bool nests_too_deep(eventpoll* outer, eventpoll* inner) {
  int below = depth_below(inner, outer, 0);
  return below > kMaxNests || below + 1 + depth_above(outer, 0) > kMaxNests;
}

poll_t ep_eventpoll_poll(Kernel& k, struct file* file, poll_table* table) {
  Call call(k, Fn::ep_eventpoll_poll, file);
  eventpoll* ep = eventpoll_of(file);
  poll_wait(k, file, &ep->poll_wait, table);
  if (k.linux_4_19()) return call.result(ep_read_events_4_19(k, ep));
  bool ready = false;
  for (epitem* epi : ep->rdllist) {
    poll_table only_asking{nullptr, {}, epi};
    if (ep_item_poll(k, epi, &only_asking) != POLL_NONE) {
      ready = true;
      break;
    }
    ep->rdllist.erase(epi);
  }
  return ready ? POLL_NONE | (EPOLLIN | EPOLLRDNORM) : POLL_NONE;
}

/// ep_eventpoll_ioctl(): only the parameters of busy polling, which the model has not.
long ep_eventpoll_ioctl(Kernel& k, struct file* file, unsigned, int*) {
  return k.error(Rule::epoll_ioctl_unknown, file);
}

}  // namespace

const file_operations eventpoll_fops = {nullptr, nullptr, ep_eventpoll_poll, ep_eventpoll_release, ep_eventpoll_ioctl};

void poll_wait(Kernel& k, struct file* file, wait_queue_head* queue, poll_table* table) {
  if (table != nullptr && table->_qproc != nullptr) table->_qproc(k, file, queue, table);
}

void eppoll_entry::describe(record::KindBuilder<eppoll_entry>& b) {
  b.field(&eppoll_entry::base, "base")
      .embed(&eppoll_entry::wait, "wait", "wait_queue_entry", 16, 40)
      .field(&eppoll_entry::whead, "whead");
}

void epitem::describe(record::KindBuilder<epitem>& b) {
  b.field(&epitem::ffd_fd, "ffd.fd")
      .field(&epitem::ffd_file, "ffd.file")
      .field(&epitem::ep, "ep")
      .field(&epitem::pwqlist, "pwqlist")
      .field(&epitem::event_events, "event.events")
      .field(&epitem::event_data, "event.data")
      .field(&epitem::ovflist_next, "ovflist_next");
}

void epitems_head::describe(record::KindBuilder<epitems_head>& b) { b.field(&epitems_head::epitems, "epitems"); }

void eventpoll::describe(record::KindBuilder<eventpoll>& b) {
  b.embed(&eventpoll::wq, "wq", "wait_queue_head", 32, 24)
      .embed(&eventpoll::poll_wait, "poll_wait", "wait_queue_head", 56, 24)
      .field(&eventpoll::rdllist, "rdllist")
      .field(&eventpoll::rbr, "rbr")
      .field(&eventpoll::ovflist, "ovflist")
      .field(&eventpoll::file, "file")
      .field(&eventpoll::txlist, "txlist");
}

long do_epoll_create(Kernel& k, int flags) {
  Call call(k, Fn::do_epoll_create, nullptr);
  if ((flags & ~O_CLOEXEC) != 0) return call.result(k.error(Rule::epoll_create_flags, nullptr));
  eventpoll* ep = k.eventpolls.make();
  ep->ovflist = ep_unactive_ptr();
  int fd = get_unused_fd(k, (flags & O_CLOEXEC) != 0);
  if (fd < 0) {
    k.eventpolls.free(ep);
    return call.result(fd);
  }
  Call getfile(k, Fn::anon_inode_getfile, ep);
  file* file = alloc_file_pseudo(k, nullptr, static_cast<file_flags>(O_RDWR), &eventpoll_fops);
  file->private_data = ep;
  ep->file = file;
  fd_install(k, fd, file);
  return call.result(fd);
}

long do_epoll_ctl(Kernel& k, int epfd, int op, int fd, const user_epoll_event& user_event) {
  Call call(k, Fn::do_epoll_ctl, nullptr);
  HeldFile held(k, epfd);
  if (!held) return call.result(k.error(Rule::fd_not_open, nullptr));
  HeldFile target(k, fd);
  if (!target) return call.result(k.error(Rule::fd_not_open, nullptr));
  file* tfile = target.get();
  if (tfile->f_op->poll == nullptr) return call.result(k.error(Rule::epoll_cannot_watch, tfile));
  if (held.get() == tfile || held.get()->f_op.get() != &eventpoll_fops)
    return call.result(k.error(Rule::epoll_not_an_epoll, held.get()));
  eventpoll* ep = eventpoll_of(held.get());
  user_epoll_event event = user_event;
  if (op != EPOLL_CTL_DEL && (event.events & EPOLLEXCLUSIVE) != 0) {
    constexpr u32 kAllowed =
        EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | static_cast<u32>(EPOLLET) | EPOLLEXCLUSIVE;
    if (op == EPOLL_CTL_MOD || (event.events & ~kAllowed) != 0)
      return call.result(k.error(Rule::epoll_exclusive_misused, ep));
    if (tfile->f_op.get() == &eventpoll_fops) return call.result(k.error(Rule::epoll_exclusive_misused, ep));
  }
  if (op == EPOLL_CTL_ADD && tfile->f_op.get() == &eventpoll_fops && nests_too_deep(ep, eventpoll_of(tfile)))
    return call.result(k.error(Rule::epoll_too_deep, ep));
  auto found = ep->by_key.find({record::object_of(tfile), fd});
  epitem* epi = found == ep->by_key.end() ? nullptr : found->second;
  switch (op) {
    case EPOLL_CTL_ADD:
      if (epi != nullptr) return call.result(k.error(Rule::epoll_watched_already, epi));
      event.events |= EPOLLERR | EPOLLHUP;
      return call.result(ep_insert(k, ep, event, tfile, fd));
    case EPOLL_CTL_DEL:
      if (epi == nullptr) return call.result(k.error(Rule::epoll_not_watched, ep));
      ep_remove(k, ep, epi);
      return call.result(0);
    case EPOLL_CTL_MOD:
      if (epi == nullptr) return call.result(k.error(Rule::epoll_not_watched, ep));
      if (has_event(epi, EPOLLEXCLUSIVE)) return call.result(k.error(Rule::epoll_exclusive_misused, epi));
      event.events |= EPOLLERR | EPOLLHUP;
      return call.result(ep_modify(k, ep, epi, event));
    default:
      return call.result(k.error(Rule::epoll_unknown_operation, ep));
  }
}

MaySleep<long> do_epoll_wait(Kernel& k, int epfd, user_epoll_event* events, int maxevents, int timeout_ms) {
  Call call(k, Fn::do_epoll_wait, nullptr);
  bool max_allowed = maxevents > 0 && maxevents <= kMaxEvents;
  if (k.linux_4_19() && !max_allowed) co_return call.result(k.error(Rule::epoll_wait_max, nullptr));
  HeldFile held(k, epfd);  // 6.18 looks the descriptor up before it checks maxevents
  if (!held) co_return call.result(k.error(Rule::fd_not_open, nullptr));
  if (!max_allowed) co_return call.result(k.error(Rule::epoll_wait_max, held.get()));
  if (held.get()->f_op.get() != &eventpoll_fops) co_return call.result(k.error(Rule::epoll_not_an_epoll, held.get()));
  eventpoll* ep = eventpoll_of(held.get());
  if (k.linux_4_19()) co_return call.result(co_await ep_poll_4_19(k, ep, events, maxevents, timeout_ms));
  u64 deadline = timeout_ms < 0 ? kForever : k.now_ns() + static_cast<u64>(timeout_ms) * kNsPerMs;
  bool timed_out = timeout_ms == 0;
  bool available = !ep->rdllist.empty() || is_scanning(ep);
  for (;;) {
    if (available) {
      long sent = ep_send_events(k, ep, events, maxevents);
      if (sent != 0) co_return call.result(sent);
    }
    if (timed_out) co_return call.result(0);
    if (signal_pending(k)) co_return call.result(k.error(Rule::signal_interrupts, ep));
    StackWaitEntry wait(k, ep_autoremove_wake_function);
    set_current_state(k, TaskState::TASK_INTERRUPTIBLE);
    available = !ep->rdllist.empty() || is_scanning(ep);  // the second look, under ep->lock
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

void eventpoll_release_file(Kernel& k, struct file* file) {
  Call call(k, Fn::eventpoll_release_file, file);
  while (file->f_ep != nullptr) {
    epitem* epi = file->f_ep->epitems.front();
    k.rule(Rule::epoll_watched_file_closed, epi);
    ep_remove(k, epi->ep, epi);
  }
}

int ep_poll_callback(Kernel& k, wait_queue_entry* wait, bool sync, poll_t key) {
  auto* pwq = container_of(wait, &eppoll_entry::wait);
  epitem* epi = pwq->base;
  eventpoll* ep = epi->ep;
  Call call(k, Fn::ep_poll_callback, epi);
  bool exclusive_woke = false;
  if (!has_event(epi, ~kPrivateBits)) {
    k.rule(Rule::epoll_disarmed_ignored, epi);
    return call.result(0);
  }
  if (key != POLL_NONE && !has_event(epi, key)) {
    k.rule(Rule::epoll_masked_out, epi);
    return call.result(0);
  }
  if (is_scanning(ep)) {
    if (epi->ovflist_next == ep_unactive_ptr()) {
      epi->ovflist_next = ep->ovflist;
      ep->ovflist = epi;
    }
    if (k.linux_4_19()) return call.result(has_event(epi, EPOLLEXCLUSIVE) ? 0 : 1);  // the scan will wake who waits
  } else if (!ep_is_linked(epi)) {
    ep->rdllist.push_back(epi);
    k.rule(Rule::epoll_item_ready, epi);
  } else {
    k.rule(Rule::epoll_already_ready, epi);
  }
  if (!ep->wq.head.empty()) {
    u32 direction = static_cast<u32>(key) & (EPOLLIN | EPOLLOUT);
    bool one_way = direction == EPOLLIN || direction == EPOLLOUT;
    exclusive_woke = direction == 0 || (one_way && has_event(epi, direction));
  }
  wake_ep(k, ep, sync);
  if (!has_event(epi, EPOLLEXCLUSIVE)) return call.result(1);
  return call.result(exclusive_woke ? 1 : 0);
}

int ep_autoremove_wake_function(Kernel& k, wait_queue_entry* wait, bool sync, poll_t key) {
  Call call(k, Fn::ep_autoremove_wake_function, wait);
  int woke = default_wake_function(k, wait, sync, key);
  unlink_wait_entry(wait);  // whether or not it slept: its next look finds what we brought
  return call.result(woke);
}

}  // namespace wakepath::kernel
