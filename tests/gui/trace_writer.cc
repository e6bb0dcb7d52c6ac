#include "tests/gui/trace_writer.hh"

#include <algorithm>
#include <stdexcept>

namespace wakepath::gui::test {

using trace::ObjectId;
using trace::Position;
using trace::Record;
using trace::RecordKind;

Position TraceWriter::add(RecordKind kind, std::uint16_t field, std::uint32_t object, std::uint64_t before,
                          std::uint64_t after) {
  Record r{.kind = kind,
           .context = context,
           .field = field,
           .object = object,
           .task = task,
           .before = before,
           .after = after};
  return trace_->append(r);
}

std::uint16_t TraceWriter::field_id(ObjectId object, const std::string& name) const {
  const trace::Kind& kind = trace_->schema().kinds[kinds_[object]];
  auto slash = name.find('/');
  for (std::uint16_t i = 0; i < kind.fields.size(); ++i) {
    if (slash == std::string::npos ? kind.fields[i].name == name
                                   : kind.fields[i].name == name.substr(slash + 1) &&
                                         kind.parts[kind.fields[i].part].path == name.substr(0, slash))
      return i;
  }
  throw std::logic_error(kind.name + " has no field " + name);
}

std::uint64_t TraceWriter::ref(ObjectId object, const std::string& part) const {
  if (object == 0) return 0;
  const auto& parts = trace_->schema().kinds[kinds_[object]].parts;
  for (std::uint16_t i = 0; i < parts.size(); ++i)
    if (parts[i].path == part) return trace::Ref{object, i}.packed();
  throw std::logic_error("no part " + part);
}

ObjectId TraceWriter::create(const std::string& kind) {
  auto id = trace_->schema().kind_id(kind);
  if (!id) throw std::logic_error("no kind " + kind);
  kinds_.push_back(*id);
  auto object = static_cast<ObjectId>(kinds_.size() - 1);
  add(RecordKind::kCreate, *id, object, 0, ++serials_[*id]);
  return object;
}

void TraceWriter::destroy(ObjectId object) { add(RecordKind::kDestroy, kinds_[object], object, 0, 0); }

void TraceWriter::set(ObjectId object, const std::string& field, std::uint64_t value) {
  std::uint16_t id = field_id(object, field);
  std::uint64_t& old = values_[{object, id}];
  if (old != value) add(RecordKind::kSet, id, object, old, value);
  old = value;
}

void TraceWriter::point(ObjectId object, const std::string& field, ObjectId target, const std::string& part) {
  set(object, field, ref(target, part));
}

void TraceWriter::symbol(ObjectId object, const std::string& field, const std::string& name) {
  const auto& all = trace_->schema().symbols;
  set(object, field, static_cast<std::uint64_t>(std::find(all.begin(), all.end(), name) - all.begin()));
}

void TraceWriter::text(ObjectId object, const std::string& field, const std::string& words) {
  set(object, field, trace_->intern(words));
}

void TraceWriter::push(ObjectId object, const std::string& field, ObjectId member, const std::string& part) {
  std::uint16_t id = field_id(object, field);
  auto& list = lists_[{object, id}];
  std::uint64_t element = ref(member, part);
  add(RecordKind::kListInsert, id, object, list.empty() ? 0 : list.back(), element);
  list.push_back(element);
}

void TraceWriter::pull(ObjectId object, const std::string& field, ObjectId member, const std::string& part) {
  std::uint16_t id = field_id(object, field);
  auto& list = lists_[{object, id}];
  std::uint64_t element = ref(member, part);
  auto found = std::find(list.begin(), list.end(), element);
  add(RecordKind::kListErase, id, object, found == list.begin() ? 0 : *std::prev(found), element);
  list.erase(found);
}

namespace {
std::uint16_t function_id(const trace::Trace& trace, const std::string& name) {
  const auto& all = trace.schema().functions;
  auto found = std::find_if(all.begin(), all.end(), [&](const trace::FunctionInfo& f) { return f.name == name; });
  if (found == all.end()) throw std::logic_error("no function " + name);
  return static_cast<std::uint16_t>(found - all.begin());
}
}  // namespace

void TraceWriter::call(const std::string& function, ObjectId subject) {
  std::uint16_t id = function_id(*trace_, function);
  Position at = add(RecordKind::kCall, id, subject, 0, 0);
  stacks_[task].push_back({at, id, subject, context});
}

void TraceWriter::ret(std::int64_t result) {
  Open open = stacks_[task].back();
  stacks_[task].pop_back();
  trace::Context outer = context;
  context = open.context;
  add(RecordKind::kReturn, open.function, open.subject, open.at, static_cast<std::uint64_t>(result));
  context = outer;
}

void TraceWriter::enter(const std::string& function, const std::string& words) {
  std::uint16_t id = function_id(*trace_, function);
  Position at = add(RecordKind::kSyscall, id, trace_->intern(words), 0, 0);
  syscalls_[task] = {at, id, 0, context};
}

void TraceWriter::leave(std::int64_t result) {
  Open open = syscalls_[task];
  add(RecordKind::kSyscallReturn, open.function, trace_->intern(std::to_string(result)), open.at,
      static_cast<std::uint64_t>(result));
}

void TraceWriter::spawn(trace::TaskId id, ObjectId object) {
  trace::TaskId was = task;
  task = id;
  add(RecordKind::kSpawn, 0, object, 0, 0);
  task = was;
  tasks_[id] = object;
}

void TraceWriter::run(trace::TaskId id) {
  add(RecordKind::kRun, 0, 0, running_, id);
  running_ = task = id;
}

void TraceWriter::wake(trace::TaskId id) { add(RecordKind::kWake, 0, tasks_[id], id, 0); }

void TraceWriter::clock(std::uint64_t ns) {
  add(RecordKind::kClock, 0, 0, now_, ns);
  now_ = ns;
}

void TraceWriter::step(const std::string& words) {
  add(RecordKind::kStep, 0, trace_->intern(words), step_, step_ + 1);
  ++step_;
}

void TraceWriter::step_end() { add(RecordKind::kStepEnd, 0, 0, step_ - 1, step_); }

void TraceWriter::note(trace::NoteKind kind, const std::string& words) {
  add(RecordKind::kNote, static_cast<std::uint16_t>(kind), trace_->intern(words), 0, 0);
}

void TraceWriter::rule(std::uint16_t index, ObjectId about) { add(RecordKind::kRule, index, about, 0, 0); }

}  // namespace wakepath::gui::test
