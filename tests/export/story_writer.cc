#include <stdexcept>

#include "tests/export/story.hh"

namespace wakepath::exports::story {

using trace::Record;
using trace::RecordKind;

trace::Position Writer::add(Record record) {
  record.context = context;
  if (record.task == 0) record.task = task;
  trace::Position at = trace.append(record);
  world_.apply(trace.schema(), record, at);
  return at;
}

trace::FieldId Writer::field_of(trace::ObjectId object, std::string_view name) const {
  const trace::Kind& kind = trace.schema().kinds[world_.objects()[object].kind];
  auto found = kind.find_field(name);
  if (!found) throw std::logic_error(kind.name + " has no field " + std::string(name));
  return *found;
}

trace::FunctionId Writer::function(std::string_view name) const {
  const auto& functions = trace.schema().functions;
  for (std::size_t i = 0; i < functions.size(); ++i)
    if (functions[i].name == name) return static_cast<trace::FunctionId>(i);
  throw std::logic_error("no function " + std::string(name));
}

trace::Ref Writer::part(trace::ObjectId object, std::string_view type) const {
  const trace::Kind& kind = trace.schema().kinds[world_.objects()[object].kind];
  for (std::size_t i = 0; i < kind.parts.size(); ++i)
    if (kind.parts[i].type == type) return {object, static_cast<std::uint16_t>(i)};
  throw std::logic_error(kind.name + " embeds no " + std::string(type));
}

trace::ObjectId Writer::create(std::string_view kind) {
  auto id = trace.schema().kind_id(kind);
  if (!id) throw std::logic_error("no kind " + std::string(kind));
  serials_.resize(trace.schema().kinds.size());
  auto object = static_cast<trace::ObjectId>(std::max<std::size_t>(world_.objects().size(), 1));
  add({.kind = RecordKind::kCreate, .field = *id, .object = object, .after = ++serials_[*id]});
  return object;
}

void Writer::destroy(trace::ObjectId object) {
  add({.kind = RecordKind::kDestroy, .field = world_.objects()[object].kind, .object = object});
}

void Writer::set(trace::ObjectId object, std::string_view field, std::uint64_t value) {
  trace::FieldId id = field_of(object, field);
  add({.kind = RecordKind::kSet,
       .field = id,
       .object = object,
       .before = world_.objects()[object].values[id],
       .after = value});
}

void Writer::push(trace::ObjectId object, std::string_view list, trace::Ref member) {
  trace::FieldId id = field_of(object, list);
  const auto& members = world_.objects()[object].list(id);
  add({.kind = RecordKind::kListInsert,
       .field = id,
       .object = object,
       .before = members.empty() ? 0 : members.back().packed(),
       .after = member.packed()});
}

void Writer::pull(trace::ObjectId object, std::string_view list, trace::Ref member) {
  trace::FieldId id = field_of(object, list);
  std::uint64_t behind = 0;
  for (const trace::Ref& other : world_.objects()[object].list(id)) {
    if (other == member) break;
    behind = other.packed();
  }
  add({.kind = RecordKind::kListErase, .field = id, .object = object, .before = behind, .after = member.packed()});
}

void Writer::call(std::string_view name, trace::ObjectId subject) {
  add({.kind = RecordKind::kCall, .field = function(name), .object = subject});
}

void Writer::leave(std::int64_t result) {
  const trace::Frame frame = world_.task(task)->stack.back();
  add({.kind = RecordKind::kReturn,
       .field = frame.function,
       .object = frame.subject,
       .before = frame.call,
       .after = static_cast<std::uint64_t>(result)});
}

void Writer::syscall(std::string_view entry, std::string_view text) {
  add({.kind = RecordKind::kSyscall, .field = function(entry), .object = trace.intern(text)});
}

void Writer::leave_syscall(std::int64_t result, std::string_view text) {
  add({.kind = RecordKind::kSyscallReturn,
       .object = trace.intern(text),
       .before = world_.task(task)->syscall - 1,
       .after = static_cast<std::uint64_t>(result)});
}

trace::TaskId Writer::spawn(std::string_view comm) {
  trace::ObjectId object = create("task_struct");
  set(object, "comm", trace.intern(comm));
  auto id = static_cast<trace::TaskId>(std::max<std::size_t>(world_.tasks().size(), 1));
  add({.kind = RecordKind::kSpawn, .object = object, .task = id});
  return id;
}

void Writer::run(trace::TaskId next) {
  add({.kind = RecordKind::kRun, .before = task, .after = next});
  task = next;
}

void Writer::wake(trace::TaskId woken) {
  trace::ObjectId object = world_.task(woken)->object;
  set(object, "__state", 0);
  add({.kind = RecordKind::kWake, .object = object, .before = woken});
}

void Writer::clock(std::uint64_t now) { add({.kind = RecordKind::kClock, .before = world_.now_ns(), .after = now}); }

void Writer::step(std::string_view text) {
  ++step_;
  add({.kind = RecordKind::kStep, .object = trace.intern(text), .before = world_.step(), .after = step_});
}

void Writer::step_end() { add({.kind = RecordKind::kStepEnd, .before = world_.quiet_step(), .after = step_}); }

void Writer::mark(std::string_view name) {
  add({.kind = RecordKind::kNote,
       .field = static_cast<std::uint16_t>(trace::NoteKind::kMark),
       .object = trace.intern(name)});
}

void Writer::log(std::string_view words) {
  add({.kind = RecordKind::kNote,
       .field = static_cast<std::uint16_t>(trace::NoteKind::kLog),
       .object = trace.intern(words)});
}

void Writer::rule(std::uint16_t index) { add({.kind = RecordKind::kRule, .field = index}); }

}  // namespace wakepath::exports::story
