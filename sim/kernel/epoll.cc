// An epoll's file: making it, polling it, closing it; and the scan of its ready list.
#include "sim/kernel/epoll_internal.hh"

namespace wakepath::kernel {

namespace {

/// Is one of the ready items of the epoll still ready? What is not leaves the list.
poll_t __ep_eventpoll_poll(Kernel& k, struct file* file, poll_table* table) {
  Call call(k, Fn::__ep_eventpoll_poll, file);
  eventpoll* ep = eventpoll_of(file);
  poll_wait(k, file, &ep->poll_wait, table);
  if (k.linux_4_19()) return call.result(ep_read_events_4_19(k, ep));
  poll_t ready = POLL_NONE;
  ep_start_scan(k, ep);
  while (epitem* epi = ep->txlist.front()) {
    poll_table only_asking{nullptr, {}, epi};
    if (ep_item_poll(k, epi, &only_asking) != POLL_NONE) {
      ready = POLL_NONE | (EPOLLIN | EPOLLRDNORM);
      break;
    }
    ep->txlist.erase(epi);
  }
  ep_done_scan(k, ep);
  return call.result(ready);
}

poll_t ep_eventpoll_poll(Kernel& k, struct file* file, poll_table* table) {
  Call call(k, Fn::ep_eventpoll_poll, file);
  return call.result(__ep_eventpoll_poll(k, file, table));
}

void ep_eventpoll_release(Kernel& k, struct file* file) {
  Call call(k, Fn::ep_eventpoll_release, file);
  Call clear(k, Fn::ep_clear_and_put, file);
  eventpoll* ep = eventpoll_of(file);
  ep_poll_safewake(k, ep);
  for (epitem* epi : ep->rbr) ep_unregister_pollwait(k, epi);  // first nobody may call back any more
  while (epitem* epi = ep->rbr.front()) ep_remove(k, ep, epi);
  --ep->refcount;
  k.eventpolls.free(ep);
}

/// ep_eventpoll_ioctl(): only the parameters of busy polling, which the model has not.
long ep_eventpoll_ioctl(Kernel& k, struct file* file, unsigned, int*) {
  return k.error(Rule::epoll_ioctl_unknown, file);
}

}  // namespace

const file_operations eventpoll_fops = {
    nullptr, nullptr, ep_eventpoll_poll, ep_eventpoll_release, ep_eventpoll_ioctl, noop_llseek};

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
      .field(&epitem::ovflist_next, "ovflist_next")
      .field(&epitem::dying, "dying");
}

void epitems_head::describe(record::KindBuilder<epitems_head>& b) { b.field(&epitems_head::epitems, "epitems"); }

void eventpoll::describe(record::KindBuilder<eventpoll>& b) {
  b.embed(&eventpoll::wq, "wq", "wait_queue_head", 32, 24)
      .embed(&eventpoll::poll_wait, "poll_wait", "wait_queue_head", 56, 24)
      .field(&eventpoll::rdllist, "rdllist")
      .field(&eventpoll::rbr, "rbr")
      .field(&eventpoll::ovflist, "ovflist")
      .field(&eventpoll::file, "file")
      .field(&eventpoll::txlist, "txlist")
      .embed(&eventpoll::refs, "refs", "hlist_head", 160, 8)
      .field(&eventpoll::refcount, "refcount");
}

poll_t ep_item_poll(Kernel& k, epitem* epi, poll_table* table) {
  Call call(k, Fn::ep_item_poll, epi);
  table->_key = epi->event_events;
  struct file* file = epi->ffd_file;
  if (k.linux_4_19()) return call.result(static_cast<poll_t>(ep_poll_file_4_19(k, file, table) & epi->event_events));
  ++file->f_ref;  // 6.18 holds the file while it polls
  poll_t res = is_file_epoll(file) ? __ep_eventpoll_poll(k, file, table) : vfs_poll(k, file, table);
  --file->f_ref;
  return call.result(static_cast<poll_t>(res & epi->event_events));
}

void ep_start_scan(Kernel& k, eventpoll* ep) {
  Call call(k, Fn::ep_start_scan, ep);
  while (epitem* epi = ep->rdllist.pop_front()) ep->txlist.push_back(epi);
  ep->ovflist = nullptr;
}

void ep_done_scan(Kernel& k, eventpoll* ep) {
  Call call(k, Fn::ep_done_scan, ep);
  for (epitem* epi = ep->ovflist; epi != nullptr;) {  // the last comer stands first in it
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

void ep_poll_safewake(Kernel& k, eventpoll* ep) {
  if (!ep->poll_wait.head.empty() && !k.mutant(Mutant::nested_not_woken))
    __wake_up(k, ep->poll_wait, POLL_NONE | EPOLLIN);
}

void ep_wake_both(Kernel& k, eventpoll* ep, bool sync) {
  if (!ep->wq.head.empty()) {
    if (k.linux_4_19())
      wake_up_locked(k, ep);
    else if (sync)
      __wake_up_sync(k, ep->wq);
    else
      __wake_up(k, ep->wq, POLL_NONE);
  }
  ep_poll_safewake(k, ep);
}

long do_epoll_create(Kernel& k, int flags) {
  Call call(k, Fn::do_epoll_create, nullptr);
  if ((flags & ~O_CLOEXEC) != 0) return call.result(k.error(Rule::epoll_create_flags, nullptr));
  eventpoll* ep = k.alloc(k.eventpolls);
  if (ep == nullptr) return call.result(k.error(Rule::no_memory, nullptr));
  ep->ovflist = ep_unactive_ptr();
  ep->refcount = 1;
  int fd = get_unused_fd(k, (flags & O_CLOEXEC) != 0);
  if (fd < 0) {
    k.eventpolls.free(ep);
    return call.result(fd);
  }
  Call getfile(k, Fn::anon_inode_getfile, ep);
  file* file = __anon_inode_getfile(k, "[eventpoll]", &eventpoll_fops, static_cast<file_flags>(O_RDWR));
  if (file == nullptr) {
    put_unused_fd(k, fd);
    k.eventpolls.free(ep);
    return call.result(k.error(why_no_file(k), nullptr));
  }
  file->private_data = ep;
  ep->file = file;
  fd_install(k, fd, file);
  return call.result(fd);
}

}  // namespace wakepath::kernel
