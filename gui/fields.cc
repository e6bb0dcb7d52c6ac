#include "gui/fields.hh"

#include <fmt/format.h>

#include "gui/tongue.hh"
#include "sim/export/explain.hh"

namespace wakepath::gui {

using trace::FieldId;
using trace::FieldType;
using trace::Kind;
using trace::ObjectId;
using trace::Record;
using trace::RecordKind;
using trace::Ref;

std::string field_path(const Kind& kind, FieldId field) {
  const trace::FieldInfo& info = kind.fields[field];
  if (info.part == 0 || info.part >= kind.parts.size() || kind.parts[info.part].path.empty()) return info.name;
  return kind.parts[info.part].path + "." + info.name;
}

std::optional<FieldId> field_named(const Kind& kind, std::string_view name) {
  if (auto exact = kind.find_field(name)) return exact;
  for (FieldId i = 0; i < kind.fields.size(); ++i) {
    std::string path = field_path(kind, i);
    if (path == name) return i;
    if (path.size() > name.size() && path.ends_with(name) && path[path.size() - name.size() - 1] == '.') return i;
  }
  return std::nullopt;
}

std::uint64_t Reader::value(std::string_view name) const {
  auto field = field_named(*kind_, name);
  return field && *field < object_->values.size() ? object_->values[*field] : 0;
}

std::string Reader::text(std::string_view name) const {
  auto field = field_named(*kind_, name);
  return field && *field < object_->values.size() ? trace::field_text(*trace_, *world_, *object_, *field) : "";
}

ObjectId Reader::target(std::string_view name) const {
  auto field = field_named(*kind_, name);
  if (!field || *field >= object_->values.size() || kind_->fields[*field].type != FieldType::kPointer) return 0;
  std::uint64_t value = object_->values[*field];
  return value == trace::kUnactivePointer ? 0 : Ref::unpack(value).object;
}

const trace::Object* Reader::follow(std::string_view name) const { return world_->find(target(name)); }

const std::vector<Ref>& Reader::list(std::string_view name) const {
  static const std::vector<Ref> kNone;
  auto field = field_named(*kind_, name);
  return field ? object_->list(*field) : kNone;
}

namespace {

std::string set_words(const trace::Trace& trace, const trace::World& world, const Record& r) {
  std::string name = trace::object_name(trace, world, r.object);
  if (r.object >= world.objects().size()) return name;
  const Kind& kind = trace.schema().kinds[world.objects()[r.object].kind];
  if (r.field >= kind.fields.size()) return name;
  const trace::FieldInfo& field = kind.fields[r.field];
  if (r.kind == RecordKind::kListInsert)
    return said("{} goes onto {} of {}", trace::ref_name(trace, world, Ref::unpack(r.after)), field.name, name);
  if (r.kind == RecordKind::kListErase)
    return said("{} leaves {} of {}", trace::ref_name(trace, world, Ref::unpack(r.after)), field.name, name);
  return fmt::format("{}: {} {} → {}", name, field.name, trace::value_text(trace, world, field, r.before),
                     trace::value_text(trace, world, field, r.after));
}

std::string function_name(const trace::Trace& trace, std::uint16_t id) {
  return id < trace.schema().functions.size() ? trace.schema().functions[id].name : said("function {}", id);
}

}  // namespace

std::string record_words(const trace::Trace& trace, const trace::World& world, trace::Position at) {
  if (at >= trace.size()) return "";
  const Record& r = trace[at];
  std::string text(trace.string(r.object));
  auto task = [&](std::uint64_t id) { return trace::task_name(trace, world, static_cast<trace::TaskId>(id)); };
  switch (r.kind) {
    case RecordKind::kCreate:
      return said("{} is allocated", trace::object_name(trace, world, r.object));
    case RecordKind::kDestroy:
      return said("{} is freed", trace::object_name(trace, world, r.object));
    case RecordKind::kSet:
    case RecordKind::kListInsert:
    case RecordKind::kListErase:
      return set_words(trace, world, r);
    case RecordKind::kCall:
      return r.object == 0
                 ? said("enters {}()", function_name(trace, r.field))
                 : said("enters {}() on {}", function_name(trace, r.field), trace::object_name(trace, world, r.object));
    case RecordKind::kReturn:
      return said("{}() returns {}", function_name(trace, r.field), static_cast<std::int64_t>(r.after));
    case RecordKind::kSyscall:
      return said("{} calls {}", task(r.task), text);
    case RecordKind::kSyscallReturn:
      return said("{} is back with {}", task(r.task),
                  text.empty() ? fmt::format("{}", static_cast<std::int64_t>(r.after)) : text);
    case RecordKind::kSpawn:
      return said("task {} starts", task(r.task));
    case RecordKind::kRun:
      return said("the CPU goes from {} to {}", task(r.before), task(r.after));
    case RecordKind::kWake:
      return said("{} wakes {}", task(r.task), task(r.before));
    case RecordKind::kClock:
      return said("time is {:.3f} ms", static_cast<double>(r.after) / 1e6);
    case RecordKind::kStep:
      return said("step {} begins: {}", r.after, text);
    case RecordKind::kStepEnd:
      return said("step {} is quiet", r.after);
    case RecordKind::kNote:
      return text;
    case RecordKind::kRule:
      return r.field < trace.schema().rules.size() ? exports::explain_rule(language(), trace.schema().rules[r.field])
                                                   : std::string(tr("a rule applies"));
    case RecordKind::kPeer:
      return said("peer: {}", text);
    case RecordKind::kDivergence:
      if (r.before == r.after) return said("DIVERGENCE {}", text);
      return said("DIVERGENCE {}: model {}, kernel {}", text, static_cast<std::int64_t>(r.before),
                  static_cast<std::int64_t>(r.after));
  }
  return "";
}

}  // namespace wakepath::gui
