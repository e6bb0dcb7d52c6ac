#include "sim/export/history.hh"

#include <algorithm>

namespace wakepath::exports {

using trace::Position;
using trace::Record;
using trace::RecordKind;

std::uint64_t History::step_of(Position at) const {
  const auto& steps = index_.steps();
  auto next = std::upper_bound(steps.begin(), steps.end(), at,
                               [](Position p, const trace::StepEntry& step) { return p < step.begin; });
  return next == steps.begin() ? 0 : std::prev(next)->number;
}

std::vector<Position> History::chain(Position at) const {
  std::vector<Position> out;
  for (std::uint32_t cause = trace_[at].cause; cause != trace::kNoCause && cause < trace_.size();
       cause = trace_[cause].cause) {
    if (trace_[cause].kind != RecordKind::kCall || trace_[cause].task != trace_[at].task) break;
    out.push_back(cause);
  }
  return out;
}

std::optional<Position> History::syscall_of(Position at) const {
  if (trace_[at].kind == RecordKind::kSyscall) return at;
  std::vector<Position> open = chain(at);
  Position outermost = open.empty() ? at : open.back();
  trace::TaskId task = trace_[at].task;
  auto boundary = last(outermost, [&](const Record& r, Position) {
    return r.task == task && (r.kind == RecordKind::kSyscall || r.kind == RecordKind::kSyscallReturn);
  });
  if (task == 0 || !boundary) return std::nullopt;
  if (trace_[*boundary].kind == RecordKind::kSyscall) return boundary;
  // what a call has left to do on the way back to user mode is still its own doing
  if (open.empty() || function(outermost) != "task_work_run") return std::nullopt;
  return trace_[*boundary].before;
}

std::string_view History::function(Position call) const {
  const auto& functions = trace_.schema().functions;
  return trace_[call].field < functions.size() ? std::string_view(functions[trace_[call].field].name) : "";
}

std::optional<Position> History::find_in(const std::vector<Position>& chain, std::string_view name) const {
  for (Position call : chain)
    if (function(call) == name) return call;
  return std::nullopt;
}

Position History::end_of(Position call) const {
  for (Position at = call + 1; at < trace_.size(); ++at) {
    const Record& r = trace_[at];
    bool returns = r.kind == RecordKind::kReturn || r.kind == RecordKind::kSyscallReturn;
    if (returns && r.task == trace_[call].task && r.before == call) return at + 1;
  }
  return trace_.size();
}

const trace::Rule* History::rule_at(Position at) const {
  const auto& rules = trace_.schema().rules;
  bool known = trace_[at].kind == RecordKind::kRule && trace_[at].field < rules.size();
  return known ? &rules[trace_[at].field] : nullptr;
}

std::optional<Position> History::last_rule(Position before, std::string_view id, trace::ObjectId object) const {
  return last(before, [&](const Record& r, Position at) {
    return r.kind == RecordKind::kRule && r.object == object && rule_at(at) != nullptr && rule_at(at)->id == id;
  });
}

}  // namespace wakepath::exports
