// scenarios/LANGUAGE.md says what may stand in a scenario: it names every word there is, and its examples hold.

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "src/scenario/kernel_run.hh"
#include "src/scenario/kernel_versions.hh"
#include "src/scenario/model_machine.hh"
#include "src/scenario/parser.hh"
#include "src/scenario/signatures.hh"
#include "src/scenario/text_output.hh"

namespace wakepath::scenario {
namespace {

std::string text_of(const std::string& path) {
  std::ifstream file(WAKEPATH_SOURCE_DIR + path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string page() { return text_of("/scenarios/LANGUAGE.md"); }

/// As a whole word: `read(` is not named by `thread(`, nor EPOLLRDHUP by EPOLLRDHUPS.
bool names(const std::string& text, std::string_view word) {
  const auto part_of_word = [&](size_t at) {
    return at < text.size() && (std::isalnum(static_cast<unsigned char>(text[at])) != 0 || text[at] == '_');
  };
  for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    const bool ends = word.back() == '(' || !part_of_word(at + word.size());
    if (ends && !(at > 0 && part_of_word(at - 1))) {
      return true;
    }
  }
  return false;
}

TEST(ScenarioLanguage, ItsPageNamesEveryCall) {
  const std::string text = page();
  for (const std::string_view name : call_names()) {
    EXPECT_TRUE(names(text, std::string(name) + "(")) << name;
  }
}

TEST(ScenarioLanguage, ItsPageNamesEveryWordOfC) {
  const std::string text = page();
  for (int set = 0; set <= static_cast<int>(Words::mask_how); ++set) {
    for (const std::string_view word : names_of(static_cast<Words>(set))) {
      EXPECT_TRUE(names(text, word)) << word << ", " << describe(static_cast<Words>(set));
    }
  }
}

TEST(ScenarioLanguage, ItsPageNamesEveryPointerAndWhatMayStandBehindTheArguments) {
  const std::string text = page();
  for (const std::string word : {"NULL", "OUTSIDE"}) {
    EXPECT_TRUE(names(text, word)) << word;
  }
  for (const Signature& signature : signatures()) {
    for (const std::string_view word : signature.keywords) {
      EXPECT_NE(text.find(std::string(word) + "="), std::string::npos) << word;
    }
  }
}

TEST(ScenarioLanguage, ItsPageNamesEveryKey) {
  const std::string text = page();
  const nlohmann::json schema = nlohmann::json::parse(text_of("/assets/schema/scenario.schema.json"));
  const nlohmann::json& parts = schema["definitions"];
  for (const nlohmann::json& keys : {schema["properties"], parts["step"]["properties"], parts["ask"]["properties"]}) {
    for (const auto& [key, unused] : keys.items()) {
      EXPECT_TRUE(names(text, key)) << key;
    }
  }
}

std::vector<std::string> examples() {
  const std::string text = page();
  const std::string begin = "```yaml\nwakepath:";
  std::vector<std::string> found;
  for (size_t at = text.find(begin); at != std::string::npos; at = text.find(begin, at + 1)) {
    const size_t start = text.find('\n', at) + 1;
    found.push_back(text.substr(start, text.find("\n```", start) + 1 - start));
  }
  return found;
}

TEST(ScenarioLanguage, TheExamplesOfItsPageHoldOnBothMachines) {
  const std::vector<std::string> all = examples();
  EXPECT_EQ(all.size(), 5u);
  for (const std::string& text : all) {
    const auto parsed = parse("LANGUAGE.md", text);
    ASSERT_TRUE(std::holds_alternative<Scenario>(parsed)) << std::get<Problem>(parsed).text() << '\n' << text;
    const Scenario& scenario = std::get<Scenario>(parsed);
    const FileResult model = run_on_model(scenario, {});
    EXPECT_TRUE(model.ok) << text;
    const FileResult kernel = run_on_kernel(scenario, {});
    if (!kernel.skipped) {
      EXPECT_TRUE(judge(model, kernel).failing.empty()) << text_comparison(model, kernel, {});
    }
  }
}

}  // namespace
}  // namespace wakepath::scenario
