#include <fmt/format.h>

#include <set>

#include "sim/check/check.hh"
#include "sim/kernel/tcp.hh"
#include "sim/kernel/udp.hh"

namespace wakepath::check {

using namespace kernel;  // NOLINT

namespace {

bool is_stream(const sock* sk) {
  return sk->common.skc_family == AF_UNIX ? sk->sk_type == SOCK_STREAM : sk->sk_prot->protocol == IPPROTO_TCP;
}

/// Of an epoll as others see it: EPOLLIN while something on its ready list is ready. (Its wake-ups name no other bit.)
u32 nested_events(const eventpoll* ep) {
  for (const epitem* item : ep->rdllist)
    if ((events_of(*item->ffd_file) & static_cast<u32>(item->event_events.get())) != 0) return EPOLLIN;
  return 0;
}

/// Whether nobody but an EPOLLEXCLUSIVE item can keep a wake-up from those behind it on the file's queue: whoever
/// sleeps in a call there is woken together with all others, unlike in accept() or at a pipe. What is closed now may
/// have been a listener with somebody in accept() when it was told.
bool wakes_all_sleepers(const file& f) {
  if (f.f_op.get() == &eventfd_fops) return true;
  if (f.f_op.get() != &socket_file_ops) return false;
  const sock* sk = f.private_data.get().as<struct socket>()->sk;
  if (sk == nullptr || !is_stream(sk)) return false;
  return sk->common.skc_state != TcpState::LISTEN && sk->common.skc_state != TcpState::CLOSE;
}

}  // namespace

u32 events_of(const file& f) {
  if (f.f_op.get() == &socket_file_ops) {
    const auto* socket = f.private_data.get().as<struct socket>();
    const sock* sk = socket->sk;
    if (sk == nullptr) return 0;
    if (sk->sk_prot->protocol == IPPROTO_TCP) return static_cast<u32>(tcp_events(sk));
    if (sk->common.skc_family == AF_UNIX) {
      u32 there = static_cast<u32>(unix_events(sk));
      // of a datagram socket without EPOLLOUT, which hangs on the peer's queue as well
      return is_stream(sk) ? there : there & ~static_cast<u32>(EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND);
    }
    return sk->sk_prot->protocol == IPPROTO_UDP ? static_cast<u32>(udp_events(sk)) : 0;
  }
  if (f.f_op.get() == &pipefifo_fops) return static_cast<u32>(pipe_events(&f));
  if (f.f_op.get() == &timerfd_fops) return static_cast<u32>(timerfd_events(f.private_data.get().as<timerfd_ctx>()));
  if (f.f_op.get() == &eventfd_fops) return static_cast<u32>(eventfd_events(f.private_data.get().as<eventfd_ctx>()));
  // A signalfd has what whoever asks has pending: nothing that holds for all.
  return f.f_op.get() == &eventpoll_fops ? nested_events(f.private_data.get().as<eventpoll>()) : 0;
}

namespace {

constexpr u32 kPrivateBits = EPOLLWAKEUP | EPOLLONESHOT | static_cast<u32>(EPOLLET) | EPOLLEXCLUSIVE;

/// An EPOLLEXCLUSIVE item that need not know: another one on the queue, or a sleeper, may have been told instead.
bool may_be_passed_over(const epitem& item) {
  return !wakes_all_sleepers(*item.ffd_file) || item.pwqlist == nullptr || item.pwqlist->wait.passed_over;
}

/// Level triggered means: while the event is there, the item is on the ready list.
void check_ready(const epitem& item, Complaints& out) {
  u32 wanted = static_cast<u32>(item.event_events.get());
  bool linked = item.rdllink.linked();
  if (linked && !item.ep->rdllist.contains(&item))
    out.push_back(named("epitem", &item) + " is on the ready list of another epoll, or left over from a scan");
  if (item.ovflist_next.get() != ep_unactive_ptr())
    out.push_back(named("epitem", &item) + " is on ovflist while no scan runs");
  bool level = (wanted & static_cast<u32>(EPOLLET)) == 0;
  bool excused = (wanted & EPOLLEXCLUSIVE) != 0 && may_be_passed_over(item);
  bool armed = (wanted & ~kPrivateBits) != 0;
  u32 there = events_of(*item.ffd_file) & wanted;
  if (level && !excused && armed && !linked && there != 0)
    out.push_back(
        fmt::format("{}: events {:#x} are there, but it is not on the ready list", named("epitem", &item), there));
}

/// Walks every queue that there is: what hangs on it must say so itself.
class QueueWalk {
 public:
  explicit QueueWalk(Complaints& out) : out_(out) {}

