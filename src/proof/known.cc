#include "src/proof/known.hh"

#include <algorithm>

#include "src/scenario/step_parser.hh"
#include "src/scenario/yaml.hh"

namespace wakepath::proof {

extern const char* const kKnownDifferencesYaml;  // assets/known-differences.yaml, made a string by CMake

std::vector<KnownDifference> read_known_differences(const std::string& file, const std::string& text) {
  const scenario::Source source(file, text);
  const scenario::Fields fields(source);
  const scenario::Yaml root = scenario::read_yaml(source);
  fields.mapping(root, "a mapping with the key 'differences'");
  std::vector<KnownDifference> out;
  for (const scenario::Yaml& row : fields.required(root, "differences").items) {
    fields.mapping(row, "a mapping");
    fields.only_keys(row, {"id", "call", "field", "model", "kernel", "reason", "source"});
    const auto word = [&](const char* key) { return fields.word(fields.required(row, key), "a text"); };
    const auto pattern = [&](const char* key) {
      return row.find(key) != nullptr ? std::regex(word(key)) : std::regex(".*");
    };
    out.push_back({word("id"), pattern("call"), row.find("field") != nullptr ? word("field") : "", pattern("model"),
                   pattern("kernel"), word("reason"), word("source")});
  }
  return out;
}

const std::vector<KnownDifference>& known_differences() {
  static const std::vector<KnownDifference> rows =
      read_known_differences("assets/known-differences.yaml", kKnownDifferencesYaml);
  return rows;
}

const KnownDifference* explain(const Judgement& judgement, const std::vector<KnownDifference>& known) {
  if (judgement.differences.empty()) {
    return nullptr;
  }
  const scenario::Difference& first = judgement.differences.front();
  const auto& entries = judgement.model.entries;
  const auto entry =
      std::find_if(entries.begin(), entries.end(), [&](const scenario::Entry& e) { return e.step == first.step; });
  const std::string call = entry == entries.end() ? "" : entry->call;
  for (const KnownDifference& row : known) {
    if ((row.field.empty() || row.field == first.field) && std::regex_search(call, row.call) &&
        std::regex_match(first.model, row.model) && std::regex_match(first.kernel, row.kernel)) {
      return &row;
    }
  }
  return nullptr;
}

}  // namespace wakepath::proof
