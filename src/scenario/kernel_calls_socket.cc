#include <netinet/in.h>
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

socklen_t size_at(const Request& r, socklen_t size) {
  return r.address_at == Pointer::good ? size : socklen_t{sizeof(sockaddr_in)};
}

void with_address(const Request& r, Outcome& out) {
  sockaddr_storage address{};
  const socklen_t size = size_at(r, to_sockaddr(r.address, address));
  finish(out,
         syscall(r.call == Call::bind ? SYS_bind : SYS_connect, fd_of(r), pointer_to(r.address_at, &address), size));
}

void accept_one(const Request& r, Outcome& out) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  const bool asks = r.address_at != Pointer::good || r.length_at != Pointer::good;
  void* const where = pointer_to(r.address_at, asks ? &address : nullptr);
  void* const length = pointer_to(r.length_at, asks ? &size : nullptr);
  finish(out, r.call == Call::accept ? syscall(SYS_accept, fd_of(r), where, length)
                                     : syscall(SYS_accept4, fd_of(r), where, length, at(r, 1)));
}

void name_of_socket(const Request& r, Outcome& out) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  const long number = r.call == Call::getsockname ? SYS_getsockname : SYS_getpeername;
  finish(out, syscall(number, fd_of(r), pointer_to(r.address_at, &address), pointer_to(r.length_at, &size)));
  if (out.ret == 0) {
    out.address = from_sockaddr(address, size);
  }
}

void set_option(const Request& r, Outcome& out) {
  if (r.buffer != Pointer::good) {
    const size_t size = takes_timeval(r) ? sizeof(timeval) : sizeof(int);
    finish(out, syscall(SYS_setsockopt, fd_of(r), at(r, 1), at(r, 2), pointer_to(r.buffer, nullptr), size));
    return;
  }
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
    finish(out, syscall(SYS_getsockopt, fd_of(r), at(r, 1), at(r, 2), pointer_to(r.buffer, &time),
                        pointer_to(r.length_at, &size)));
    if (out.ret == 0) {
      out.value = {static_cast<int>(time.tv_sec), static_cast<int>(time.tv_usec)};
    }
    return;
  }
  int values[8] = {};
  socklen_t size = sizeof values;
  finish(out, syscall(SYS_getsockopt, fd_of(r), at(r, 1), at(r, 2), pointer_to(r.buffer, values),
                      pointer_to(r.length_at, &size)));
  if (out.ret == 0) {
    out.value.assign(values, values + std::max<size_t>(size / sizeof(int), 1));
  }
}

}  // namespace wakepath::scenario
