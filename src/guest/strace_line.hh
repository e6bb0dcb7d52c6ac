#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "src/guest/strace_text.hh"

namespace wakepath::guest {

/// One line of a log. What its calls have as arguments is not looked at here.
struct StraceLine {
  enum class Kind : uint8_t {
    call,        ///< read(4, "ping", 8) = 4
    unfinished,  ///< read(4,  <unfinished ...>
    resumed,     ///< <... read resumed>"ping", 8) = 4
    ended,       ///< +++ exited with 0 +++
    other,       ///< --- SIGCHLD {…} ---, strace: Process 5 attached, frames of -k
  };
  enum class Stamp : uint8_t { none, epoch, day, relative };  ///< -ttt, -tt, -r

  Kind kind = Kind::other;
  int thread = 0;         ///< 0: it does not say
  std::string_view comm;  ///< with --decode-pids=comm
  Stamp stamp = Stamp::none;
  int64_t time_ns = 0;    ///< since 1970, since midnight, since the line before
  std::string_view name;  ///< of the call
  std::size_t body = 0;   ///< where the call begins, or what it is resumed with
  std::size_t end = 0;    ///< where it ends: a line that is not finished says so there
  bool lost = false;      ///< unfinished, and it says itself that it never will be
};

/// Throws StraceMismatch.
StraceLine read_line(std::string_view line);

/// What stands behind a call: " = -1 EAGAIN (Resource temporarily unavailable) <0.000012>".
struct StraceResult {
  std::optional<long> value;    ///< a negative errno when it failed; nullopt: "?", nobody knows
  std::string_view decoration;  ///< what the descriptor is that it returned
  std::string_view more;        ///< what stands behind it: "([{fd=5, revents=POLLIN}])"
  int64_t duration_ns = -1;     ///< with -T
};

/// `at`: behind the parenthesis that closes the call. Throws StraceMismatch.
StraceResult read_result(std::string_view text, std::size_t at);
/// The place behind the parenthesis that closes a call whose arguments are not read; npos: none.
std::size_t end_of_call(std::string_view text);

}  // namespace wakepath::guest
