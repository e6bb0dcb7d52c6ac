#include "sim/trace/index.hh"

#include <algorithm>

namespace wakepath::trace {

namespace {

constexpr bool is_noted(RecordKind kind) {
  return kind == RecordKind::kStep || kind == RecordKind::kStepEnd || kind == RecordKind::kWake ||
         kind == RecordKind::kClock || kind == RecordKind::kDivergence || kind == RecordKind::kNote;
}

}  // namespace

/// Few records are noted; the others pass without a question whose answer cannot be foreseen.
void Index::update() {
  RecordStore::Reading reading = trace_->reading();
  constexpr Position kChunk = RecordStore::kChunkRecords;
  for (Position end = trace_->size(); seen_ < end;) {
    const RecordChunk* chunk = trace_->records().chunk_of(seen_);
    Position stop = std::min(end, (seen_ / kChunk + 1) * kChunk);
    if (chunk == nullptr) seen_ = stop;  // no longer kept
    for (; seen_ < stop; ++seen_) {
      const PackedRecord& r = chunk->packed(seen_ % kChunk);
      if (r.task() >= calls_.size()) calls_.resize(r.task() + std::size_t{1});
      bool is_call = (r.kind() == RecordKind::kCall) | (r.kind() == RecordKind::kSyscall);
      calls_[r.task()] += is_call ? 1 : 0;
      if (is_noted(r.kind())) note((*chunk)[seen_ % kChunk]);
    }
  }
}

void Index::note(const Record& r) {
  switch (r.kind) {
    case RecordKind::kStep:
      steps_.push_back({r.after, r.object, seen_, 0});
      break;
    case RecordKind::kStepEnd:
      if (!steps_.empty() && steps_.back().number == r.after) steps_.back().end = seen_;
      break;
    case RecordKind::kWake:
      wakes_.push_back({seen_, r.task, static_cast<TaskId>(r.before)});
      break;
    case RecordKind::kClock:
      clocks_.push_back(seen_);
      times_.push_back(r.after);
      break;
    case RecordKind::kDivergence:
      divergences_.push_back(seen_);
      break;
    case RecordKind::kNote:
      if (r.field == static_cast<std::uint16_t>(NoteKind::kMark)) marks_.emplace_back(seen_, r.object);
      if (const auto kind = static_cast<NoteKind>(r.field); kind == NoteKind::kSay || kind == NoteKind::kAsk)
        lesson_.push_back({kind, steps_.empty() ? 0 : steps_.back().number, seen_, r.object});
      break;
    default:
      break;
  }
}

std::optional<Position> Index::after_step(std::uint64_t number) const {
  if (number == 0) return Position{0};
  auto found = std::find_if(steps_.begin(), steps_.end(), [&](const StepEntry& s) { return s.number == number; });
  if (found == steps_.end()) return std::nullopt;
  return found->end != 0 ? found->end + 1 : seen_;
}

std::optional<Position> Index::mark(std::string_view name) const {
  for (const auto& [at, text] : marks_)
    if (trace_->string(text) == name) return at + 1;
  return std::nullopt;
}

std::uint64_t Index::time_at(Position position) const {
  auto next = std::lower_bound(clocks_.begin(), clocks_.end(), position);
  return next == clocks_.begin() ? 0 : times_[static_cast<std::size_t>(next - clocks_.begin()) - 1];
}

}  // namespace wakepath::trace
