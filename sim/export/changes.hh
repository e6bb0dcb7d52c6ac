#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "sim/trace/trace.hh"
#include "sim/trace/world.hh"

namespace wakepath::exports {

/// What became of objects between two positions of a trace, for pictures of the world at the second.
class Changes {
 public:
  /// The records from `from` up to, not including, `to`, or the trace's end.
  Changes(const trace::Trace& trace, trace::Position from, trace::Position to);

  /// By number.
  [[nodiscard]] std::vector<trace::ObjectId> objects() const;
  /// Made, or a field of it was written.
  [[nodiscard]] bool touched(trace::ObjectId object) const { return changes_.contains(object); }
  [[nodiscard]] bool is_new(const trace::Object& object) const;
  /// The field has another value than before; of a list: something came or went.
  [[nodiscard]] bool changed(const trace::Object& object, trace::FieldId field) const;
  /// Before the first change. The field was written, and is no list.
  [[nodiscard]] std::uint64_t old_value(trace::ObjectId object, trace::FieldId field) const;

 private:
  struct Change {
    bool born = false;
    std::map<trace::FieldId, std::uint64_t> old_values;  // of plain fields and pointers
    std::set<trace::FieldId> lists;
  };
  std::map<trace::ObjectId, Change> changes_;
};

}  // namespace wakepath::exports
