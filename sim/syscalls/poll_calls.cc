// Waiting for several files at once (poll, ppoll, select, epoll_pwait), what else is a file only to be waited for
// (eventfd, timerfd, signalfd), the signal mask, and the call that is made to fail.
#include <fmt/format.h>

#include <csignal>

#include "sim/syscalls/syscall_scope.hh"
#include "sim/syscalls/syscalls.hh"
#include "sim/syscalls/words.hh"

namespace wakepath::kernel {

namespace {

std::string asked(const struct pollfd* fds, std::size_t count) {
  if (fds == nullptr || !access_ok(fds)) return fds == nullptr ? "NULL" : "OUTSIDE";
  std::string out = "[";
  for (std::size_t i = 0; i < count; ++i)
    out += fmt::format("{}{{{}, {}}}", i == 0 ? "" : ", ", fds[i].fd, words::poll_events(fds[i].events));
  return out + "]";
}

std::string found(const struct pollfd* fds, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    if (fds[i].revents == 0) continue;
    out += fmt::format("{}{{{}, {}}}", out.empty() ? "" : ", ", words::poll_events(static_cast<u16>(fds[i].revents)),
                       fds[i].fd);
  }
  return " [" + out + "]";
}

std::string members(const std::vector<bool>& set) {
  std::string out;
  for (std::size_t fd = 0; fd < set.size(); ++fd)
    if (set[fd]) out += fmt::format("{}{}", out.empty() ? "" : ", ", fd);
  return "[" + out + "]";
}

words::Words mask_of(const std::optional<signal_set>& mask) {
  return mask ? words::signals(*mask) : words::Words("NULL");
}

}  // namespace

MaySleep<long> sys_eventfd2(Kernel& k, unsigned count, int flags) {
  SyscallScope call(k, Fn::__x64_sys_eventfd2, [&] {
    std::string words;
    for (const auto& [bit, name] : record::EnumWords<eventfd_flags>::values())
      if ((static_cast<u32>(flags) & bit) != 0) words += (words.empty() ? "" : "|") + name;
    return fmt::format("eventfd({}, {})", count, words.empty() ? "0" : words);
  });
  co_return call.done(do_eventfd(k, count, flags));
}

MaySleep<long> sys_poll(Kernel& k, struct pollfd* fds, std::size_t count, int timeout_ms) {
  SyscallScope call(k, Fn::__x64_sys_poll, [&] { return fmt::format("poll({}, {})", asked(fds, count), timeout_ms); });
  long result = 0;
  do result = co_await do_sys_poll(k, fds, count, timeout_ms);
  while (restarts(k, &result));
  co_return call.done(result, [&] { return found(fds, count); });
}

MaySleep<long> sys_ppoll(Kernel& k, struct pollfd* fds, std::size_t count, int timeout_ms,
                         std::optional<signal_set> mask) {
  SyscallScope call(k, Fn::__x64_sys_ppoll,
                    [&] { return fmt::format("ppoll({}, {}, {})", asked(fds, count), timeout_ms, mask_of(mask)); });
  long result = 0;
  do {
    if (mask) set_user_sigmask(k, *mask);
    result = co_await do_sys_poll(k, fds, count, timeout_ms);
    restore_saved_sigmask_unless(k, result == -ERESTARTNOHAND);
  } while (restarts(k, &result));
  co_return call.done(result, [&] { return found(fds, count); });
}

MaySleep<long> sys_select(Kernel& k, int n, SelectSets* sets, int timeout_ms) {
  SyscallScope call(k, Fn::__x64_sys_pselect6, [&] {
    if (sets == nullptr) return fmt::format("select({}, OUTSIDE, {})", n, timeout_ms);
    return fmt::format("select({}, {}, {}, {}, {})", n, members(sets->in), members(sets->out), members(sets->ex),
                       timeout_ms);
  });
  long result = 0;
  do result = co_await core_sys_select(k, n, sets, timeout_ms);
  while (restarts(k, &result));
  co_return call.done(
      result, [&] { return fmt::format(" {} {} {}", members(sets->in), members(sets->out), members(sets->ex)); });
}

MaySleep<long> sys_epoll_pwait(Kernel& k, int epfd, user_epoll_event* events, int maxevents, int timeout_ms,
                               std::optional<signal_set> mask) {
  SyscallScope call(k, Fn::__x64_sys_epoll_pwait, [&] {
    return fmt::format("epoll_pwait({}, {}, {}, {}{})", epfd, maxevents, timeout_ms, mask_of(mask),
                       words::bad_buffer(events));
  });
  if (mask) set_user_sigmask(k, *mask);
  long result = co_await do_epoll_wait(k, epfd, events, maxevents, timeout_ms);
  restore_saved_sigmask_unless(k, result == -EINTR);
  co_return call.done(result, [&] { return words::epoll_events(events, result); });
}

MaySleep<long> sys_timerfd_create(Kernel& k, int clock, int flags) {
  SyscallScope call(k, Fn::__x64_sys_timerfd_create, [&] {
    return words::text("timerfd_create(", words::clock(clock), ", ", words::timerfd_flags(flags), ")");
  });
  co_return call.done(do_timerfd_create(k, clock, flags));
}

MaySleep<long> sys_timerfd_settime(Kernel& k, int fd, u64 first, u64 interval) {
  SyscallScope call(k, Fn::__x64_sys_timerfd_settime, [&] {
    return fmt::format("timerfd_settime({}, {}ms, {}ms)", fd, first / kNsPerMs, interval / kNsPerMs);
  });
  co_return call.done(do_timerfd_settime(k, fd, first, interval));
}

MaySleep<long> sys_signalfd4(Kernel& k, signal_set set, int flags) {
  SyscallScope call(k, Fn::__x64_sys_signalfd4, [&] {
    return words::text("signalfd4(", words::signals(set), ", ", words::signalfd_flags(flags), ")");
  });
  co_return call.done(do_signalfd4(k, set, flags));
}

MaySleep<long> sys_refused(Kernel& k, std::string text, int error) {
  SyscallScope call(k, Fn::just_return_func, [&] { return text; });
  k.rule(Rule::fault_injected, k.current());
  co_return call.done(-error);
}

MaySleep<long> sys_without_argument(Kernel& k, Fn entry, std::string text) {
  SyscallScope call(k, entry, [&] { return text; });
  co_return call.done(k.error(Rule::bad_address, nullptr));
}

MaySleep<long> sys_sigprocmask(Kernel& k, int how, signal_set set) {
  SyscallScope call(k, Fn::__x64_sys_rt_sigprocmask, [&] {
    const char* name = how == SIG_BLOCK     ? "SIG_BLOCK"
                       : how == SIG_UNBLOCK ? "SIG_UNBLOCK"
                       : how == SIG_SETMASK ? "SIG_SETMASK"
                                            : "?";
    return fmt::format("sigprocmask({}, {})", name, words::signals(set));
  });
  co_return call.done(do_sigprocmask(k, how, set));
}

}  // namespace wakepath::kernel
