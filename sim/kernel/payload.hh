#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>
#include <utility>

#include "sim/engine/pool.hh"

namespace wakepath::kernel {

/// The data of a segment, as the sk_buff's head and pages: a clone shares it (skb_shared_info.dataref), and whoever
/// changes it while others hold it makes a copy of its own first. Within one thread, as its model.
class Payload {
 public:
  Payload() = default;
  template <std::convertible_to<std::string_view> Text>
  Payload(const Text& text) {  // NOLINT: whatever is text is a payload
    std::string_view bytes = text;
    if (!bytes.empty()) assign(bytes, bytes.size());
  }
  Payload(const Payload& other) : shared_(other.shared_) {
    if (shared_ != nullptr) ++shared_->holders;
  }
  Payload(Payload&& other) noexcept : shared_(std::exchange(other.shared_, nullptr)) {}
  Payload& operator=(Payload other) noexcept {
    std::swap(shared_, other.shared_);
    return *this;
  }
  ~Payload() {
    if (shared_ != nullptr && --shared_->holders == 0) engine::pool_free(shared_, sizeof(Shared) + shared_->room);
  }

  [[nodiscard]] std::size_t size() const { return shared_ != nullptr ? shared_->size : 0; }
  [[nodiscard]] bool empty() const { return size() == 0; }
  [[nodiscard]] const char* data() const { return shared_ != nullptr ? text_of(shared_) : ""; }
  [[nodiscard]] std::string_view view() const { return {data(), size()}; }
  /// `at` below size().
  [[nodiscard]] char operator[](std::size_t at) const { return data()[at]; }

  void append(std::string_view more) {
    if (more.empty()) return;
    if (shared_ != nullptr && shared_->holders == 1 && shared_->room - shared_->size >= more.size()) return put(more);
    Payload grown;
    grown.assign(view(), (size() + more.size()) * 2);
    grown.put(more);
    *this = std::move(grown);
  }
  /// The first `size` bytes remain; not more than there are.
  void truncate(std::size_t size) {
    if (size == this->size()) return;
    if (shared_->holders > 1)
      *this = view().substr(0, size);
    else
      shared_->size = static_cast<std::uint32_t>(size);
  }

 private:
  struct Shared {
    std::uint32_t holders;
    std::uint32_t size;
    std::uint32_t room;
  };
  static char* text_of(Shared* shared) { return reinterpret_cast<char*>(shared + 1); }

  void assign(std::string_view bytes, std::size_t room) {
    shared_ = new (engine::pool_alloc(sizeof(Shared) + room)) Shared{1, 0, static_cast<std::uint32_t>(room)};
    put(bytes);
  }
  void put(std::string_view more) {
    std::memcpy(text_of(shared_) + shared_->size, more.data(), more.size());
    shared_->size += static_cast<std::uint32_t>(more.size());
  }

  Shared* shared_ = nullptr;
};

}  // namespace wakepath::kernel
