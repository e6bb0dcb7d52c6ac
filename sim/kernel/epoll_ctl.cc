// Models: fs/eventpoll.c of Linux 6.18, the interest list: do_epoll_ctl() with ep_insert(), ep_modify() and
// ep_remove(), and eventpoll_release_file() for an item whose file goes away. (4.19: profile_4_19.def.) Left out: the
// user's struct epoll_event, which the system call's entry reads before all else (sim/syscalls); mutexes and RCU, since
// one CPU runs one function at a time; wakeup sources (EPOLLWAKEUP is kept as a bit), which keep a machine from suspend
// alone; io_uring's call without waiting.
#include "sim/kernel/epoll_internal.hh"

namespace wakepath::kernel {

namespace {

void ep_ptable_queue_proc(Kernel& k, struct file*, wait_queue_head* whead, poll_table* table) {
  epitem* epi = table->epi;
  if (epi == nullptr) return;  // an earlier queue of the same file has found no memory
  Call call(k, Fn::ep_ptable_queue_proc, epi);
  eppoll_entry* pwq = k.alloc(k.eppoll_entries);
  if (pwq == nullptr) {
    table->epi = nullptr;
    return;
  }
  pwq->wait.func = ep_poll_callback;
  pwq->whead = whead;
  pwq->base = epi;
  if (has_event(epi, EPOLLEXCLUSIVE) && !k.mutant(Mutant::exclusive_wakes_all)) {
    pwq->wait.flags |= WQ_FLAG_EXCLUSIVE;
    whead->head.push_back(&pwq->wait);
  } else {
    whead->head.push_front(&pwq->wait);
  }
  epi->pwqlist = pwq;
}

/// The file learns who watches it: an epoll by a list of its own, others by one made at their first watch.
bool attach_epitem(Kernel& k, struct file* file, epitem* epi) {
  if (file->f_ep == nullptr) {
    epitems_head* head = is_file_epoll(file) ? &eventpoll_of(file)->refs : k.alloc(k.epitems_heads);
    if (head == nullptr) return false;
    file->f_ep = head;
  }
  if (k.linux_4_19())
    file->f_ep->epitems.push_back(epi);
  else
    file->f_ep->epitems.push_front(epi);
  return true;
}

void detach_epitem(Kernel& k, struct file* file, epitem* epi) {
  epitems_head* head = file->f_ep;
  head->epitems.erase(epi);
  if (!head->epitems.empty()) return;
  file->f_ep = nullptr;
  if (!is_file_epoll(file)) k.epitems_heads.free(head);
}

/// Linux walks the tree; the file's own list of who watches it is shorter.
epitem* ep_find(const eventpoll* ep, const struct file* file, int fd) {
  if (file->f_ep == nullptr) return nullptr;
  for (epitem* epi : file->f_ep->epitems)
    if (epi->ep == ep && epi->ffd_fd == fd) return epi;
  return nullptr;
}

/// In order of (file, fd). Who is watched has mostly been opened last, so the place is looked for from the end.
void ep_rbtree_insert(eventpoll* ep, epitem* epi) {
  trace::ObjectId file = record::object_of(epi->ffd_file.get());
  auto goes_before = [&](const epitem* other) {
    trace::ObjectId theirs = record::object_of(other->ffd_file.get());
    return theirs != file ? theirs > file : other->ffd_fd > epi->ffd_fd;
  };
  epitem* behind = ep->rbr.back();
  while (behind != nullptr && goes_before(behind)) behind = ep->rbr.prev(behind);
  ep->rbr.insert_behind(behind, epi);
}

/// Ready already, and not on the ready list: there it goes, and whoever waits is told.
void queue_if_ready(Kernel& k, eventpoll* ep, epitem* epi, poll_t revents) {
  if (revents == POLL_NONE || ep_is_linked(epi)) return;
  ep->rdllist.push_back(epi);
  ep_wake_both(k, ep, false);
}

/// A new item on every list but the ready one. nullptr: no memory, and nothing has changed.
epitem* new_item(Kernel& k, eventpoll* ep, const user_epoll_event& event, struct file* tfile, int fd) {
  epitem* epi = k.alloc(k.epitems);
  if (epi == nullptr) return nullptr;
  epi->ep = ep;
  epi->ffd_file = tfile;
  epi->ffd_fd = fd;
  epi->event_events = static_cast<poll_t>(event.events);
  epi->event_data = event.data;
  epi->ovflist_next = ep_unactive_ptr();
  if (!attach_epitem(k, tfile, epi)) {
    k.epitems.free(epi);
    return nullptr;
  }
  ep_rbtree_insert(ep, epi);
  ++ep->refcount;
  ++k.epoll_watches;
  return epi;
}

/// `full_check`: epolls watch epolls here, so the ways up are to be counted.
long ep_insert(Kernel& k, eventpoll* ep, const user_epoll_event& event, struct file* tfile, int fd, bool full_check) {
  Call call(k, Fn::ep_insert, ep);
  if (k.epoll_watches >= k.config.max_user_watches) return call.result(k.error(Rule::epoll_no_watch_left, ep));
  epitem* epi = new_item(k, ep, event, tfile, fd);
  if (epi == nullptr) return call.result(k.error(Rule::no_memory, ep));
  eventpoll* inner = is_file_epoll(tfile) ? eventpoll_of(tfile) : nullptr;
  if (full_check && ep_too_many_paths(k, inner, tfile)) {
    ep_remove(k, ep, epi);
    return call.result(k.error(Rule::epoll_too_many_paths, ep));
  }
  poll_table table{ep_ptable_queue_proc, {}, epi};
  poll_t revents = ep_item_poll(k, epi, &table);
  if (table.epi == nullptr) {
    ep_remove(k, ep, epi);
    return call.result(k.error(Rule::no_memory, ep));
  }
  queue_if_ready(k, ep, epi, revents);
  return call.result(0);
}

long ep_modify(Kernel& k, eventpoll* ep, epitem* epi, const user_epoll_event& event) {
  Call call(k, Fn::ep_modify, epi);
  epi->event_events = static_cast<poll_t>(event.events);
  epi->event_data = event.data;
  poll_table table{nullptr, {}, epi};
  if (k.mutant(Mutant::modify_does_not_look)) return call.result(0);
  queue_if_ready(k, ep, epi, ep_item_poll(k, epi, &table));
  return call.result(0);
}

/// EPOLLEXCLUSIVE is for a new item only, not for an epoll, and not with every other event.
bool exclusive_misused(int op, const user_epoll_event& event, const struct file* tfile) {
  constexpr u32 kAllowed =
      EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | static_cast<u32>(EPOLLET) | EPOLLEXCLUSIVE;
  if (op == EPOLL_CTL_DEL || (event.events & EPOLLEXCLUSIVE) == 0) return false;
  return op == EPOLL_CTL_MOD || (op == EPOLL_CTL_ADD && (is_file_epoll(tfile) || (event.events & ~kAllowed) != 0));
}

/// What is wrong with the two files and the operation, in Linux's order. 0: nothing.
long ep_ctl_refuses(Kernel& k, int op, struct file* file, struct file* tfile, const user_epoll_event& event) {
  if (tfile->f_op->poll == nullptr) return k.error(Rule::epoll_cannot_watch, tfile);
  if (file == tfile || !is_file_epoll(file)) return k.error(Rule::epoll_not_an_epoll, file);
  if (exclusive_misused(op, event, tfile)) return k.error(Rule::epoll_exclusive_misused, eventpoll_of(file));
  if (op == EPOLL_CTL_ADD && is_file_epoll(tfile) && !ep_may_nest(k, eventpoll_of(file), eventpoll_of(tfile)))
    return k.error(ep_watches(eventpoll_of(tfile), eventpoll_of(file)) ? Rule::epoll_circle : Rule::epoll_too_deep,
                   eventpoll_of(file));
  return 0;
}

}  // namespace

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
  detach_epitem(k, file, epi);
  ep->rbr.erase(epi);
  --ep->refcount;
  if (ep_is_linked(epi)) ep->rdllist.erase(epi);
  k.epitems.free(epi);
  --k.epoll_watches;
}

