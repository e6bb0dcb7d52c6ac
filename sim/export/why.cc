#include "sim/export/why.hh"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sim/export/why_parts.hh"
#include "sim/trace/cursor.hh"

namespace wakepath::exports {

WhyLine Question::say(std::string_view id, const Places& places, Position at) const {
  return {std::string(id), explain(language, id, places), at, at == 0 ? 0 : history.step_of(at)};
}

WhyLine Question::say_rule(Position at) const {
  const trace::Rule& rule = *history.rule_at(at);
  return {rule.id, explain_rule(language, rule), at, history.step_of(at)};
}

std::string Question::task_name(trace::TaskId task) const {
  return trace::task_name(history.trace(), reading.world(), task);
}

std::string Question::call_text(Position syscall) const {
  return std::string(history.trace().string(history.trace()[syscall].object));
}

std::string Question::whose_doing(Position at) const {
  std::string step = fmt::format("{}", history.step_of(at));
  if (auto syscall = history.syscall_of(at))
    return explain(language, "by_call",
                   {{"actor", task_name(history.trace()[at].task)}, {"call", call_text(*syscall)}, {"step", step}});
  for (Position call : history.chain(at))
    if (std::string_view name = history.function(call); name.ends_with("_timer") || name.ends_with("_timer_handler") ||
                                                        name == "hrtimer_wakeup" || name == "process_timeout" ||
                                                        name == "timerfd_tmrproc")
      return explain(language, "by_timer", {{"function", std::string(name)}, {"step", step}});
  if (history.find_in(history.chain(at), "do_exit"))
    return explain(language, "by_exit", {{"actor", task_name(history.trace()[at].task)}, {"step", step}});
  return explain(language, "by_other", {{"step", step}});
}

bool is_waiting(const trace::Rule& rule) {
  return rule.id == "accept_2" || rule.id.ends_with("_waits") || rule.id.ends_with("_sleeps");
}

namespace {

class Asking {
 public:
  Asking(const trace::Trace& trace, Position from, Position to, const WhyOptions& options)
      : trace_(trace),
        history_(trace),
        cursor_(trace),
        from_(from),
        to_(std::min(to, trace.size())),
        options_(options) {}

  std::vector<WhyAnswer> all() {
    for (Position at = from_; at < to_; ++at) {
      const Record& r = trace_[at];
      if (r.kind == RecordKind::kWake)
        ask(WhyKind::kWoke, static_cast<trace::TaskId>(r.before), at);
      else if (r.kind == RecordKind::kSyscallReturn)
        ask(WhyKind::kReturned, r.task, at);
      else if (begins_callback(trace_, r))
        ask(WhyKind::kHandled, r.task, at);
    }
    cursor_.seek(to_);
    std::vector<trace::TaskId> blocked;
    for (const trace::Task& task : cursor_.world().tasks())
      if (task.syscall != 0 && task.id != 0) blocked.push_back(task.id);
    for (trace::TaskId task : blocked) ask(WhyKind::kBlocked, task, to_);
    return std::move(answers_);
  }

 private:
  void ask(WhyKind kind, trace::TaskId task, Position at) {
    cursor_.seek(at);
    WhyAnswer answer{kind, task, trace::task_name(trace_, cursor_.world(), task), "", "", at, {}};
    if (!options_.actor.empty() && answer.actor != options_.actor) return;
    const trace::Task* found = cursor_.world().task(task);
    if (found != nullptr && found->syscall != 0) answer.call = trace_.string(trace_[found->syscall - 1].object);
    Reading reading(trace_, cursor_.world());
    Question question{history_, reading, from_, at, options_.language};
    switch (kind) {
      case WhyKind::kWoke:
        why_woke(question, at, answer);
        break;
      case WhyKind::kReturned:
        answer.result = trace_.string(trace_[at].object);
        why_returned(question, at, answer);
        break;
      case WhyKind::kBlocked:
        why_blocked(question, task, answer);
        break;
      case WhyKind::kHandled:
        answer.call = trace_.string(trace_[at].object);
        why_handled(question, at, answer);
        break;
    }
    answers_.push_back(std::move(answer));
  }

  const trace::Trace& trace_;
  History history_;
  trace::Cursor cursor_;
  Position from_;
  Position to_;
  const WhyOptions& options_;
  std::vector<WhyAnswer> answers_;
};

std::string_view kind_name(WhyKind kind) {
  switch (kind) {
    case WhyKind::kWoke:
      return "woke";
    case WhyKind::kReturned:
      return "returned";
    case WhyKind::kBlocked:
      return "blocked";
    case WhyKind::kHandled:
      return "handled";
  }
  return "";
}

}  // namespace

std::vector<WhyAnswer> why(const trace::Trace& trace, Position from, Position to, const WhyOptions& options) {
  return Asking(trace, from, to, options).all();
}

std::string why_text(const std::vector<WhyAnswer>& answers, const std::string& language) {
  std::string out;
  for (const WhyAnswer& answer : answers) {
    out += (out.empty() ? "" : "\n") +
           explain(language, fmt::format("head.{}", kind_name(answer.kind)),
                   {{"actor", answer.actor}, {"call", answer.call}, {"result", answer.result}}) +
           "\n";
    for (const WhyLine& line : answer.lines) out += fmt::format("  - {}  [{}]\n", line.text, line.id);
  }
  return out.empty() ? explain(language, "nothing_to_explain") + "\n" : out;
}

std::string why_json(const std::vector<WhyAnswer>& answers) {
  using nlohmann::ordered_json;
  ordered_json out = {{"answers", ordered_json::array()}};
  for (const WhyAnswer& answer : answers) {
    ordered_json reasons = ordered_json::array();
    for (const WhyLine& line : answer.lines) {
      ordered_json reason = {{"id", line.id}, {"text", line.text}, {"record", nullptr}, {"step", nullptr}};
      if (line.at != 0) reason["record"] = line.at;
      if (line.step != 0) reason["step"] = line.step;
      reasons.push_back(reason);
    }
    ordered_json entry = {{"kind", kind_name(answer.kind)}, {"actor", answer.actor}, {"call", answer.call}};
    entry["result"] = answer.kind == WhyKind::kReturned ? ordered_json(answer.result) : ordered_json(nullptr);
    entry["record"] = answer.at;
    entry["reasons"] = reasons;
    out["answers"].push_back(entry);
  }
  return out.dump(2, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace wakepath::exports
