#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

/// The notation in which strace writes the arguments of a call.

namespace wakepath::guest {

/// What stands where it should not; `at`: a byte of the text that is read.
struct StraceMismatch : std::runtime_error {
  StraceMismatch(std::size_t place, std::string what_stands, std::string what_should)
      : std::runtime_error("strace text does not parse"),
        at(place),
        found(std::move(what_stands)),
        expected(std::move(what_should)) {}
  std::size_t at;
  std::string found, expected;
};

/// One argument, or a part of one.
struct StraceValue {
  enum class Kind : uint8_t {
    number,   ///< 4, -1, 0x7ffe5b3ffc30, 8192*1024; a descriptor may have a decoration: 4<TCP:[…]>
    words,    ///< NULL, O_RDWR|O_CLOEXEC, EPOLLIN|0x10, ~[RT_1]
    string,   ///< "ping", "ping"...
    group,    ///< {…} or […]
    call,     ///< htons(80), inet_addr("127.0.0.1")
    omitted,  ///< ...
    unknown,  ///< ?
  };
  struct Item;

  Kind kind = Kind::unknown;
  std::size_t at = 0;             ///< where it begins
  int64_t number = 0;             ///< of a number; unsigned ones beyond 2^63 wrap around
  std::string text;               ///< words; the bytes of a string; the name of a call
  std::string decoration;         ///< of a number: what stands between < and >
  bool cut = false;               ///< of a string: not all of it was written. Of a group: "..." stands in it
  std::vector<Item> items;        ///< of a group or a call
  std::vector<StraceValue> then;  ///< what it was after the call, "[16 => 2]"; at most one

  bool is_null() const { return kind == Kind::words && text == "NULL"; }
  /// The item of a group that has that name; nullptr.
  const StraceValue* field(std::string_view name) const;
  /// The value after the call, when there is one, else this one.
  const StraceValue& last() const { return then.empty() ? *this : then.front(); }
};

struct StraceValue::Item {
  std::string name;  ///< "sa_family"; may be empty
  StraceValue value;
};

/// The arguments that stand in `text` from `at`, up to the parenthesis that closes the call. `at` is moved behind it.
/// Throws StraceMismatch.
std::vector<StraceValue> read_arguments(std::string_view text, std::size_t& at);

inline bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Behind "<…>", of which the first stands at `at`: "->" inside is no end. npos when there is none.
std::size_t end_of_decoration(std::string_view text, std::size_t at);

/// What stands at `at`, short enough for a message.
std::string found_at(std::string_view text, std::size_t at);

}  // namespace wakepath::guest