long do_epoll_ctl(Kernel& k, int epfd, int op, int fd, const user_epoll_event& user_event) {
  Call call(k, Fn::do_epoll_ctl, nullptr);
  HeldFile held(k, epfd);
  if (!held) return call.result(k.error(Rule::fd_not_open, nullptr));
  HeldFile target(k, fd);
  if (!target) return call.result(k.error(Rule::fd_not_open, nullptr));
  file* tfile = target.get();
  if (long error = ep_ctl_refuses(k, op, held.get(), tfile, user_event); error != 0) return call.result(error);
  eventpoll* ep = eventpoll_of(held.get());
  user_epoll_event event = user_event;
  epitem* epi = ep_find(ep, tfile, fd);
  bool nested = held.get()->f_ep != nullptr || is_file_epoll(tfile);
  switch (op) {
    case EPOLL_CTL_ADD:
      if (epi != nullptr) return call.result(k.error(Rule::epoll_watched_already, epi));
      event.events |= EPOLLERR | EPOLLHUP;
      return call.result(ep_insert(k, ep, event, tfile, fd, nested));
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

void eventpoll_release_file(Kernel& k, struct file* file) {
  Call call(k, Fn::eventpoll_release_file, file);
  while (file->f_ep != nullptr) {
    epitem* epi = file->f_ep->epitems.front();
    k.rule(Rule::epoll_watched_file_closed, epi);
    epi->dying = true;
    ep_remove(k, epi->ep, epi);
  }
}

}  // namespace wakepath::kernel
