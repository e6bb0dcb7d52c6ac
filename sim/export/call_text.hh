#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace wakepath::exports {

/// What stands between brackets, cut at the commas that no bracket and no quotes enclose: "[{3, POLLIN}, {4, 0}]" gives
/// "{3, POLLIN}" and "{4, 0}". Nothing for an empty list or for no list.
[[nodiscard]] std::vector<std::string_view> elements(std::string_view list);
/// The number that a text begins with; -1 when it begins with none.
[[nodiscard]] int number_of(std::string_view text);

/// Calls that ask the same, whatever their names are.
enum class CallFamily : std::uint8_t { kOther, kEpollWait, kPoll, kSelect, kAccept, kConnect, kRead, kWrite };

/// A system call as a trace has it in words: "send(3, \"abc\", 3)". Borrows the text.
struct CallText {
  explicit CallText(std::string_view call);
  std::string_view name;
  std::vector<std::string_view> arguments;

  [[nodiscard]] CallFamily family() const;
  /// "" for one that is not there.
  [[nodiscard]] std::string_view argument(std::size_t index) const;
  /// The descriptor that it names first; -1 when it names none.
  [[nodiscard]] int fd() const { return number_of(argument(0)); }
  /// Its timeout, of the families that wait for several files; "" for others.
  [[nodiscard]] std::string_view timeout() const;
};

}  // namespace wakepath::exports
