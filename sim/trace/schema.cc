#include "sim/trace/schema.hh"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace wakepath::trace {

using nlohmann::json;

std::string_view layer_name(Layer layer) {
  static constexpr std::array<std::string_view, kLayers> kNames = {"user", "syscall", "vfs",     "socket",   "epoll",
                                                                   "tcp",  "ip",      "softirq", "scheduler"};
  return kNames[static_cast<std::size_t>(layer)];
}

std::optional<FieldId> Kind::find_field(std::string_view field_name) const {
  auto found = std::find_if(fields.begin(), fields.end(), [&](const FieldInfo& f) { return f.name == field_name; });
  if (found == fields.end()) return std::nullopt;
  return static_cast<FieldId>(found - fields.begin());
}

const Kind* Schema::find_kind(std::string_view name) const {
  auto id = kind_id(name);
  return id ? &kinds[*id] : nullptr;
}

std::optional<KindId> Schema::kind_id(std::string_view name) const {
  auto found = std::find_if(kinds.begin(), kinds.end(), [&](const Kind& k) { return k.name == name; });
  if (found == kinds.end()) return std::nullopt;
  return static_cast<KindId>(found - kinds.begin());
}

std::string Schema::to_json() const {
  json out = {{"producer", producer}, {"compared_with", compared_with}, {"symbols", symbols}};
  for (const Kind& k : kinds) {
    json kind = {{"name", k.name},         {"layer", static_cast<int>(k.layer)},
                 {"task", k.is_task},      {"source", k.source},
                 {"sentence", k.sentence}, {"parts", json::array()},
                 {"fields", json::array()}};
    for (const Part& p : k.parts) kind["parts"].push_back({p.type, p.path, p.parent, p.offset, p.size});
    for (const FieldInfo& f : k.fields) kind["fields"].push_back({f.name, f.part, static_cast<int>(f.type), f.detail});
    out["kinds"].push_back(std::move(kind));
  }
  for (const FunctionInfo& f : functions)
    out["functions"].push_back({f.name, static_cast<int>(f.layer), f.source, f.sentence});
  for (const Enumeration& e : enums) {
    json values = json::array();
    for (const auto& v : e.values) values.push_back({v.value, v.name});
    out["enums"].push_back({{"name", e.name}, {"values", std::move(values)}});
  }
  for (const Rule& r : rules) out["rules"].push_back({r.id, r.sentence, r.error});
  return out.dump();
}

namespace {

Layer layer_from(const json& value) {
  int number = value.get<int>();
  if (number < 0 || number >= kLayers) throw json::other_error::create(501, "layer out of range", nullptr);
  return static_cast<Layer>(number);
}

Kind kind_from(const json& in, std::size_t enum_count) {
  Kind kind{in.at("name"), layer_from(in.at("layer")), in.at("task"), in.at("source"), in.at("sentence"), {}, {}};
  for (const json& p : in.at("parts")) kind.parts.push_back({p.at(0), p.at(1), p.at(2), p.at(3), p.at(4)});
  if (kind.parts.empty()) throw json::other_error::create(501, "kind without parts", nullptr);
  for (const Part& p : kind.parts)
    if (p.parent >= kind.parts.size()) throw json::other_error::create(501, "part out of range", nullptr);
  for (const json& f : in.at("fields")) {
    int type = f.at(2).get<int>();
    FieldInfo field{f.at(0), f.at(1), static_cast<FieldType>(type), f.at(3)};
    bool enumerated = field.type == FieldType::kEnum || field.type == FieldType::kFlags;
    if (type < 0 || type > static_cast<int>(FieldType::kList) || field.part >= kind.parts.size() ||
        (enumerated && field.detail >= enum_count))
      throw json::other_error::create(501, "field out of range", nullptr);
    kind.fields.push_back(std::move(field));
  }
  return kind;
}

}  // namespace

std::optional<Schema> Schema::from_json(std::string_view text) {
  try {
    json in = json::parse(text);
    Schema schema;
    schema.producer = in.at("producer");
    schema.compared_with = in.value("compared_with", "");  // absent in older recordings
    schema.symbols = in.at("symbols").get<std::vector<std::string>>();
    for (const json& e : in.value("enums", json::array())) {
      Enumeration out{e.at("name"), {}};
      for (const json& v : e.at("values")) out.values.push_back({v.at(0), v.at(1)});
      schema.enums.push_back(std::move(out));
    }
    for (const json& k : in.value("kinds", json::array())) schema.kinds.push_back(kind_from(k, schema.enums.size()));
    for (const json& f : in.value("functions", json::array()))
      schema.functions.push_back({f.at(0), layer_from(f.at(1)), f.at(2), f.at(3)});
    for (const json& r : in.value("rules", json::array()))
      schema.rules.push_back({r.at(0), r.at(1), r.size() > 2 ? r.at(2).get<int>() : 0});
    return schema;
  } catch (const json::exception&) {
    return std::nullopt;  // a foreign or damaged file: the reader says so with its name
  }
}

}  // namespace wakepath::trace
