#include "sim/export/reading.hh"

#include <fmt/format.h>

namespace wakepath::exports {

using trace::Object;

std::vector<const Object*> Reading::living(std::string_view kind) const {
  std::vector<const Object*> out;
  auto id = trace_.schema().kind_id(kind);
  if (!id) return out;
  for (const Object& object : world_.objects())
    if (object.alive && object.kind == *id) out.push_back(&object);
  return out;
}

bool Reading::is(const Object* object, std::string_view kind) const {
  return object != nullptr && trace_.schema().kinds[object->kind].name == kind;
}

std::string Reading::name(const Object* object) const {
  return trace::object_name(trace_, world_, object == nullptr ? 0 : object->id);
}

bool Reading::has(const Object& object, std::string_view field) const {
  return trace_.schema().kinds[object.kind].find_field(field).has_value();
}

std::uint64_t Reading::value(const Object& object, std::string_view field) const {
  return trace::value_of(trace_, object, field);
}

const Object* Reading::target(const Object& object, std::string_view field) const {
  std::uint64_t packed = value(object, field);
  trace::ObjectId id = packed == trace::kUnactivePointer ? 0 : trace::Ref::unpack(packed).object;
  return id != 0 && id < world_.objects().size() ? &world_.objects()[id] : nullptr;
}

std::string_view Reading::symbol(const Object& object, std::string_view field) const {
  const auto& symbols = trace_.schema().symbols;
  std::uint64_t index = value(object, field);
  return index < symbols.size() ? std::string_view(symbols[index]) : "";
}

std::string_view Reading::text(const Object& object, std::string_view field) const {
  return trace_.string(static_cast<trace::StringId>(value(object, field)));
}

const std::vector<trace::Ref>& Reading::list(const Object& object, std::string_view member) const {
  const trace::Kind& kind = trace_.schema().kinds[object.kind];
  for (trace::FieldId id = 0; id < kind.fields.size(); ++id)
    if (kind.fields[id].type == trace::FieldType::kList && trace::member_name(kind, id) == member)
      return object.list(id);
  static const std::vector<trace::Ref> kNone;
  return kNone;
}

const Object* Reading::task(std::string_view name_or_pid) const {
  for (const Object* task : living("task_struct"))
    if (text(*task, "comm") == name_or_pid || fmt::format("{}", value(*task, "pid")) == name_or_pid) return task;
  return nullptr;
}

const Object* Reading::file(const Object& task, int fd) const {
  const Object* files = target(task, "files");
  if (files == nullptr) return nullptr;
  for (trace::Ref slot : list(*files, "fd_array")) {
    const Object* entry = find(slot.object);
    if (entry != nullptr && number(*entry, "fd") == fd) return target(*entry, "file");
  }
  return nullptr;
}

bool sleeps(const trace::Trace& trace, const trace::World& world, trace::TaskId id) {
  const trace::Task* task = world.task(id);
  const trace::Object* object = task == nullptr ? nullptr : world.find(task->object);
  return object != nullptr && trace::value_of(trace, *object, "__state") != 0;
}

}  // namespace wakepath::exports
