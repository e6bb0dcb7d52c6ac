#include "sim/export/series.hh"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "sim/trace/cursor.hh"
#include "sim/trace/versions.hh"

namespace wakepath::exports {

using trace::Position;

namespace {

std::optional<trace::ObjectId> object_by_name(const trace::Trace& trace, const trace::World& end,
                                              std::string_view name) {
  for (trace::ObjectId id = 1; id < end.objects().size(); ++id)
    if (trace::object_name(trace, end, id) == name) return id;
  return std::nullopt;
}

std::optional<trace::FieldId> field_by_name(const trace::Kind& kind, std::string_view name) {
  for (trace::FieldId id = 0; id < kind.fields.size(); ++id)
    if (trace::member_name(kind, id) == name || kind.fields[id].name == name) return id;
  return std::nullopt;
}

std::string fields_there_are(const trace::Kind& kind) {
  std::string out;
  for (trace::FieldId id = 0; id < kind.fields.size(); ++id)
    out += (out.empty() ? "" : ", ") + trace::member_name(kind, id);
  return out;
}

std::string csv_cell(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string out = "\"";
  for (char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + '"';
}

}  // namespace

std::variant<Csv, std::string> field_csv(const trace::Trace& trace, Position from, Position to, std::string_view object,
                                         std::string_view field) {
  trace::Cursor cursor(trace);
  cursor.seek(trace.size());
  const auto id = object_by_name(trace, cursor.world(), object);
  if (!id) return fmt::format("--object: found '{}', expected the name of an object, such as tcp_sock#1", object);
  const trace::Kind& kind = trace.schema().kinds[cursor.world().objects()[*id].kind];
  const auto member = field_by_name(kind, field);
  if (!member)
    return fmt::format("--field: found '{}', expected one of {}: {}", field, kind.name, fields_there_are(kind));

  trace::Versions versions(trace);
  versions.update();
  Csv csv{"record,time_ms,step,thread,value\r\n"};
  for (Position at : versions.changes(*id, *member, from, std::min(to, trace.size()))) {
    cursor.seek(at + 1);
    const trace::World& world = cursor.world();
    csv.text += fmt::format("{},{:.6f},{},{},{}\r\n", at, static_cast<double>(world.now_ns()) / 1e6, world.step(),
                            csv_cell(trace::task_name(trace, world, trace[at].task)),
                            csv_cell(trace::field_text(trace, world, world.objects()[*id], *member)));
  }
  return csv;
}

}  // namespace wakepath::exports
