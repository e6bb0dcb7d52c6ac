#include "sim/trace/last_values.hh"

#include <algorithm>
#include <utility>

namespace wakepath::trace {

namespace {
constexpr unsigned kFirstBits = 10;
}

LastValues::LastValues() : entries_(std::size_t{1} << kFirstBits), shift_(64 - (kFirstBits - 2)) {}

void LastValues::begin_block() {
  used_ = 0;
  if (++block_ != 0) return;
  std::fill(entries_.begin(), entries_.end(), Entry{});  // the numbers of blocks begin anew
  block_ = 1;
}

std::uint64_t& LastValues::add(Entry& free, std::uint64_t key) {
  if (++used_ * 2 <= entries_.size()) {
    free = {key, 0};
    return free.value;
  }
  grow();
  return of(static_cast<ObjectId>(key >> 32), static_cast<FieldId>(key >> 16));
}

void LastValues::grow() {
  std::vector<Entry> before = std::exchange(entries_, std::vector<Entry>(entries_.size() * 2));
  --shift_;
  used_ = 0;
  for (const Entry& entry : before)
    if (static_cast<std::uint16_t>(entry.key) == block_)
      of(static_cast<ObjectId>(entry.key >> 32), static_cast<FieldId>(entry.key >> 16)) = entry.value;
}

}  // namespace wakepath::trace
