#include "sim/trace/index.hh"

#include <algorithm>

namespace wakepath::trace {

const std::vector<Span>& Index::spans(TaskId task) const {
  static const std::vector<Span> kNone;
  return task < spans_.size() ? spans_[task] : kNone;
}

void Index::update() {
  for (Position end = trace_->size(); seen_ < end; ++seen_) {
    const Record& r = (*trace_)[seen_];
    auto enter = [&](bool is_syscall) {
      if (spans_.size() <= r.task) spans_.resize(r.task + std::size_t{1}), open_.resize(spans_.size());
      auto& open = open_[r.task];
      open.push_back(spans_[r.task].size());
      spans_[r.task].push_back({seen_, 0, r.field, static_cast<std::uint16_t>(open.size() - 1), r.context,
                                is_syscall ? ObjectId{0} : r.object, is_syscall});
    };
    auto leave = [&] {
      if (r.task >= open_.size() || open_[r.task].empty()) return;
      spans_[r.task][open_[r.task].back()].end = seen_;
      open_[r.task].pop_back();
    };
    switch (r.kind) {
      case RecordKind::kCall:
        enter(false);
        break;
      case RecordKind::kSyscall:
        enter(true);
        break;
      case RecordKind::kReturn:
      case RecordKind::kSyscallReturn:
        leave();
        break;
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
        break;
      case RecordKind::kDivergence:
        divergences_.push_back(seen_);
        break;
      case RecordKind::kNote:
        if (r.field == static_cast<std::uint16_t>(NoteKind::kMark)) marks_.push_back(seen_);
        break;
      default:
        break;
    }
  }
}

std::optional<Position> Index::after_step(std::uint64_t number) const {
  if (number == 0) return Position{0};
  auto found = std::find_if(steps_.begin(), steps_.end(), [&](const StepEntry& s) { return s.number == number; });
  if (found == steps_.end()) return std::nullopt;
  return found->end != 0 ? found->end + 1 : seen_;
}

std::optional<Position> Index::mark(std::string_view name) const {
  for (Position at : marks_)
    if (trace_->string((*trace_)[at].object) == name) return at + 1;
  return std::nullopt;
}

std::uint64_t Index::time_at(Position position) const {
  auto next = std::lower_bound(clocks_.begin(), clocks_.end(), position);
  return next == clocks_.begin() ? 0 : (*trace_)[*std::prev(next)].after;
}

}  // namespace wakepath::trace
