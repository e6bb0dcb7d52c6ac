#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "src/scenario/kernel_handlers.hh"

namespace wakepath::scenario {

void epoll_control(const Request& r, Outcome& out) {
  epoll_event event{};
  event.events = static_cast<uint32_t>(at(r, 3));
  event.data.u64 = r.token;
  finish(out, syscall(SYS_epoll_ctl, fd_of(r), at(r, 1), at(r, 2), pointer_to(r.buffer, &event)));
}

void epoll_wait_for(const Request& r, Outcome& out) {
  const long most = at(r, 1);
  std::vector<epoll_event> events(most > 0 && most <= 65536 ? static_cast<size_t>(most) : 1);
  void* const buffer = pointer_to(r.buffer, events.data());
  const uint64_t mask = set_of(r);
  if (syscall_number(r.call) == SYS_epoll_pwait) {
    finish(out, syscall(SYS_epoll_pwait, fd_of(r), buffer, most, at(r, 2), mask_of(r, &mask), 8));
  } else {
    finish(out, syscall(syscall_number(r.call), fd_of(r), buffer, most, at(r, 2)));
  }
  if (out.ret >= 0) {
    out.events.emplace();
    for (size_t i = 0; i < static_cast<size_t>(out.ret); ++i) {
      out.events->push_back({events[i].events, events[i].data.u64});
    }
  }
}

void poll_for(const Request& r, Outcome& out) {
  std::vector<pollfd> fds;
  for (const Request::Poll& p : r.polls) {
    fds.push_back({p.fd, p.events, 0});
  }
  const long timeout = at(r, 0);
  const timespec limit{timeout / 1000, timeout % 1000 * 1000000};
  const uint64_t mask = set_of(r);
  void* const where = pointer_to(r.buffer, fds.data());
  const size_t count = r.buffer == Pointer::good ? fds.size() : 1;
  if (syscall_number(r.call) == SYS_ppoll) {
    finish(out, syscall(SYS_ppoll, where, count, timeout < 0 ? nullptr : &limit, mask_of(r, &mask), 8));
  } else {
    finish(out, syscall(syscall_number(r.call), where, count, timeout));
  }
  if (out.ret >= 0) {
    out.events.emplace();
    for (size_t i = 0; i < fds.size(); ++i) {
      if (fds[i].revents != 0) {
        out.events->push_back({static_cast<uint16_t>(fds[i].revents), r.polls[i].token});
      }
    }
  }
}

/// The first set lies outside.
void select_nowhere(const Request& r, Outcome& out) {
  const timespec limit{0, 0};
  finish(out, syscall(SYS_pselect6, 1, pointer_to(r.buffer, nullptr), nullptr, nullptr, &limit, nullptr));
}

void select_for(const Request& r, Outcome& out) {
  if (r.buffer == Pointer::outside) {
    return select_nowhere(r, out);
  }
  fd_set in, ex, other;
  FD_ZERO(&in);
  FD_ZERO(&other);
  FD_ZERO(&ex);
  const auto set_for = [&](short events) { return events == POLLIN ? &in : events == POLLOUT ? &other : &ex; };
  int most = 0;
  for (const Request::Poll& p : r.polls) {
    if (p.fd >= 0 && p.fd < FD_SETSIZE) {
      FD_SET(p.fd, set_for(p.events));
      most = std::max(most, p.fd + 1);
    }
  }
  const long timeout = at(r, 0);
  timespec limit{timeout / 1000, timeout % 1000 * 1000000};
  finish(out, syscall(SYS_pselect6, most, &in, &other, &ex, timeout < 0 ? nullptr : &limit, nullptr));
  if (out.ret >= 0) {
    out.events.emplace();
    for (const Request::Poll& p : r.polls) {
      if (p.fd >= 0 && p.fd < FD_SETSIZE && FD_ISSET(p.fd, set_for(p.events))) {
        out.events->push_back({static_cast<uint16_t>(p.events), p.token});
      }
    }
  }
}

}  // namespace wakepath::scenario
