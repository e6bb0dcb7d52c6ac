#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "src/server/buffer.hh"

namespace wakepath::server {

/// Bytes that are to be sent, and who keeps them alive until they are. As likely as not they are with the kernel before
/// send() returns, and then nothing was copied or allocated.
class Payload {
 public:
  using Shared = std::shared_ptr<const std::string>;

  Payload() = default;
  Payload(std::string bytes) : keeper_(std::move(bytes)) {}  // these four are meant as conversions
  Payload(const char* bytes) : keeper_(std::string(bytes)) {}
  Payload(Buffer buffer) : keeper_(std::move(buffer)) {}
  Payload(Shared bytes) : keeper_(std::move(bytes)) {}
  /// The caller's memory: copied when, and only when, it cannot be sent at once.
  static Payload borrowed(std::string_view bytes) {
    Payload payload;
    payload.keeper_ = bytes;
    return payload;
  }

  std::string_view view() const {
    if (const auto* bytes = std::get_if<std::string_view>(&keeper_)) return *bytes;
    if (const auto* bytes = std::get_if<std::string>(&keeper_)) return *bytes;
    if (const auto* bytes = std::get_if<Buffer>(&keeper_)) return bytes->view();
    const Shared& shared = std::get<Shared>(keeper_);
    return shared == nullptr ? std::string_view() : std::string_view(*shared);
  }
  size_t size() const { return view().size(); }
  /// When it is a string of its own, which may grow.
  std::string* own_string() { return std::get_if<std::string>(&keeper_); }
  /// Its bytes stay where they are without the caller.
  bool keeps_itself() const { return !std::holds_alternative<std::string_view>(keeper_); }

 private:
  std::variant<std::string_view, std::string, Buffer, Shared> keeper_;
};

}  // namespace wakepath::server
