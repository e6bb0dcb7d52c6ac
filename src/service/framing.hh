#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace wakepath::service {

/// Messages in a stream of bytes: each is preceded by its length, two bytes, the higher one first. At most 65,535
/// bytes. As skynet's netpack has it.
class FrameReader {
 public:
  static constexpr size_t kMost = 65'535;

  /// What was received.
  void add(std::string_view bytes);
  /// The next whole message. Its bytes stay good until the next call of either function.
  std::optional<std::string_view> next();
  /// Bytes of a message that is not whole yet, its length included.
  size_t pending() const { return bytes_.size() - read_; }

 private:
  std::string bytes_;
  size_t read_ = 0;  // of bytes_, already returned
};

/// The message with its length before it. Empty when it is too long.
std::string framed(std::string_view message);

}  // namespace wakepath::service
