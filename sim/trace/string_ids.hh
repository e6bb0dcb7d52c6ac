#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "sim/trace/record.hh"

namespace wakepath::trace {

/// Finds the id of a text that is known: a hash table of ids alone, at most half full; the texts stand elsewhere, by
/// id. A recording looks up two for each system call. Look-up only, never iterated.
class StringIds {
 public:
  /// 0: not known. `text_of(id)` gives the text of an id that was added.
  template <class TextOf>
  [[nodiscard]] StringId find(std::string_view text, TextOf text_of) const {
    std::uint32_t hash = hash_of(text);
    for (std::size_t slot = hash; entries_[slot & mask_].id != 0; ++slot) {
      const Entry& entry = entries_[slot & mask_];
      if (entry.hash == hash && text_of(entry.id) == text) return entry.id;
    }
    return 0;
  }
  /// `id` is not 0, and its text was not known.
  void add(std::string_view text, StringId id) {
    if (++count_ * 2 > entries_.size()) grow();
    put({hash_of(text), id});
  }

 private:
  struct Entry {
    std::uint32_t hash = 0;
    StringId id = 0;
  };

  /// Eight bytes at a time, each mixed in by a multiplication (as MurmurHash64A's rounds do).
  [[nodiscard]] static std::uint32_t hash_of(std::string_view text) {
    constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15;  // 2^64 over the golden ratio
    std::uint64_t hash = text.size() * kGolden;
    auto mix = [&hash](std::uint64_t word) {
      hash = (hash ^ word) * kGolden;
      hash ^= hash >> 32;
    };
    const char* at = text.data();
    std::size_t left = text.size();
    for (; left >= 8; at += 8, left -= 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, at, 8);
      mix(word);
    }
    std::uint64_t rest = 0;
    for (std::size_t i = 0; i < left; ++i) rest = rest << 8 | static_cast<unsigned char>(at[i]);
    mix(rest);
    return static_cast<std::uint32_t>(hash);
  }
  void put(Entry entry) {
    std::size_t slot = entry.hash;
    while (entries_[slot & mask_].id != 0) ++slot;
    entries_[slot & mask_] = entry;
  }
  void grow() {
    std::vector<Entry> before(entries_.size() * 2);
    before.swap(entries_);
    mask_ = entries_.size() - 1;
    for (const Entry& entry : before)
      if (entry.id != 0) put(entry);
  }

  std::vector<Entry> entries_ = std::vector<Entry>(1024);  // as many as a power of two
  std::size_t mask_ = 1023;
  std::size_t count_ = 0;
};

}  // namespace wakepath::trace
