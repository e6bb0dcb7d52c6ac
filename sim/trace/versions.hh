#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sim/trace/trace.hh"

namespace wakepath::trace {

/// When did this change? For each field of each object the records that changed it (kSet, and kListInsert and
/// kListErase of a list), found without walking the trace. A side index beside the world: grows with the trace,
/// `update()` reads only what is new. One reader's own; 8 bytes for each change.
class Versions {
 public:
  explicit Versions(const Trace& trace) : trace_(&trace) {}
  void update();
  [[nodiscard]] Position seen() const { return seen_; }

  /// The last record before position `before` that changed the field: why it is at that position what it is.
  [[nodiscard]] std::optional<Position> last_change(ObjectId object, FieldId field, Position before) const;
  /// The first record at or behind `from` that changes it.
  [[nodiscard]] std::optional<Position> next_change(ObjectId object, FieldId field, Position from) const;
  /// All of them at or behind `from` and before `to`, in order.
  [[nodiscard]] std::vector<Position> changes(ObjectId object, FieldId field, Position from, Position to) const;
  /// The field's value after the first `position` records, for a field that is no list; 0 before its first change.
  /// Nothing when the record that gave it that value is no longer kept (in a ring only).
  [[nodiscard]] std::optional<std::uint64_t> value_at(ObjectId object, FieldId field, Position position) const;

 private:
  static constexpr Position kSegment = 65536;
  /// Changes of one stretch of the trace, sorted: object, field, and the place within the stretch, in one number.
  using Segment = std::vector<std::uint64_t>;
  static std::uint64_t key(ObjectId object, FieldId field, Position within) {
    return std::uint64_t{object} << 32 | std::uint64_t{field} << 16 | within;
  }

  const Trace* trace_;
  Position seen_ = 0;
  std::vector<Segment> segments_;  // the last one may still grow
};

}  // namespace wakepath::trace
