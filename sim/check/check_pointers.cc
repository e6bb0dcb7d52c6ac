#include "sim/check/check_pointers.hh"

#include <fmt/format.h>

#include <map>

#include "sim/trace/world.hh"

namespace wakepath::check {
namespace {

/// What Linux leaves behind, too, and never follows again: af_unix.c clears `listener` only in accept(), so that a
/// connection that nobody accepted keeps it, dead, for as long as its peer holds it.
bool left_behind(const trace::Kind& kind, const std::string& field) {
  return kind.name == "unix_sock" && field == "listener";
}

using Dangling = std::map<std::string, trace::ObjectId>;  // "epitem.ffd.file": one of those that have it

std::uint64_t find_dangling(const trace::Schema& schema, const trace::World& world, Dangling& out) {
  std::uint64_t pointers = 0;
  for (const trace::Object& object : world.objects()) {
    if (!object.alive) continue;
    const trace::Kind& kind = schema.kinds[object.kind];
    for (trace::FieldId f = 0; f < kind.fields.size(); ++f) {
      if (kind.fields[f].type != trace::FieldType::kPointer) continue;
      std::uint64_t value = object.values[f];
      if (value == 0 || value == trace::kUnactivePointer) continue;
      ++pointers;
      if (world.find(trace::Ref::unpack(value).object) == nullptr && !left_behind(kind, kind.fields[f].name))
        out.emplace(kind.name + "." + kind.fields[f].name, object.id);
    }
  }
  return pointers;
}

}  // namespace

Complaints check_pointers(const trace::Trace& trace, std::uint64_t* looked_at) {
  trace::World world;
  Dangling dangling;
  std::uint64_t seen = 0;
  for (trace::Position at = 0; at < trace.size(); ++at) {
    world.apply(trace.schema(), trace[at], at);
    if (trace[at].kind == trace::RecordKind::kSyscallReturn) seen += find_dangling(trace.schema(), world, dangling);
  }
  if (looked_at != nullptr) *looked_at = seen;
  Complaints out;
  for (const auto& [field, object] : dangling)
    out.push_back(fmt::format("{} of object {} leads to a freed object", field, object));
  return out;
}

}  // namespace wakepath::check
