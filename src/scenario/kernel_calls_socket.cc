#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>

#include "src/scenario/kernel_handlers.hh"

namespace wakepath::scenario {
namespace {

/// SO_LINGER takes two ints, SO_RCVTIMEO a timeval (written in seconds and microseconds), the others one int.
bool takes_timeval(const Request& r) {
  return at(r, 1) == SOL_SOCKET && (at(r, 2) == SO_RCVTIMEO || at(r, 2) == SO_SNDTIMEO);
}

}  // namespace

void with_address(const Request& r, Outcome& out) {
  sockaddr_storage address{};
  const socklen_t size = to_sockaddr(r.address, address);
  finish(out, syscall(r.call == Call::bind ? SYS_bind : SYS_connect, fd_of(r), &address, size));
}

void accept_one(const Request& r, Outcome& out) {
  finish(out, r.call == Call::accept ? syscall(SYS_accept, fd_of(r), nullptr, nullptr)
                                     : syscall(SYS_accept4, fd_of(r), nullptr, nullptr, at(r, 1)));
}

void name_of_socket(const Request& r, Outcome& out) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  const long number = r.call == Call::getsockname ? SYS_getsockname : SYS_getpeername;
  finish(out, syscall(number, fd_of(r), &address, &size));
  if (out.ret == 0) {
    out.address = from_sockaddr(address, size);
  }
}

void set_option(const Request& r, Outcome& out) {
  if (takes_timeval(r)) {
    timeval time{};
    time.tv_sec = r.value.empty() ? 0 : r.value[0];
    time.tv_usec = r.value.size() > 1 ? r.value[1] : 0;
    const size_t given = std::min<size_t>(r.value.size(), 2) * sizeof(time.tv_sec);  // one number: half of a timeval
    finish(out, syscall(SYS_setsockopt, fd_of(r), at(r, 1), at(r, 2), &time, given));
    return;
  }
  finish(out, syscall(SYS_setsockopt, fd_of(r), at(r, 1), at(r, 2), r.value.data(), r.value.size() * sizeof(int)));
}

void get_option(const Request& r, Outcome& out) {
  if (takes_timeval(r)) {
    timeval time{};
    socklen_t size = sizeof time;
    finish(out, syscall(SYS_getsockopt, fd_of(r), at(r, 1), at(r, 2), &time, &size));
    if (out.ret == 0) {
      out.value = {static_cast<int>(time.tv_sec), static_cast<int>(time.tv_usec)};
    }
    return;
  }
  int values[8] = {};
  socklen_t size = sizeof values;
  finish(out, syscall(SYS_getsockopt, fd_of(r), at(r, 1), at(r, 2), values, &size));
  if (out.ret == 0) {
    out.value.assign(values, values + std::max<size_t>(size / sizeof(int), 1));
  }
}

}  // namespace wakepath::scenario
