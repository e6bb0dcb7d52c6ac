#pragma once

#include <array>
#include <cstdint>
#include <memory>

namespace wakepath::engine {

/// A pointer for each 16-bit number, as a hash table's array of chains: two looks find one. Memory comes by pages of
/// 256 numbers, at their first use.
template <class T>
class SlotTable {
 public:
  /// nullptr: nothing stands there.
  [[nodiscard]] T* at(std::uint16_t number) const {
    const auto& page = pages_[number / kPage];
    return page != nullptr ? (*page)[number % kPage] : nullptr;
  }
  /// To be written; nullptr clears it.
  [[nodiscard]] T*& operator[](std::uint16_t number) {
    auto& page = pages_[number / kPage];
    if (page == nullptr) page = std::make_unique<Page>();
    return (*page)[number % kPage];
  }
  /// Calls `see(T*)` for everything that stands there, in order of the numbers.
  template <class See>
  void for_each(See see) const {
    for (const auto& page : pages_)
      for (std::size_t i = 0; page != nullptr && i < kPage; ++i)
        if ((*page)[i] != nullptr) see((*page)[i]);
  }

 private:
  static constexpr std::size_t kPage = 256;
  using Page = std::array<T*, kPage>;
  std::array<std::unique_ptr<Page>, 65536 / kPage> pages_;
};

}  // namespace wakepath::engine
