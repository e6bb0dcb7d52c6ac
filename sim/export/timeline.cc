#include "sim/export/timeline.hh"

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "sim/trace/cursor.hh"

namespace wakepath::exports {

using trace::Position;
using trace::Record;
using trace::RecordKind;
using Json = nlohmann::ordered_json;

namespace {

constexpr int kProcess = 1;

class Timeline {
 public:
  Timeline(const trace::Trace& trace, Position from) : trace_(trace), cursor_(trace) { cursor_.seek(from); }

  void take(Position at) {
    const Record& record = trace_[at];
    cursor_.seek(at + 1);  // a task has its name from its first record on
    switch (record.kind) {
      case RecordKind::kSyscall:
        begin(at, trace_.string(record.object), "syscall",
              {{"ms", static_cast<double>(cursor_.world().now_ns()) / 1e6}});
        break;
      case RecordKind::kSyscallReturn:
        end(at, {{"result", trace_.string(record.object)}});
        break;
      case RecordKind::kCall:
        call(at, record);
        break;
      case RecordKind::kReturn:
        end(at, {{"result", static_cast<std::int64_t>(record.after)}});
        break;
      case RecordKind::kWake:
        wake(at, static_cast<trace::TaskId>(record.before));
        break;
      case RecordKind::kRun:
        run(at, static_cast<trace::TaskId>(record.after));
        break;
      case RecordKind::kStep:
        add(at, "i",
            {{"name", "step " + std::to_string(record.after) + "  " + std::string(trace_.string(record.object))},
             {"s", "g"}});
        break;
      default:
        break;
    }
  }
  std::string text() {
    Json all = Json::array();
    for (trace::TaskId task : tasks_)
      all.push_back({{"ph", "M"},
                     {"pid", kProcess},
                     {"tid", task},
                     {"name", "thread_name"},
                     {"args", {{"name", trace::task_name(trace_, cursor_.world(), task)}}}});
    for (Json& event : events_) all.push_back(std::move(event));
    return Json{{"traceEvents", all}, {"otherData", {{"producer", trace_.schema().producer}}}}.dump(
        -1, ' ', false, Json::error_handler_t::replace);
  }

 private:
  void add(Position at, const char* phase, Json more) {
    const trace::TaskId task = trace_[at].task;
    tasks_.insert(task);
    Json event = {{"ph", phase}, {"ts", at}, {"pid", kProcess}, {"tid", task}};
    event.update(more);
    events_.push_back(std::move(event));
  }
  void begin(Position at, std::string_view name, std::string_view category, Json args) {
    ++depth_[trace_[at].task];
    add(at, "B", {{"name", name}, {"cat", category}, {"args", std::move(args)}});
  }
  void end(Position at, Json args) {
    int& depth = depth_[trace_[at].task];
    if (depth == 0) return;  // it began before the range
    --depth;
    add(at, "E", {{"args", std::move(args)}});
  }
  void call(Position at, const Record& record) {
    const auto& functions = trace_.schema().functions;
    if (record.field >= functions.size()) return begin(at, "?", "?", Json::object());
    Json args = Json::object();
    if (record.object != 0) args["about"] = trace::object_name(trace_, cursor_.world(), record.object);
    begin(at, functions[record.field].name, trace::layer_name(functions[record.field].layer), std::move(args));
  }
  void wake(Position at, trace::TaskId woken) {
    wakes_[woken] = at;
    add(at, "s", {{"name", "wakes"}, {"cat", "wake"}, {"id", at}});
  }
  void run(Position at, trace::TaskId task) {
    const auto from = wakes_.find(task);
    if (from == wakes_.end()) return;
    add(at, "f", {{"name", "wakes"}, {"cat", "wake"}, {"id", from->second}, {"bp", "e"}});
    events_.back()["tid"] = task;
    wakes_.erase(from);
  }

  const trace::Trace& trace_;
  trace::Cursor cursor_;
  std::vector<Json> events_;
  std::set<trace::TaskId> tasks_;
  std::map<trace::TaskId, int> depth_;       // open spans
  std::map<trace::TaskId, Position> wakes_;  // of those that have not run since
};

}  // namespace

std::string timeline_json(const trace::Trace& trace, Position from, Position to) {
  Timeline timeline(trace, from);
  for (Position at = from; at < std::min(to, trace.size()); ++at) timeline.take(at);
  return timeline.text();
}

}  // namespace wakepath::exports
