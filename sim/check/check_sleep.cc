#include <fmt/format.h>

#include "sim/check/check.hh"
#include "sim/kernel/tcp.hh"

namespace wakepath::check {

using namespace kernel;  // NOLINT

namespace {

bool sleeps(const task_struct* task) {
  return task != nullptr && task->__state == TaskState::TASK_INTERRUPTIBLE && !task->thread->runnable();
}

/// Not those whom an EPOLLEXCLUSIVE item has a wake-up taken from: they sleep on in Linux, too.
bool anybody_sleeps(const wait_queue_head& queue, wait_queue_func_t func) {
  for (const wait_queue_entry* entry : queue.head)
    if (entry->func.get() == func && !entry->passed_over && sleeps(entry->private_)) return true;
  return false;
}

/// What epoll_wait() would report now, left on the ready list beside somebody who sleeps for it.
void check_epoll_sleepers(const eventpoll& ep, Complaints& out) {
  if (!anybody_sleeps(ep.wq, ep_autoremove_wake_function)) return;
  for (const epitem* item : ep.rdllist)
    if ((events_of(*item->ffd_file) & static_cast<u32>(item->event_events.get())) != 0)
      out.push_back(fmt::format("{}: somebody sleeps in epoll_wait() although {} is ready", named("eventpoll", &ep),
                                named("epitem", item)));
}

void check_accept_sleepers(const socket_alloc& whole, Complaints& out) {
  const sock* sk = whole.socket.sk;
  if (sk == nullptr || sk->sk_prot->protocol != IPPROTO_TCP || sk->common.skc_state != TcpState::LISTEN) return;
  if (!inet_csk(sk)->icsk_accept_queue.rskq_accept_head.empty() &&
      anybody_sleeps(whole.socket.wq().wait, autoremove_wake_function))
    out.push_back(named("socket", &whole) + ": somebody sleeps in accept() although a connection is there");
}

/// Whether the number that the call asked about still means the file that it waits at.
bool still_names(const task_struct* task, const poll_table_entry& entry) {
  const auto& slots = task->files->by_number;
  const auto fd = static_cast<std::size_t>(entry.fd);
  return fd < slots.size() && slots[fd] != nullptr && slots[fd]->file.get() == entry.filp.get();
}

/// What poll() or select() would report now. Their wake-ups are never exclusive. Not EPOLLPRI, which select() always
/// names, asked or not. Nor a file whose descriptor has been closed meanwhile: at the next look its number means
/// another file, or none, and the call sleeps on.
void check_poll_sleepers(const poll_wqueues& call, Complaints& out) {
  if (!sleeps(call.polling_task)) return;
  for (const poll_table_entry* entry : call.entries) {
    if (!still_names(call.polling_task, *entry)) continue;
    if (u32 there = events_of(*entry->filp) & static_cast<u32>(entry->key.get()) & ~static_cast<u32>(EPOLLPRI);
        there != 0)
      out.push_back(fmt::format("{}: somebody sleeps in poll() or select() although {} has events {:#x}",
                                named("poll_wqueues", &call), named("file", entry->filp.get()), there));
  }
}

/// Whoever sleeps on the queue of signals reads one of the signalfds that are there.
void check_signal_sleepers(const Kernel& k, const sighand_struct& sighand, Complaints& out) {
  for (const wait_queue_entry* entry : sighand.signalfd_wqh.head) {
    if (entry->func.get() != default_wake_function || !sleeps(entry->private_)) continue;
    bool always = true;
    k.signalfds.for_each(
        [&](const signalfd_ctx& ctx) { always = always && signalfd_events(&ctx, entry->private_) != POLL_NONE; });
    if (always)
      out.push_back(named("task_struct", entry->private_.get()) +
                    " sleeps in read() of a signalfd although a signal is pending");
  }
}

void check_counter_sleepers(const Kernel& k, Complaints& out) {
  k.timerfds.for_each([&](const timerfd_ctx& ctx) {
    if (ctx.ticks > 0 && anybody_sleeps(ctx.wqh, autoremove_wake_function))
      out.push_back(named("timerfd_ctx", &ctx) + ": somebody sleeps in read() although the timer has run out");
  });
  // a writer sleeps on the same queue, but only for room: never beside a small count, unless it adds almost 2^64
  k.eventfds.for_each([&](const eventfd_ctx& ctx) {
    if (ctx.count > 0 && ctx.count <= UINT32_MAX && anybody_sleeps(ctx.wqh, autoremove_wake_function))
      out.push_back(named("eventfd_ctx", &ctx) + ": somebody sleeps in read() although it is not 0");
  });
}

/// Reader or writer of a pipe. A woken sleeper passes a wake-up on, so that only an epoll may leave one out.
void check_pipe_sleepers(const pipe_inode_info& pipe, Complaints& out) {
  if (!pipe.pages.empty() && anybody_sleeps(pipe.rd_wait, autoremove_wake_function))
    out.push_back(named("pipe", &pipe) + ": somebody sleeps in read() although bytes are there");
  if (pipe.readers == 0 && anybody_sleeps(pipe.wr_wait, autoremove_wake_function))
    out.push_back(named("pipe", &pipe) + ": somebody sleeps in write() although nobody will read");
}

}  // namespace

void check_sleepers(const Kernel& k, Complaints& out) {
  if (k.scheduler.anything_runnable()) return;  // somebody may be on the way to take it
  k.eventpolls.for_each([&](const eventpoll& ep) { check_epoll_sleepers(ep, out); });
  k.socket_allocs.for_each([&](const socket_alloc& whole) { check_accept_sleepers(whole, out); });
  k.pipes.for_each([&](const pipe_inode_info& pipe) { check_pipe_sleepers(pipe, out); });
  k.poll_wqueues_.for_each([&](const poll_wqueues& call) { check_poll_sleepers(call, out); });
  k.sighands.for_each([&](const sighand_struct& sighand) { check_signal_sleepers(k, sighand, out); });
  check_counter_sleepers(k, out);
}

void check_run_queues(const Kernel& k, Complaints& out) {
  for (const rq* rq : k.runqueues) {
    if (const task_struct* curr = rq->curr; curr != nullptr && !rq->cfs_tasks.contains(curr))
      out.push_back(named("rq", rq) + ": what runs there is not on its queue");
    for (const task_struct* task : rq->cfs_tasks)
      if (task->cpu != rq->cpu || !task->thread->in_call())
        out.push_back(named("rq", rq) + ": has " + named("task_struct", task) + ", which belongs elsewhere");
  }
}

}  // namespace wakepath::check
