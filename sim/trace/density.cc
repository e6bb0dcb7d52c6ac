#include "sim/trace/density.hh"

#include <algorithm>

namespace wakepath::trace {

namespace {
__extension__ using Wide = unsigned __int128;  // a product of two positions
}

Count Density::count_of(const Schema& schema, const Record& record) {
  switch (record.kind) {
    case RecordKind::kCall:
      if (record.field >= schema.functions.size()) return Count::kOther;
      return static_cast<Count>(schema.functions[record.field].layer);
    case RecordKind::kSyscall:
      return Count::kSyscalls;
    case RecordKind::kSet:
    case RecordKind::kListInsert:
    case RecordKind::kListErase:
      return Count::kChanges;
    case RecordKind::kCreate:
    case RecordKind::kDestroy:
      return Count::kObjects;
    case RecordKind::kWake:
      return Count::kWakes;
    case RecordKind::kRun:
      return Count::kRuns;
    case RecordKind::kDivergence:
      return Count::kDivergences;
    default:
      return Count::kOther;
  }
}

void Density::update() {
  RecordStore::Reading reading = trace_->reading();
  Position floor = trace_->floor();
  Position end = trace_->size();
  for (Position position = seen(); position < end; ++position) {
    if (position % kEvery == 0) totals_.push_back(running_);
    Count count = position < floor ? Count::kOther : count_of(trace_->schema(), (*trace_)[position]);
    classes_.push_back(count);
    ++running_[static_cast<std::size_t>(count)];
  }
}

Density::Totals Density::totals_at(Position position) const {
  position = std::min<Position>(position, seen());
  if (position == seen()) return running_;
  std::size_t block = position / kEvery;
  Totals totals = totals_[block];
  for (std::size_t i = block * kEvery; i < position; ++i) ++totals[static_cast<std::size_t>(classes_[i])];
  return totals;
}

Counts Density::between(Position from, Position to) const {
  Counts counts{};
  if (from >= to) return counts;
  Totals before = totals_at(from);
  Totals after = totals_at(to);
  for (std::size_t i = 0; i < kCounts; ++i) counts[i] = after[i] - before[i];
  return counts;
}

std::vector<Counts> Density::bins(Position from, Position to, std::size_t bins) const {
  std::vector<Counts> out(bins);
  if (from >= to || bins == 0) return out;
  // where bin i begins: the first position whose share of the range is at least i / bins
  auto begin_of = [&](std::size_t bin) {
    auto share = static_cast<Wide>(to - from) * bin + (bins - 1);
    return from + static_cast<Position>(share / bins);
  };
  Totals before = totals_at(from);
  for (std::size_t bin = 0; bin < bins; ++bin) {
    Totals after = totals_at(begin_of(bin + 1));
    for (std::size_t i = 0; i < kCounts; ++i) out[bin][i] = after[i] - before[i];
    before = after;
  }
  return out;
}

}  // namespace wakepath::trace
