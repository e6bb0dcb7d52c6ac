#include "sim/export/beside.hh"

#include <fmt/format.h>

#include <map>
#include <vector>

#include "sim/trace/cursor.hh"

namespace wakepath::exports {

using trace::Position;
using trace::RecordKind;
using trace::TaskId;

namespace {

struct Event {
  std::string actor;
  std::string call;
  std::string result;  ///< empty: it waits

  [[nodiscard]] std::string words() const {
    return result.empty() ? fmt::format("{}: {} …", actor, call) : fmt::format("{}: {} = {}", actor, call, result);
  }
};

/// What came out of steps, one after the other.
class Outcomes {
 public:
  explicit Outcomes(const trace::Trace& trace) : trace_(trace), cursor_(trace) {}

  std::vector<Event> of(const trace::StepEntry& step) {
    const Position end = step.end != 0 ? step.end + 1 : trace_.size();
    cursor_.seek(step.begin);
    std::map<TaskId, std::string> open;
    std::vector<TaskId> begun;
    for (const trace::Task& task : cursor_.world().tasks())
      if (task.syscall != 0) open[task.id] = trace_.string(trace_[task.syscall - 1].object);
    cursor_.seek(end);
    std::vector<Event> events;
    for (Position at = step.begin; at < end; ++at) {
      const trace::Record& record = trace_[at];
      if (record.kind == RecordKind::kSyscall) {
        open[record.task] = trace_.string(record.object);
        begun.push_back(record.task);
      } else if (record.kind == RecordKind::kSyscallReturn) {
        const std::string_view words = trace_.string(record.object);
        events.push_back(
            {name(record.task), open[record.task],
             words.empty() ? fmt::format("{}", static_cast<std::int64_t>(record.after)) : std::string(words)});
        open.erase(record.task);
      }
    }
    for (const TaskId task : begun)
      if (const auto waits = open.find(task); waits != open.end()) events.push_back({name(task), waits->second, ""});
    return events;
  }

 private:
  [[nodiscard]] std::string name(TaskId task) const { return trace::task_name(trace_, cursor_.world(), task); }

  const trace::Trace& trace_;
  trace::Cursor cursor_;
};

bool same(const Event& a, const Event& b, bool same_text) {
  return a.actor == b.actor && a.result == b.result && (!same_text || a.call == b.call);
}

std::optional<Difference> compare_step(std::uint64_t number, const std::vector<Event>& left,
                                       const std::vector<Event>& right, bool same_text) {
  for (std::size_t i = 0; i < std::max(left.size(), right.size()); ++i) {
    if (i < left.size() && i < right.size() && same(left[i], right[i], same_text)) continue;
    return Difference{number, i < left.size() ? left[i].words() : "", i < right.size() ? right[i].words() : ""};
  }
  return std::nullopt;
}

}  // namespace

Beside compare(const trace::Trace& left, const trace::Trace& right) {
  trace::Index a(left), b(right);
  a.update();
  b.update();
  Outcomes from_left(left), from_right(right);
  Beside out;
  std::map<std::uint64_t, std::pair<const trace::StepEntry*, const trace::StepEntry*>> by_number;
  for (const trace::StepEntry& step : a.steps()) by_number[step.number].first = &step;
  for (const trace::StepEntry& step : b.steps()) by_number[step.number].second = &step;
  for (const auto& [number, both] : by_number) {
    const auto [one, other] = both;
    const std::string ours(one != nullptr ? left.string(one->text) : std::string_view());
    const std::string theirs(other != nullptr ? right.string(other->text) : std::string_view());
    if (ours != theirs && !out.change) out.change = Difference{number, ours, theirs};
    out.outcome = compare_step(number, one != nullptr ? from_left.of(*one) : std::vector<Event>(),
                               other != nullptr ? from_right.of(*other) : std::vector<Event>(), ours == theirs);
    if ((one == nullptr) != (other == nullptr) && !out.outcome) out.outcome = Difference{number, ours, theirs};
    if (out.outcome) break;
  }
  return out;
}

std::string outcome_of(const trace::Trace& trace, const trace::StepEntry& step) {
  std::string out;
  for (const Event& event : Outcomes(trace).of(step)) out += (out.empty() ? "" : "; ") + event.words();
  return out;
}

}  // namespace wakepath::exports
