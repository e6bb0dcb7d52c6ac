#pragma once

#include <cerrno>

namespace wakepath::os {

/// The one place where EINTR is handled. `Os` reports every interrupted call as -EINTR, so that a recording shows what
/// the kernel did; a caller for whom an interruption means nothing says so by wrapping the call:
///
///     int ready = retry_on_eintr([&] { return os.epoll_wait(epfd, events, 64, -1); });
///
/// Two calls must never be wrapped: close(2), where the descriptor is gone even after -EINTR, and connect(2), which
/// goes on in the background and is then asked about with SO_ERROR.
template <class Call>
auto retry_on_eintr(Call call) {
  for (;;) {
    auto result = call();
    if (result != -EINTR) return result;
  }
}

}  // namespace wakepath::os
