#include "gui/timeline.hh"

#include <algorithm>

namespace wakepath::gui {

using trace::Context;
using trace::Layer;
using trace::Position;
using trace::Record;
using trace::RecordKind;

std::size_t TimelineRows::row_of(trace::TaskId task, bool softirq) {
  auto before = [](const Row& row, const std::pair<bool, trace::TaskId>& key) {
    return std::pair(row.softirq, row.task) < key;
  };
  std::pair<bool, trace::TaskId> key{softirq, softirq ? trace::TaskId{0} : task};
  auto place = std::lower_bound(rows_.begin(), rows_.end(), key, before);
  auto index = static_cast<std::size_t>(place - rows_.begin());
  if (place != rows_.end() && place->softirq == key.first && place->task == key.second) return index;
  rows_.insert(place, Row{.task = key.second, .softirq = softirq});
  for (auto& stack : open_)
    for (Open& open : stack)
      if (open.row >= index) ++open.row;
  return index;
}

void TimelineRows::enter(const Record& r, Layer layer, bool syscall) {
  if (open_.size() <= r.task) open_.resize(r.task + std::size_t{1});
  bool softirq = r.context != Context::kProcess;
  if (!softirq && r.task == 0) {  // before the first task: nobody's row
    constexpr std::size_t kNoRow = std::size_t{1} << 30;
    open_[r.task].push_back({layer, kNoRow, 0, 0, false});
    return;
  }
  Open open{layer, row_of(r.task, softirq), 0, 0, true};
  auto& stack = open_[r.task];
  if (!stack.empty() && stack.back().row == open.row) {
    // within the caller's layer: seen as part of the caller; the system call's own entry function likewise
    open.drawn = stack.back().layer != layer && !(stack.size() == 1 && layer == Layer::kSyscall);
    open.level = stack.back().level + (open.drawn ? 1 : 0);
  }
  if (open.drawn) {
    auto& levels = rows_[open.row].levels;
    if (levels.size() <= open.level) levels.resize(open.level + 1);
    open.bar = levels[open.level].size();
    levels[open.level].push_back({seen_, 0, r.field, syscall ? 0 : r.object, syscall});
  }
  stack.push_back(open);
}

void TimelineRows::leave(const Record& r) {
  if (r.task >= open_.size() || open_[r.task].empty()) return;
  Open open = open_[r.task].back();
  open_[r.task].pop_back();
  if (open.drawn) rows_[open.row].levels[open.level][open.bar].end = seen_;
}

void TimelineRows::run(const Record& r) {
  auto left = static_cast<trace::TaskId>(r.before), next = static_cast<trace::TaskId>(r.after);
  if (left != 0 && left < open_.size() && !open_[left].empty()) {
    auto& sleeps = rows_[row_of(left, false)].sleeps;
    if (sleeps.empty() || sleeps.back().end != 0) sleeps.push_back({seen_, 0});
  }
  if (next != 0 && next < open_.size()) {
    auto& sleeps = rows_[row_of(next, false)].sleeps;
    if (!sleeps.empty() && sleeps.back().end == 0) sleeps.back().end = seen_;
  }
}

/// A task has a row from the first record on: its name is known before it comes.
void TimelineRows::learn_name(const Record& r) {
  const auto& kinds = trace_->schema().kinds;
  if (r.object >= kind_of_.size() || kind_of_[r.object] >= kinds.size()) return;
  const trace::Kind& kind = kinds[kind_of_[r.object]];
  if (!kind.is_task || r.field >= kind.fields.size() || kind.fields[r.field].name != "comm") return;
  names_[r.object] = trace_->string(static_cast<trace::StringId>(r.after));
  if (const auto task = task_of_.find(r.object); task != task_of_.end())
    rows_[row_of(task->second, false)].name = names_[r.object];
}

void TimelineRows::update() {
  const auto& functions = trace_->schema().functions;
  for (Position end = trace_->size(); seen_ < end; ++seen_) {
    const Record& r = (*trace_)[seen_];
    switch (r.kind) {
      case RecordKind::kCreate:
        if (r.object >= kind_of_.size()) kind_of_.resize(r.object + std::size_t{1}, 0xFFFF);
        kind_of_[r.object] = r.field;
        break;
      case RecordKind::kSet:
        learn_name(r);
        break;
      case RecordKind::kSpawn:
        task_of_[r.object] = r.task;
        rows_[row_of(r.task, false)].name = names_[r.object];
        break;
      case RecordKind::kSyscall:
        enter(r, Layer::kSyscall, true);
        break;
      case RecordKind::kCall:
        enter(r, r.field < functions.size() ? functions[r.field].layer : Layer::kScheduler, false);
        break;
      case RecordKind::kReturn:
      case RecordKind::kSyscallReturn:
        leave(r);
        break;
      case RecordKind::kRun:
        run(r);
        break;
      case RecordKind::kWake:
        if (r.before < open_.size() && r.before != 0) {
          auto& sleeps = rows_[row_of(static_cast<trace::TaskId>(r.before), false)].sleeps;
          if (!sleeps.empty() && sleeps.back().end == 0) sleeps.back().end = seen_;
        }
        break;
      default:
        break;
    }
  }
}

std::vector<TimelinePiece> cut_level(const std::vector<TimelineRows::Bar>& level, double view_begin, double view_end,
                                     Position end, float width) {
  constexpr float kSmallest = 3;  // pixels
  std::vector<TimelinePiece> pieces;
  double per_pixel = (view_end - view_begin) / std::max(1.0, static_cast<double>(width));
  auto x_of = [&](Position p) { return static_cast<float>((static_cast<double>(p) - view_begin) / per_pixel); };
  auto end_of = [&](const TimelineRows::Bar& bar) { return bar.end != 0 ? bar.end + 1 : end; };
  auto it = std::partition_point(level.begin(), level.end(), [&](const TimelineRows::Bar& bar) {
    return static_cast<double>(end_of(bar)) < view_begin;
  });
  while (it != level.end() && static_cast<double>(it->begin) < view_end) {
    float x = std::max(0.0f, x_of(it->begin)), right = std::min(width, x_of(end_of(*it)));
    if (right - x >= kSmallest) {
      pieces.push_back({x, right - x, &*it, 0});
      ++it;
      continue;
    }
    // fold everything small that begins within the next pixels
    double until = view_begin + (static_cast<double>(x) + kSmallest) * per_pixel;
    auto stop = std::partition_point(
        it, level.end(), [&](const TimelineRows::Bar& bar) { return static_cast<double>(bar.begin) < until; });
    if (stop == it) ++stop;
    auto big = stop - 1;  // the last of them may reach further: then it stands for itself
    bool keep = big != it && x_of(end_of(*big)) - x_of(big->begin) >= kSmallest;
    if (keep) stop = big;
    auto count = static_cast<std::size_t>(stop - it);
    if (!pieces.empty() && pieces.back().bar == nullptr && x - (pieces.back().x + pieces.back().w) < 1) {
      pieces.back().w = std::min(width, x + kSmallest) - pieces.back().x;
      pieces.back().folded += count;
    } else {
      pieces.push_back({x, std::min(kSmallest, width - x), count == 1 ? &*it : nullptr, count == 1 ? 0 : count});
    }
    it = stop;
  }
  return pieces;
}

}  // namespace wakepath::gui