  void walk(const wait_queue_head& queue, const char* whose, const void* owner) {
    for (const wait_queue_entry* entry : queue.head) {
      if (!queue.head.contains(entry) || !seen_.insert(entry).second)
        out_.push_back(named(whose, owner) + ": an entry of its wait queue is on another one as well");
      if (entry->func == nullptr) out_.push_back(named(whose, owner) + ": an entry without a function");
    }
  }
  [[nodiscard]] bool saw(const wait_queue_entry& entry) const { return seen_.contains(&entry); }
  [[nodiscard]] std::size_t count() const { return seen_.size(); }

 private:
  Complaints& out_;
  std::set<const wait_queue_entry*> seen_;  // asked for members only
};

void check_wait_queues(const Kernel& k, Complaints& out) {
  QueueWalk queues(out);
  k.socket_allocs.for_each([&](const socket_alloc& s) { queues.walk(s.socket.wq().wait, "socket", &s); });
  k.eventpolls.for_each([&](const eventpoll& ep) {
    queues.walk(ep.wq, "eventpoll", &ep);
    queues.walk(ep.poll_wait, "eventpoll", &ep);
  });
  k.unix_socks.for_each([&](const unix_sock& u) { queues.walk(u.peer_wq.wait, "unix_sock", &u); });
  k.pipes.for_each([&](const pipe_inode_info& pipe) {
    queues.walk(pipe.rd_wait, "pipe", &pipe);
    queues.walk(pipe.wr_wait, "pipe", &pipe);
  });
  k.eventfds.for_each([&](const eventfd_ctx& ctx) { queues.walk(ctx.wqh, "eventfd_ctx", &ctx); });
  k.timerfds.for_each([&](const timerfd_ctx& ctx) { queues.walk(ctx.wqh, "timerfd_ctx", &ctx); });
  k.sighands.for_each([&](const sighand_struct& s) { queues.walk(s.signalfd_wqh, "sighand_struct", &s); });
  std::size_t linked = 0;
  auto entry_is_found = [&](const wait_queue_entry& entry, const char* whose, const void* owner) {
    if (!entry.entry.linked()) return;
    ++linked;
    if (!queues.saw(entry)) out.push_back(named(whose, owner) + " hangs on a queue that is gone");
  };
  k.wait_entries.for_each([&](const wait_queue_entry& e) { entry_is_found(e, "wait_queue_entry", &e); });
  k.poll_entries.for_each([&](const poll_table_entry& e) { entry_is_found(e.wait, "poll_table_entry", &e); });
  k.unix_socks.for_each([&](const unix_sock& u) { entry_is_found(u.peer_wake, "unix_sock", &u); });
  k.eppoll_entries.for_each([&](const eppoll_entry& pwq) {
    entry_is_found(pwq.wait, "eppoll_entry", &pwq);
    if (!pwq.wait.entry.linked()) out.push_back(named("eppoll_entry", &pwq) + " hangs on no queue");
    if (pwq.base->pwqlist.get() != &pwq) out.push_back(named("eppoll_entry", &pwq) + " is not its item's");
  });
  if (linked != queues.count()) out.emplace_back("wait queues hold entries that are freed");
}

}  // namespace

void check_epolls(const Kernel& k, Complaints& out) {
  k.epitems.for_each([&](const epitem& item) { check_ready(item, out); });
  std::size_t watched = 0;
  k.eventpolls.for_each([&](const eventpoll& ep) {
    watched += ep.rbr.size();
    if (ep.ovflist.get() != ep_unactive_ptr() || !ep.txlist.empty())
      out.push_back(named("eventpoll", &ep) + ": a scan never ended");
    if (ep.refcount != 1 + ep.rbr.size())
      out.push_back(fmt::format("{}: refcount {}, but its file and {} items hold it", named("eventpoll", &ep),
                                ep.refcount.get(), ep.rbr.size()));
  });
  if (watched != k.epitems.live())
    out.push_back(fmt::format("{} items are watched, but {} are alive", watched, k.epitems.live()));
  check_wait_queues(k, out);
}

}  // namespace wakepath::check
