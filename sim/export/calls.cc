#include "sim/export/calls.hh"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sim/export/text.hh"

namespace wakepath::exports {

using trace::Context;
using trace::Record;
using trace::RecordKind;

bool CallNode::is_idle() const {
  return resumed && result.empty() &&
         std::all_of(children.begin(), children.end(), [](auto* c) { return c->is_idle(); });
}

namespace detail {

CallNode* CallCollector::add(CallNode node) {
  CallNode* added = &forest_.nodes.emplace_back(std::move(node));
  (open_.empty() ? forest_.blocks.back().roots : open_.back()->children).push_back(added);
  return added;
}

void CallCollector::open_block(trace::TaskId task) {
  open_.clear();
  fresh_ = false;
  forest_.blocks.push_back({task, trace::task_name(trace_, cursor_.world(), task), std::exchange(step_, ""), {}});
  if (const trace::Task* known = cursor_.world().task(task)) resume(*known);
}

void CallCollector::resume(const trace::Task& task) {
  if (task.syscall != 0 && task.syscall <= cursor_.position())
    enter_syscall(trace_[task.syscall - 1], task.syscall - 1, true);
  for (const trace::Frame& frame : task.stack)
    enter(frame.function, frame.context, frame.subject, frame.call, RecordKind::kCall, true);
}

void CallCollector::enter_syscall(const Record& record, trace::Position at, bool resumed) {
  CallNode* call = add({.kind = CallNode::Kind::kSyscall,
                        .at = at,
                        .record = RecordKind::kSyscall,
                        .layer = trace::Layer::kSyscall,
                        .text = std::string(trace_.string(record.object)),
                        .resumed = resumed});
  open_.push_back(call);
  // the entry function: the system call's own frame, so that what it calls hangs below it
  enter(record.field, Context::kProcess, 0, at, RecordKind::kSyscall, resumed);
}

void CallCollector::enter(trace::FunctionId function, Context context, trace::ObjectId subject, trace::Position at,
                          RecordKind record, bool resumed) {
  const auto& functions = trace_.schema().functions;
  std::string name = function < functions.size() ? functions[function].name : fmt::format("function {}", function);
  // a producer may record the entry function as a call, too: then it is the same frame
  if (CallNode* last = open_.empty() ? nullptr : open_.back();
      last != nullptr && last->kind == CallNode::Kind::kFunction && last->record == RecordKind::kSyscall &&
      last->children.empty() && last->text == name)
    return open_.push_back(last);
  trace::ObjectId of_caller = 0;
  for (auto caller = open_.rbegin(); caller != open_.rend() && of_caller == 0; ++caller) of_caller = (*caller)->subject;
  CallNode node{.kind = CallNode::Kind::kFunction,
                .at = at,
                .record = record,
                .context = context,
                .layer = function < functions.size() ? functions[function].layer : trace::Layer::kUser,
                .text = std::move(name),
                .subject = subject,
                .resumed = resumed};
  if (subject != 0 && subject != of_caller) node.object = trace::object_name(trace_, cursor_.world(), subject);
  open_.push_back(add(std::move(node)));
}

void CallCollector::leave(const Record& record) {
  if (open_.empty() || open_.back()->kind != CallNode::Kind::kFunction) return;
  open_.back()->returned = true;
  auto result = static_cast<std::int64_t>(record.after);
  if (result < 0) open_.back()->result = fmt::format("{}", result);
  open_.pop_back();
}

void CallCollector::leave_syscall(const Record& record) {
  while (!open_.empty() && open_.back()->kind != CallNode::Kind::kSyscall) open_.pop_back();
  if (open_.empty()) return;
  std::string_view words = trace_.string(record.object);
  open_.back()->returned = true;
  open_.back()->result =
      words.empty() ? fmt::format("{}", static_cast<std::int64_t>(record.after)) : std::string(words);
  open_.pop_back();
}

void CallCollector::take(trace::Position at, bool event) {
  const Record& record = trace_[at];
  if (record.kind == RecordKind::kStep) {
    step_ = fmt::format("step {}  {}", record.after, trace_.string(record.object));
    fresh_ = true;
    cursor_.seek(at + 1);
    return;
  }
  bool speaks = event || record.kind == RecordKind::kCall || record.kind == RecordKind::kReturn ||
                record.kind == RecordKind::kSyscall || record.kind == RecordKind::kSyscallReturn;
  if (speaks && (fresh_ || forest_.blocks.back().task != record.task)) open_block(record.task);
  switch (record.kind) {
    case RecordKind::kCall:
      enter(record.field, record.context, record.object, at, record.kind, false);
      break;
    case RecordKind::kReturn:
      leave(record);
      break;
    case RecordKind::kSyscall:
      enter_syscall(record, at, false);
      break;
    case RecordKind::kSyscallReturn:
      leave_syscall(record);
      break;
    default:
      break;
  }
  std::string words;
  // a freed object is named as it was, a new one as it is
  if (event && record.kind == RecordKind::kDestroy) words = record_text(trace_, cursor_.world(), record);
  cursor_.seek(at + 1);
  if (event && words.empty()) words = record_text(trace_, cursor_.world(), record);
  if (!words.empty())
    add({.kind = CallNode::Kind::kEvent,
         .at = at,
         .record = record.kind,
         .context = record.context,
         .text = std::move(words),
         .subject = record.object});
}

}  // namespace detail
}  // namespace wakepath::exports
