#pragma once

#include <fmt/format.h>

#include <charconv>
#include <concepts>
#include <cstring>
#include <string>
#include <string_view>

#include "sim/kernel/kernel.hh"
#include "sim/kernel/uaccess.hh"

/// How the arguments of a system call are written in a trace: as in C, with the names of flags.

namespace wakepath::kernel::words {

/// A short text in the making. Every recorded call writes two, so what fits into `room_` takes no memory of its own.
class Words {
 public:
  Words() {}  // NOLINT: the room stays as it is
  template <std::convertible_to<std::string_view> Text>
  Words(const Text& text) {  // NOLINT: a word is a text
    *this += text;
  }
  Words(const Words& other) : Words(other.view()) {}
  Words& operator=(const Words&) = delete;
  ~Words() = default;

  Words& operator+=(std::string_view part) {
    if (part.empty()) return *this;  // it may be of nothing at all, which memcpy() may not have
    if (size_ + part.size() > sizeof room_) [[unlikely]]
      return add_to_long(part);
    std::memcpy(room_ + size_, part.data(), part.size());
    size_ += part.size();
    return *this;
  }
  Words& operator+=(char c) { return *this += std::string_view(&c, 1); }
  template <std::integral Number>
  requires(sizeof(Number) > 1)  // no char, no bool
      Words&
      operator+=(Number number) {
    char digits[24];
    return *this += std::string_view(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
  }

  [[nodiscard]] std::string_view view() const { return long_.empty() ? std::string_view(room_, size_) : long_; }
  operator std::string_view() const { return view(); }  // NOLINT
  [[nodiscard]] bool empty() const { return size_ == 0; }

 private:
  [[gnu::cold, gnu::noinline]] Words& add_to_long(std::string_view part) {
    if (long_.empty()) long_.assign(room_, size_);
    long_ += part;
    size_ = sizeof room_;
    return *this;
  }

  std::size_t size_ = 0;  ///< of what stands in the room; all of it once the text is long
  char room_[120];
  std::string long_;  ///< all of a text that has no room; else empty
};

/// Its parts one behind the other, numbers in decimal.
template <class... Parts>
[[nodiscard]] Words text(const Parts&... parts) {
  Words out;
  ((out += parts), ...);
  return out;
}

[[nodiscard]] Words family(int family);
[[nodiscard]] Words socket_type(int type);
/// Of accept4().
[[nodiscard]] Words socket_flags(int flags);
[[nodiscard]] Words protocol(int number);
[[nodiscard]] Words shutdown_how(int how);
[[nodiscard]] Words clock(int id);
[[nodiscard]] Words timerfd_flags(int flags);
[[nodiscard]] Words signalfd_flags(int flags);
/// Of epoll_create1().
[[nodiscard]] Words epoll_flags(int flags);
[[nodiscard]] Words address(const Address& address);
[[nodiscard]] Words pointer(UserPointer at);
/// In double quotes, with C escapes, cut after 24 bytes; or where they are not.
[[nodiscard]] Words data(std::string_view bytes);
/// A list of such; `at` may be empty.
[[nodiscard]] Words pieces(const std::vector<std::string>& pieces, const std::vector<UserPointer>& at,
                           UserPointer list);
/// Sizes of the same.
[[nodiscard]] Words room(const std::vector<UserPiece>& pieces, UserPointer list);
/// Of a buffer to fill that is not there: `, buffer=NULL`; else nothing.
[[nodiscard]] std::string_view bad_buffer(const void* buffer);
/// `, addr=NULL, len=OUTSIDE`
[[nodiscard]] Words bad_address(UserPointer address, UserPointer length);
[[nodiscard]] Words events(u32 mask);
/// What epoll_wait() gave: events, and of the caller's data the lower half, as data.fd and data.u32 are.
[[nodiscard]] Words epoll_events(const user_epoll_event* events, long count);
[[nodiscard]] Words epoll_op(int op);
[[nodiscard]] Words poll_events(int mask);
[[nodiscard]] Words signals(signal_set set);
[[nodiscard]] Words message_flags(int flags);
/// The same behind a comma, if there are any.
[[nodiscard]] Words more_flags(int flags);
[[nodiscard]] Words open_flags(int flags);
[[nodiscard]] Words memfd_flags(unsigned flags);
[[nodiscard]] Words seek_from(int whence);
[[nodiscard]] Words option(int level, int option);
[[nodiscard]] Words option_value(const std::vector<int>& value);

}  // namespace wakepath::kernel::words

template <>
struct fmt::formatter<wakepath::kernel::words::Words> : fmt::formatter<std::string_view> {
  auto format(const wakepath::kernel::words::Words& words, fmt::format_context& context) const {
    return fmt::formatter<std::string_view>::format(words.view(), context);
  }
};
