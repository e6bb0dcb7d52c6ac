#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/trace/index.hh"

namespace wakepath::exports {

/// What led to what in a trace: walks over the causes of records. Borrows the trace.
class History {
 public:
  explicit History(const trace::Trace& trace) : trace_(trace), index_(trace) { index_.update(); }
  [[nodiscard]] const trace::Trace& trace() const { return trace_; }
  [[nodiscard]] const trace::Index& index() const { return index_; }

  /// Number of the step in which a record stands; 0 before the first.
  [[nodiscard]] std::uint64_t step_of(trace::Position at) const;
  /// The functions that were open when a record was written, the innermost first: positions of their kCall.
  [[nodiscard]] std::vector<trace::Position> chain(trace::Position at) const;
  /// The system call (kSyscall) on whose stack a record was written, or on the way back from which; nothing when it was
  /// a timer's, or a thread's end.
  [[nodiscard]] std::optional<trace::Position> syscall_of(trace::Position at) const;
  [[nodiscard]] std::string_view function(trace::Position call) const;
  /// Name of the function that a chain has anywhere; the position of its kCall.
  [[nodiscard]] std::optional<trace::Position> find_in(const std::vector<trace::Position>& chain,
                                                       std::string_view name) const;
  /// Position behind the return of a call that began at `call`; the end of the trace while it has not returned.
  [[nodiscard]] trace::Position end_of(trace::Position call) const;
  /// The id of a rule record.
  [[nodiscard]] const trace::Rule* rule_at(trace::Position at) const;
  /// The last record before `before` for which `wanted(record, position)` holds.
  template <class Wanted>
  [[nodiscard]] std::optional<trace::Position> last(trace::Position before, Wanted wanted,
                                                    trace::Position from = 0) const {
    for (trace::Position at = before; at > from; --at)
      if (wanted(trace_[at - 1], at - 1)) return at - 1;
    return std::nullopt;
  }
  /// The last time before `before` that the rule applied to that object.
  [[nodiscard]] std::optional<trace::Position> last_rule(trace::Position before, std::string_view id,
                                                         trace::ObjectId object) const;

 private:
  const trace::Trace& trace_;
  trace::Index index_;
};

}  // namespace wakepath::exports
