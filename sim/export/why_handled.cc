// Why a callback of a service began: the message that it handles, who pushed it, and the call that had brought it.
#include <fmt/format.h>

#include "sim/export/why_parts.hh"
#include "sim/trace/hand_over.hh"

namespace wakepath::exports {

namespace {

bool is_log(const Record& r) {
  return r.kind == RecordKind::kNote && r.field == static_cast<std::uint16_t>(trace::NoteKind::kLog);
}

std::optional<trace::HandOver> handed(const trace::Trace& trace, const Record& r) {
  return is_log(r) ? trace::hand_over_of(trace.string(r.object)) : std::nullopt;
}

}  // namespace

bool begins_callback(const trace::Trace& trace, const Record& r) {
  return is_log(r) && trace::tells_of_callback(trace.string(r.object), trace::kBegins);
}

void why_handled(const Question& q, Position began, WhyAnswer& answer) {
  const trace::Trace& trace = q.history.trace();
  const trace::TaskId task = trace[began].task;
  auto step = [&](Position at) { return fmt::format("{}", q.history.step_of(at)); };
  const auto taken = q.history.last(
      began, [&](const Record& r, Position) { return r.task == task && is_log(r) && !begins_callback(trace, r); });
  const auto what = taken ? handed(trace, trace[*taken]) : std::nullopt;
  if (!what || what->given) return answer.lines.push_back(q.say("handled_without_message"));
  answer.lines.push_back(q.say("handled_taken", {{"note", std::string(trace.string(trace[*taken].object))}}, *taken));
  const auto pushed = q.history.last(*taken, [&](const Record& r, Position) {
    const auto other = handed(trace, r);
    return other && other->given && other->what == what->what;
  });
  if (!pushed) return;
  const trace::TaskId pusher = trace[*pushed].task;
  answer.lines.push_back(q.say(pusher == task ? "handled_pushed_itself" : "handled_pushed",
                               {{"who", q.task_name(pusher)}, {"step", step(*pushed)}}, *pushed));
  const auto returned = q.history.last(
      *pushed, [&](const Record& r, Position) { return r.task == pusher && r.kind == RecordKind::kSyscallReturn; });
  if (returned)
    answer.lines.push_back(q.say("handled_after",
                                 {{"who", q.task_name(pusher)},
                                  {"call", q.call_text(trace[*returned].before)},
                                  {"result", std::string(trace.string(trace[*returned].object))},
                                  {"step", step(*returned)}},
                                 *returned));
}

}  // namespace wakepath::exports
