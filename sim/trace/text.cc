// The words of a world: names of objects, tasks and values. One place, so that every consumer says the same.
#include <fmt/format.h>

#include <algorithm>

#include "sim/trace/world.hh"

namespace wakepath::trace {

std::string object_name(const Trace& trace, const World& world, ObjectId id) {
  if (id == 0) return "NULL";
  if (id >= world.objects().size() || world.objects()[id].kind >= trace.schema().kinds.size())
    return fmt::format("object {}", id);
  const Object& object = world.objects()[id];
  return fmt::format("{}#{}", trace.schema().kinds[object.kind].name, object.serial);
}

std::string ref_name(const Trace& trace, const World& world, Ref ref) {
  std::string name = object_name(trace, world, ref.object);
  if (ref.part == 0 || ref.object >= world.objects().size()) return name;
  const Kind& kind = trace.schema().kinds[world.objects()[ref.object].kind];
  return ref.part < kind.parts.size() ? name + "." + kind.parts[ref.part].path : name;
}

namespace {

std::string enum_text(const Enumeration& enumeration, std::uint64_t value) {
  for (const auto& v : enumeration.values)
    if (v.value == value) return v.name;
  return fmt::format("{}", static_cast<std::int64_t>(value));
}

std::string flags_text(const Enumeration& enumeration, std::uint64_t value) {
  if (value == 0) return "0";
  std::string out;
  for (const auto& v : enumeration.values) {
    if (v.value == 0 || (value & v.value) != v.value) continue;
    out += (out.empty() ? "" : "|") + v.name;
    value &= ~v.value;
  }
  if (value != 0) out += fmt::format("{}{:#x}", out.empty() ? "" : "|", value);
  return out;
}

}  // namespace

std::string value_text(const Trace& trace, const World& world, const FieldInfo& field, std::uint64_t value) {
  const Schema& schema = trace.schema();
  switch (field.type) {
    case FieldType::kUnsigned:
      return fmt::format("{}", value);
    case FieldType::kSigned:
      return fmt::format("{}", static_cast<std::int64_t>(value));
    case FieldType::kBool:
      return value != 0 ? "true" : "false";
    case FieldType::kHex:
      return fmt::format("{:#x}", value);
    case FieldType::kEnum:
      return enum_text(schema.enums[field.detail], value);
    case FieldType::kFlags:
      return flags_text(schema.enums[field.detail], value);
    case FieldType::kPointer:
      return value == kUnactivePointer ? "EP_UNACTIVE_PTR" : ref_name(trace, world, Ref::unpack(value));
    case FieldType::kSymbol:
      return value < schema.symbols.size() ? schema.symbols[value] : fmt::format("symbol {}", value);
    case FieldType::kString:
      return std::string(trace.string(static_cast<StringId>(value)));
    case FieldType::kTime:
    case FieldType::kDuration:
      return fmt::format("{:.3f} ms", static_cast<double>(value) / 1e6);
    case FieldType::kIpv4:
      return fmt::format("{}.{}.{}.{}", (value >> 24) & 255, (value >> 16) & 255, (value >> 8) & 255, value & 255);
    case FieldType::kList:
      return "";
  }
  return "";
}

std::string field_text(const Trace& trace, const World& world, const Object& object, FieldId field) {
  const FieldInfo& info = trace.schema().kinds[object.kind].fields[field];
  if (info.type != FieldType::kList)
    return value_text(trace, world, info, field < object.values.size() ? object.values[field] : 0);
  std::string out = "[";
  for (const Ref& member : object.list(field)) out += (out.size() > 1 ? ", " : "") + ref_name(trace, world, member);
  return out + "]";
}

std::string member_name(const Kind& kind, FieldId field) {
  const FieldInfo& info = kind.fields[field];
  auto same = [&](const FieldInfo& other) { return other.name == info.name; };
  bool generic = info.name == "head" || info.name == "list" || info.name == "qlen" ||
                 std::count_if(kind.fields.begin(), kind.fields.end(), same) > 1;
  if (!generic || info.part == 0 || info.part >= kind.parts.size()) return info.name;
  const std::string& path = kind.parts[info.part].path;
  return path.substr(path.rfind('.') + 1) + "." + info.name;
}

std::uint64_t value_of(const Trace& trace, const Object& object, std::string_view field) {
  auto id = trace.schema().kinds[object.kind].find_field(field);
  return id && *id < object.values.size() ? object.values[*id] : 0;
}

std::string task_name(const Trace& trace, const World& world, TaskId task) {
  const Task* found = world.task(task);
  if (task == 0 || found == nullptr || found->object == 0 || found->object >= world.objects().size()) return "idle";
  return std::string(trace.string(static_cast<StringId>(value_of(trace, world.objects()[found->object], "comm"))));
}

}  // namespace wakepath::trace
