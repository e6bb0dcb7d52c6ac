#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wakepath::scenario {

/// The sets of C names that calls take. One set a position of a call, so that EPOLLIN in socket() is an error.
enum class Words {
  domain,
  socket_type,
  protocol,
  shutdown_how,
  message_flags,
  open_flags,
  accept_flags,
  pipe_flags,
  eventfd_flags,
  memfd_flags,
  seek_from,
  dup_flags,
  resource,
  epoll_flags,
  epoll_op,
  epoll_events,
  poll_events,
  fcntl_command,
  fd_flags,
  fcntl_result,
  ioctl_command,
  socket_level,
  socket_option,
  clock,
  timerfd_flags,
  signalfd_flags,
  signal,
  mask_how,
};

struct Word {
  std::string_view name;
  long value;
};

const std::vector<Word>& words_of(Words set);
std::optional<long> value_of(Words set, std::string_view name);
/// For messages: "an epoll event", "an address family".
std::string_view describe(Words set);
std::vector<std::string_view> names_of(Words set);

/// `EPOLLIN|EPOLLOUT`, in the order of the bits; bits without a name as a hexadecimal number; `0` for none.
std::string flags_text(Words set, long value);

/// SOL_SOCKET takes SO_*, IPPROTO_TCP takes TCP_*: the options that belong to a level.
std::optional<long> option_value(long level, std::string_view name);
std::vector<std::string_view> option_names(long level);

/// Canonical errno names: EAGAIN (never EWOULDBLOCK), EOPNOTSUPP (never ENOTSUP). The aliases are understood.
std::optional<int> errno_of(std::string_view name);
std::string errno_name(int number);
std::vector<std::string_view> errno_names();

/// States of a TCP socket under the names of include/net/tcp_states.h, without TCP_.
const std::vector<Word>& tcp_states();
std::string tcp_state_name(int state);

}  // namespace wakepath::scenario
