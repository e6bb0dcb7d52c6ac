#include "gui/stops.hh"

#include <algorithm>

namespace wakepath::gui {

using trace::Index;
using trace::Position;
using trace::RecordKind;
using trace::StepEntry;
using trace::Trace;

namespace {

bool stops_at(RecordKind kind, Grain grain) {
  switch (grain) {
    case Grain::kRecord:
      return true;
    case Grain::kFunction:
      return kind == RecordKind::kCall || kind == RecordKind::kReturn;
    case Grain::kSyscall:
      return kind == RecordKind::kSyscall || kind == RecordKind::kSyscallReturn;
    case Grain::kStep:
      return kind == RecordKind::kStepEnd;
  }
  return true;
}

Position stop_of(const StepEntry& step, Position end) { return step.end != 0 ? step.end + 1 : end; }

}  // namespace

Position next_stop(const Trace& trace, const Index& index, Position from, Grain grain) {
  Position end = index.seen();
  if (grain == Grain::kStep && index.steps().empty()) grain = Grain::kSyscall;
  if (grain == Grain::kStep) {
    const auto& steps = index.steps();
    auto found =
        std::partition_point(steps.begin(), steps.end(), [&](const StepEntry& s) { return stop_of(s, end) <= from; });
    return found == steps.end() ? end : stop_of(*found, end);
  }
  for (Position p = from; p < end; ++p)
    if (stops_at(trace[p].kind, grain)) return p + 1;
  return end;
}

Position previous_stop(const Trace& trace, const Index& index, Position from, Grain grain) {
  Position end = index.seen();
  if (grain == Grain::kStep && index.steps().empty()) grain = Grain::kSyscall;
  if (grain == Grain::kStep) {
    const auto& steps = index.steps();
    auto found =
        std::partition_point(steps.begin(), steps.end(), [&](const StepEntry& s) { return stop_of(s, end) < from; });
    return found == steps.begin() ? 0 : stop_of(*std::prev(found), end);
  }
  for (Position p = std::min(from, end); p > 1; --p)
    if (stops_at(trace[p - 2].kind, grain)) return p - 1;
  return 0;
}

double stops_per_second(Grain grain) {
  switch (grain) {
    case Grain::kRecord:
      return 12;
    case Grain::kFunction:
      return 6;
    case Grain::kSyscall:
      return 1;
    case Grain::kStep:
      return 0.7;
  }
  return 1;
}

}  // namespace wakepath::gui
