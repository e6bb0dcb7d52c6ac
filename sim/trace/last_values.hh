#pragma once

#include <cstdint>
#include <vector>

#include "sim/trace/record.hh"

namespace wakepath::trace {

/// The value written last to each field of each object, within a block of records. A hash table that is not emptied
/// between blocks: an entry knows its block, and those of another one count as free.
class LastValues {
 public:
  LastValues();
  /// All values are 0 again.
  void begin_block();
  /// To read and to set; good until the next call.
  [[nodiscard]] std::uint64_t& of(ObjectId object, FieldId field) {
    std::uint64_t key = std::uint64_t{object} << 32 | std::uint64_t{field} << 16 | block_;
    for (std::size_t slot = first_slot(object, field);; ++slot) {
      Entry& entry = entries_[slot & (entries_.size() - 1)];
      if (entry.key == key) return entry.value;
      if (static_cast<std::uint16_t>(entry.key) != block_) return add(entry, key);
    }
  }

 private:
  struct Entry {
    std::uint64_t key = 0;  ///< object 32, field 16, block 16
    std::uint64_t value = 0;
  };
  /// Four fields of an object share a cache line, as they are often written together.
  [[nodiscard]] std::size_t first_slot(ObjectId object, FieldId field) const {
    std::uint64_t line = (std::uint64_t{object} << 14 | field >> 2) * 0x9E3779B97F4A7C15u;
    return static_cast<std::size_t>(line >> shift_) * 4 + (field & 3);
  }
  std::uint64_t& add(Entry& free, std::uint64_t key);
  void grow();

  std::vector<Entry> entries_;  // as many as a power of two, never more than half full
  unsigned shift_;
  std::size_t used_ = 0;
  std::uint16_t block_ = 0;
};

}  // namespace wakepath::trace
