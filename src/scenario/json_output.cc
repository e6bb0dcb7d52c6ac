#include "src/scenario/json_output.hh"

#include "src/scenario/kernel_versions.hh"

#include <nlohmann/json.hpp>

namespace wakepath::scenario {
namespace {

using Json = nlohmann::ordered_json;

/// Bytes as text: those from 0x80 as the code points U+0080 to U+00FF.
std::string widen(const std::string& bytes) {
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      out.push_back(c);
    } else {
      out.push_back(static_cast<char>(0xC0 | (byte >> 6)));
      out.push_back(static_cast<char>(0x80 | (byte & 0x3F)));
    }
  }
  return out;
}

std::string narrow(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0xC0 && i + 1 < text.size()) {
      out.push_back(static_cast<char>(((byte & 0x03) << 6) | (static_cast<unsigned char>(text[++i]) & 0x3F)));
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

template <typename T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json expect_json(const Entry& e) {
  Json out = {{"step", e.step}, {"line", e.at.line}, {"expect", e.expect}};
  out["result"] = e.truth == Entry::Truth::unobservable ? Json("unobservable") : Json(e.truth == Entry::Truth::yes);
  if (!e.seen.empty()) {
    out["seen"] = e.seen;
  }
  return out;
}

Json entry_json(const Entry& e) {
  if (!e.expect.empty()) {
    return expect_json(e);
  }
  Json out = {{"step", e.step}, {"line", e.at.line}, {"actor", e.actor}, {"call", e.call}};
  out["state"] = e.done ? "done" : "blocked";
  out["returned_after"] = or_null(e.returned_after);
  out["ret"] = or_null(e.ret);
  out["errno"] = e.error.empty() ? Json(nullptr) : Json(e.error);
  out["data"] = e.data ? Json(widen(*e.data)) : Json(nullptr);
  out["events"] = nullptr;
  if (e.events) {
    out["events"] = Json::array();
    for (const ShownEvent& event : *e.events) {
      out["events"].push_back({{"events", event.events}, {"data", event.data}});
    }
  }
  if (!e.fds.empty()) {
    out["fds"] = e.fds;
  }
  if (e.address) {
    out["addr"] = *e.address;
  }
  if (!e.value.empty()) {
    out["value"] = e.value;
  }
  out["expected"] = e.expected;
  if (e.failed_at) {
    out["failed_at"] = *e.failed_at;
  }
  if (!e.asleep_in.empty()) {
    out["asleep_in"] = e.asleep_in;
  }
  return out;
}

Entry entry_from(const nlohmann::json& j) {
  Entry e;
  e.step = j.at("step");
  e.at.line = j.at("line");
  if (j.contains("expect")) {
    e.expect = j.at("expect");
    const auto& result = j.at("result");
    e.truth = result.is_string()   ? Entry::Truth::unobservable
              : result.get<bool>() ? Entry::Truth::yes
                                   : Entry::Truth::no;
    e.seen = j.value("seen", "");
    e.done = true;
    return e;
  }
  e.actor = j.at("actor");
  e.call = j.at("call");
  e.done = j.at("state") == "done";
  if (!j.at("returned_after").is_null()) {
    e.returned_after = j.at("returned_after").get<int>();
  }
  if (!j.at("ret").is_null()) {
    e.ret = j.at("ret").get<long>();
  }
  if (!j.at("errno").is_null()) {
    e.error = j.at("errno");
  }
  if (!j.at("data").is_null()) {
    e.data = narrow(j.at("data"));
  }
  if (!j.at("events").is_null()) {
    e.events.emplace();
    for (const auto& event : j.at("events")) {
      e.events->push_back({event.at("events"), event.at("data")});
    }
  }
  e.fds = j.value("fds", std::vector<int>{});
  e.value = j.value("value", std::vector<int>{});
  if (j.contains("addr")) {
    e.address = j.at("addr").get<std::string>();
  }
  e.expected = j.at("expected");
  if (j.contains("failed_at")) {
    e.failed_at = j.at("failed_at").get<int>();
  }
  e.asleep_in = j.value("asleep_in", "");
  return e;
}

}  // namespace

Json to_json(const FileResult& r) {
  Json out = {{"wakepath", 1}, {"file", r.file}, {"on", r.on}, {"ok", r.ok}};
  if (r.skipped) {
    out["skipped"] = *r.skipped;
    return out;
  }
  if (!r.notes.empty()) {
    out["excused"] = r.notes;
  }
  out["steps"] = Json::array();
  for (const Entry& e : r.entries) {
    out["steps"].push_back(entry_json(e));
  }
  if (r.error) {
    out["error"] = to_json(*r.error)["error"];
  }
  return out;
}

FileResult from_json(const nlohmann::json& j) {
  FileResult r;
  r.file = j.at("file");
  r.on = j.at("on");
  r.ok = j.at("ok");
  if (j.contains("skipped")) {
    r.skipped = j.at("skipped").get<std::string>();
    r.unavailable = j.value("unavailable", false);
    return r;
  }
  for (const auto& entry : j.at("steps")) {
    r.entries.push_back(entry_from(entry));
  }
  if (j.contains("error")) {
    const auto& e = j.at("error");
    r.error = Problem{r.file, {e.at("line"), e.at("column")}, e.at("found"), e.at("expected"), true};
  }
  return r;
}

Json to_json(const Problem& p) {
  return {{"wakepath", 1},
          {"file", p.file},
          {"error", {{"line", p.at.line}, {"column", p.at.column}, {"found", p.found}, {"expected", p.expected}}}};
}

std::vector<Difference> differences(const FileResult& model, const FileResult& kernel) {
  std::vector<Difference> out;
  const size_t count = std::max(model.entries.size(), kernel.entries.size());
  for (size_t i = 0; i < count; ++i) {
    if (i >= model.entries.size() || i >= kernel.entries.size()) {
      const bool in_model = i < model.entries.size();
      const int step = in_model ? model.entries[i].step : kernel.entries[i].step;
      out.push_back({step, "step", in_model ? "\"made\"" : "null", in_model ? "null" : "\"made\""});
      continue;
    }
    const Json a = entry_json(model.entries[i]);
    const Json b = entry_json(kernel.entries[i]);
    for (const char* field :
         {"state", "returned_after", "ret", "errno", "data", "events", "fds", "addr", "value", "result"}) {
      const Json left = a.contains(field) ? a[field] : Json(nullptr);
      const Json right = b.contains(field) ? b[field] : Json(nullptr);
      if (left == right || left == "unobservable" || right == "unobservable") {
        continue;
      }
      out.push_back({model.entries[i].step, field, left.dump(), right.dump()});
    }
  }
  return out;
}

Json comparison(const FileResult& model, const FileResult& kernel) {
  Json out = {{"wakepath", 1}, {"file", model.file}, {"on", "both"}};
  if (model.skipped || kernel.skipped) {
    out["ok"] = true;
    out["skipped"] = model.skipped ? *model.skipped : *kernel.skipped;
    return out;
  }
  const Judged judged = judge(model, kernel);
  const std::vector<Difference>& all = judged.failing;
  out["ok"] = all.empty();
  if (!judged.excused.empty()) {
    out["excused"] = judged.excused;
  }
  out["differences"] = Json::array();
  for (const Difference& d : all) {
    out["differences"].push_back(
        {{"step", d.step}, {"field", d.field}, {"model", Json::parse(d.model)}, {"kernel", Json::parse(d.kernel)}});
  }
  return out;
}

}  // namespace wakepath::scenario
