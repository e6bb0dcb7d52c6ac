#include "src/scenario/kernel_calls.hh"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>

#include "src/scenario/kernel_handlers.hh"

namespace wakepath::scenario {
namespace {

/// Calls whose arguments are the numbers that stand in the file.
struct Plain {
  Call call;
  long number;
};
constexpr Plain kPlain[] = {
    {Call::socket, SYS_socket},
    {Call::listen, SYS_listen},
    {Call::shutdown, SYS_shutdown},
    {Call::close, SYS_close},
    {Call::fcntl, SYS_fcntl},
    {Call::eventfd, SYS_eventfd2},
    {Call::lseek, SYS_lseek},
    {Call::dup, SYS_dup},
    {Call::dup3, SYS_dup3},
    {Call::epoll_create1, SYS_epoll_create1},
    {Call::timerfd_create, SYS_timerfd_create},
};

void plain(const Request& r, Outcome& out) {
  const auto* const found =
      std::find_if(std::begin(kPlain), std::end(kPlain), [&](const Plain& p) { return p.call == r.call; });
  finish(out, syscall(found->number, at(r, 0), at(r, 1), at(r, 2)));
}

void ioctl_number(const Request& r, Outcome& out) {
  int number = static_cast<int>(at(r, 2));
  finish(out, syscall(SYS_ioctl, fd_of(r), at(r, 1), pointer_to(r.buffer, &number)));
  if (out.ret == 0 && at(r, 1) != FIONBIO) {
    out.value = {number};
  }
}

void make_memory_file(const Request& r, Outcome& out) {
  finish(out, syscall(SYS_memfd_create, pointer_to(r.buffer, r.data.c_str()), at(r, 0)));
}

/// dup3() refuses equal numbers, dup2() gives them back; not every machine has dup2.
void duplicate_onto(const Request& r, Outcome& out) {
  finish(out, at(r, 0) == at(r, 1) ? (fcntl(fd_of(r), F_GETFD) < 0 ? -1 : at(r, 0))
                                   : syscall(SYS_dup3, fd_of(r), at(r, 1), 0));
}

/// The soft limit; the hard one stays as it is.
void limit_resource(const Request& r, Outcome& out) {
  rlimit64 limit{};
  long ret = syscall(SYS_prlimit64, 0, at(r, 0), nullptr, &limit);
  if (ret == 0) {
    limit.rlim_cur = static_cast<rlim64_t>(at(r, 1));
    ret = syscall(SYS_prlimit64, 0, at(r, 0), &limit, nullptr);
  }
  finish(out, ret);
}

void make_pair(const Request& r, Outcome& out) {
  int fds[2] = {-1, -1};
  void* const where = pointer_to(r.buffer, fds);
  finish(out, r.call == Call::pipe2 ? syscall(SYS_pipe2, where, at(r, 0))
                                    : syscall(SYS_socketpair, at(r, 0), at(r, 1), at(r, 2), where));
  if (out.ret == 0) {
    out.fds = {fds[0], fds[1]};
  }
}

void set_timer(const Request& r, Outcome& out) {
  const auto time = [](long ns) { return timespec{ns / 1000000000, ns % 1000000000}; };
  const itimerspec timer{time(at(r, 2)), time(at(r, 1))};
  finish(out, syscall(SYS_timerfd_settime, fd_of(r), 0, pointer_to(r.buffer, &timer), nullptr));
}

void change_mask(const Request& r, Outcome& out) {
  const uint64_t set = set_of(r);
  finish(out, syscall(SYS_rt_sigprocmask, at(r, 0), pointer_to(r.signals_at, &set), nullptr, sizeof set));
}

void make_signalfd(const Request& r, Outcome& out) {
  const uint64_t set = set_of(r);
  finish(out, syscall(SYS_signalfd4, -1, pointer_to(r.signals_at, &set), sizeof set, at(r, 0)));
}

struct Row {
  Call call;
  Handler handler;
};
constexpr Row kHandlers[] = {
    {Call::bind, with_address},
    {Call::connect, with_address},
    {Call::accept, accept_one},
    {Call::accept4, accept_one},
    {Call::read, receive},
    {Call::recv, receive},
    {Call::recvfrom, receive},
    {Call::readv, receive_pieces},
    {Call::recvmsg, receive_message},
    {Call::write, send_bytes},
    {Call::send, send_bytes},
    {Call::sendto, send_bytes},
    {Call::writev, send_pieces},
    {Call::sendmsg, send_pieces},
    {Call::ioctl, ioctl_number},
    {Call::getsockname, name_of_socket},
    {Call::getpeername, name_of_socket},
    {Call::setsockopt, set_option},
    {Call::getsockopt, get_option},
    {Call::pipe2, make_pair},
    {Call::socketpair, make_pair},
    {Call::memfd_create, make_memory_file},
    {Call::dup2, duplicate_onto},
    {Call::setrlimit, limit_resource},
    {Call::epoll_ctl, epoll_control},
    {Call::epoll_wait, epoll_wait_for},
    {Call::epoll_pwait, epoll_wait_for},
    {Call::poll, poll_for},
    {Call::ppoll, poll_for},
    {Call::select, select_for},
    {Call::timerfd_settime, set_timer},
    {Call::signalfd4, make_signalfd},
    {Call::sigprocmask, change_mask},
};

void no_such_call(const Request&, Outcome& out) {
  out.ret = -1;
  out.error = ENOSYS;
}

Handler handler_of(Call call) {
  for (const Row& row : kHandlers) {
    if (row.call == call) {
      return row.handler;
    }
  }
  return std::any_of(std::begin(kPlain), std::end(kPlain), [&](const Plain& p) { return p.call == call; })
             ? plain
             : no_such_call;
}

}  // namespace

void finish(Outcome& out, long ret) {
  out.error = ret < 0 ? errno : 0;
  out.ret = ret < 0 ? -1 : ret;
}

uint64_t set_of(const Request& r) {
  uint64_t set = 0;
  if (r.signals) {
    for (const int signal : *r.signals) {
      set |= uint64_t{1} << (signal - 1);
    }
  }
  return set;
}

Outcome perform(const Request& r) {
  Outcome out;
  handler_of(r.call)(r, out);
  return out;
}

long syscall_number(Call call) {
  switch (call) {
    case Call::execve:
      return SYS_execve;
    case Call::accept:
      return SYS_accept;
    case Call::accept4:
      return SYS_accept4;
    case Call::connect:
      return SYS_connect;
    case Call::read:
      return SYS_read;
    case Call::readv:
      return SYS_readv;
    case Call::write:
      return SYS_write;
    case Call::writev:
      return SYS_writev;
    case Call::send:
    case Call::sendto:
      return SYS_sendto;
    case Call::sendmsg:
      return SYS_sendmsg;
    case Call::recv:
    case Call::recvfrom:
      return SYS_recvfrom;
    case Call::recvmsg:
      return SYS_recvmsg;
    case Call::close:
      return SYS_close;
    case Call::epoll_wait:
#ifdef SYS_epoll_wait
      return SYS_epoll_wait;
#else
      return SYS_epoll_pwait;
#endif
    case Call::epoll_pwait:
      return SYS_epoll_pwait;
    case Call::ppoll:
      return SYS_ppoll;
    case Call::select:
      return SYS_pselect6;
    case Call::poll:
#ifdef SYS_poll
      return SYS_poll;
#else
      return SYS_ppoll;
#endif
    default:
      return -1;
  }
}

}  // namespace wakepath::scenario
