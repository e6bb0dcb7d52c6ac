#pragma once

#include <charconv>
#include <concepts>
#include <string>
#include <string_view>

#include "sim/kernel/kernel.hh"

/// How the arguments of a system call are written in a trace: as in C, with the names of flags.

namespace wakepath::kernel::words {

inline void put(std::string& out, std::string_view part) { out += part; }
template <std::integral Number>
requires(sizeof(Number) > 1)  // no char, no bool
    void put(std::string& out, Number number) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}
/// Its parts one behind the other, numbers in decimal. Every call writes two such texts: a format string takes longer.
template <class... Parts>
[[nodiscard]] std::string text(const Parts&... parts) {
  std::string out;
  out.reserve(64);
  (put(out, parts), ...);
  return out;
}

[[nodiscard]] std::string family(int family);
[[nodiscard]] std::string socket_type(int type);
[[nodiscard]] std::string address(const Address& address);
/// In double quotes, with C escapes, cut after 24 bytes.
[[nodiscard]] std::string data(std::string_view bytes);
/// A list of such.
[[nodiscard]] std::string pieces(const std::vector<std::string>& pieces);
[[nodiscard]] std::string events(u32 mask);
[[nodiscard]] std::string epoll_events(const user_epoll_event* events, long count);
[[nodiscard]] std::string epoll_op(int op);
[[nodiscard]] std::string poll_events(int mask);
[[nodiscard]] std::string signals(signal_set set);
[[nodiscard]] std::string message_flags(int flags);
[[nodiscard]] std::string open_flags(int flags);
[[nodiscard]] std::string memfd_flags(unsigned flags);
[[nodiscard]] std::string seek_from(int whence);
[[nodiscard]] std::string option(int level, int option);
[[nodiscard]] std::string option_value(const std::vector<int>& value);

}  // namespace wakepath::kernel::words
