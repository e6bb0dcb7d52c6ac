#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "sim/trace/trace.hh"

namespace wakepath::trace {

/// What a timeline counts: calls by their function's layer, and what happens beside calls.
enum class Count : std::uint8_t {
  kCalls,               ///< and the kLayers - 1 behind it: kCall by Layer, in Layer's order
  kSyscalls = kLayers,  ///< kSyscall
  kChanges,             ///< kSet, kListInsert, kListErase
  kObjects,             ///< kCreate, kDestroy
  kWakes,
  kRuns,
  kDivergences,
  kOther,
};
constexpr std::size_t kCounts = static_cast<std::size_t>(Count::kOther) + 1;
using Counts = std::array<std::uint64_t, kCounts>;

/// How much of what happened where, at any zoom: a running total every 256 records answers for any range, so that a
/// picture costs its pixels and not its records. Grows with the trace: `update()` reads only what is new. One reader's
/// own. In a ring, what was counted stays counted.
class Density {
 public:
  explicit Density(const Trace& trace) : trace_(&trace) {}
  void update();
  [[nodiscard]] Position seen() const { return classes_.size(); }

  /// Counts of the records from `from` up to but without `to`; beyond seen() there are none.
  [[nodiscard]] Counts between(Position from, Position to) const;
  /// The same for `bins` ranges of equal size that share the whole one; a record belongs to the bin its position falls
  /// in.
  [[nodiscard]] std::vector<Counts> bins(Position from, Position to, std::size_t bins) const;

  /// What a record counts as.
  [[nodiscard]] static Count count_of(const Schema& schema, const Record& record);

 private:
  static constexpr std::size_t kEvery = 256;
  using Totals = std::array<std::uint32_t, kCounts>;
  [[nodiscard]] Totals totals_at(Position position) const;

  const Trace* trace_;
  std::vector<Count> classes_;  // by position
  std::vector<Totals> totals_;  // before each kEvery-th record
  Totals running_{};
};

}  // namespace wakepath::trace
