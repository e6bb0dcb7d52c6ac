#pragma once

#include <sys/epoll.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "src/guest/strace_text.hh"
#include "src/os/call_record.hh"

namespace wakepath::guest {

/// The log is right, but does not show what would have to be known.
struct NotShown : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Bytes as far as they are shown.
struct Bytes {
  std::string data;
  std::size_t room = 0;  ///< of pieces: their sizes together
  bool partial = false;  ///< not all pieces are shown
};

/// The arguments of one call, as what they are to be. Whatever is something else throws StraceMismatch.
class Arguments {
 public:
  Arguments(const std::vector<StraceValue>& values, std::size_t end) : values_(values), end_(end) {}
  std::size_t size() const { return values_.size(); }
  std::size_t end() const { return end_; }  ///< of the call's text
  const StraceValue& at(std::size_t i) const;

  long number(std::size_t i) const { return number_in(at(i)); }
  int whole(std::size_t i) const;           ///< as the kernel's int
  std::size_t length(std::size_t i) const;  ///< a size; "[128 => 16]" is 16
  int descriptor(std::size_t i) const { return descriptor_in(at(i)); }
  /// nullopt for words that are not known here.
  std::optional<long> try_number(std::size_t i) const;
  os::Address address(std::size_t i) const { return address_in(at(i)); }
  /// What is known of the first `shown` of `size` bytes.
  Bytes bytes(std::size_t i, std::size_t size, long shown) const;
  /// The same of a scatter list.
  Bytes pieces(const StraceValue& list, long shown) const;
  /// A time, {tv_sec=…, tv_nsec=…}, the same with tv_usec, or NULL, rounded up to milliseconds.
  int milliseconds(std::size_t i) const;
  int option_level() const { return option_word(1); }
  int option() const { return option_word(2); }
  /// The bytes of an option's value; nullopt when it is not shown in a way that is known here.
  std::optional<std::string> option_value(std::size_t i, std::size_t size) const;

  long number_in(const StraceValue& value) const;
  int descriptor_in(const StraceValue& value) const;
  os::Address address_in(const StraceValue& value) const;
  epoll_event event_in(const StraceValue& value) const;

 private:
  int option_word(std::size_t i) const;

  const std::vector<StraceValue>& values_;
  std::size_t end_;
};

}  // namespace wakepath::guest
