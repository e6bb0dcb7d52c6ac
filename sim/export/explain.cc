#include "sim/export/explain.hh"

#include <map>
#include <nlohmann/json.hpp>

namespace wakepath::exports {

// made at build time from assets/explain
extern const char* const kExplainEn;
extern const char* const kExplainZh;

namespace {

using Words = std::map<std::string, std::string, std::less<>>;

const Words& words_of(std::string_view language) {
  static const std::map<std::string, Words, std::less<>> kAll = {
      {"en", nlohmann::json::parse(kExplainEn).get<Words>()}, {"zh", nlohmann::json::parse(kExplainZh).get<Words>()}};
  auto found = kAll.find(language);
  return found != kAll.end() ? found->second : kAll.at("en");
}

const std::string* sentence(std::string_view language, std::string_view id) {
  const Words& words = words_of(language);
  auto found = words.find(id);
  return found != words.end() ? &found->second : nullptr;
}

}  // namespace

const std::vector<std::string>& explain_languages() {
  static const std::vector<std::string> kLanguages = {"en", "zh"};
  return kLanguages;
}

std::string explain(std::string_view language, std::string_view id, const Places& places) {
  const std::string* found = sentence(language, id);
  if (found == nullptr) found = sentence("en", id);
  if (found == nullptr) return std::string(id);
  std::string out;
  for (std::size_t at = 0; at < found->size();) {
    std::size_t open = found->find('{', at);
    std::size_t end = open == std::string::npos ? open : found->find('}', open);
    if (end == std::string::npos) return out + found->substr(at);
    out += found->substr(at, open - at);
    std::string_view name = std::string_view(*found).substr(open + 1, end - open - 1);
    for (const auto& [place, text] : places)
      if (place == name) out += text;
    at = end + 1;
  }
  return out;
}

std::string explain_rule(std::string_view language, const trace::Rule& rule) {
  const std::string* found = sentence(language, "rule." + rule.id);
  return found != nullptr ? *found : rule.sentence;
}

std::string explain_kind(std::string_view language, const trace::Kind& kind) {
  const std::string* found = sentence(language, "kind." + kind.name);
  return found != nullptr ? *found : kind.sentence;
}

std::string explain_function(std::string_view language, const trace::FunctionInfo& function) {
  const std::string* found = sentence(language, "about." + function.name);
  return found != nullptr ? *found : function.sentence;
}

std::vector<std::string> explain_ids(std::string_view language) {
  std::vector<std::string> out;
  for (const auto& [id, text] : words_of(language)) out.push_back(id);
  return out;
}

}  // namespace wakepath::exports
