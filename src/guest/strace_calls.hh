#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/guest/strace_line.hh"
#include "src/guest/strace_text.hh"
#include "src/os/call_record.hh"

namespace wakepath::guest {

/// What a call of a log means for the mirror.
struct StraceMeaning {
  /// In the plain form of its kind: recvmsg and recvfrom are Recvfrom, accept is Accept4, dup2 is Fcntl with F_DUPFD.
  /// What it sends or has received may be shorter than it was: `given` and the result say how much it was.
  std::optional<os::CallRecord> record;
  std::string why_not;       ///< when it has none, and should
  std::size_t given = 0;     ///< bytes that it sends, when it sends
  std::string decoration;    ///< what its descriptor is: "TCP:[127.0.0.1:80->127.0.0.1:9]"; "" when nobody says
  std::string made;          ///< the same of the descriptor that it returned
  std::vector<long> closes;  ///< dup2, dup3: the descriptor that is given up; close_range: first, last, flags
  std::optional<bool> close_on_exec;  ///< it sets that of its descriptor
  std::string word;                   ///< execve: the program; prctl: the thread's name; clone: "thread" or "process"
};

/// The highest number that a descriptor can have (sysctl_nr_open, fs/file.c), and what one call may send or receive.
constexpr long kMostDescriptor = (1L << 20) - 1;
constexpr std::size_t kMostGiven = std::size_t{1} << 26;

/// Whether the arguments of a call of that name are read; of others the result alone.
bool has_meaning(std::string_view name);
/// `end`: the size of the call's text. Throws StraceMismatch.
StraceMeaning meaning_of(std::string_view name, const std::vector<StraceValue>& arguments, const StraceResult& result,
                         std::size_t end);

}  // namespace wakepath::guest
