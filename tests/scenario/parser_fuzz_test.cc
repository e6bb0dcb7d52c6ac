// Damages the scenario files in ways that are the same in every run: the parser must answer each time, with a scenario
// or with a message that has a place.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "src/scenario/parser.hh"
#include "tests/scenario_files.hh"

namespace wakepath::scenario {
namespace {

std::vector<std::string> texts() {
  std::vector<std::string> out;
  for (const auto& path : test::scenario_files({"/scenarios"})) {
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    out.push_back(text.str());
  }
  return out;
}

/// An answer with a place in the file, or a scenario.
void must_answer(const std::string& text, const std::string& how) {
  const auto parsed = parse("damaged.yaml", text);
  if (const auto* problem = std::get_if<Problem>(&parsed)) {
    const auto lines = std::count(text.begin(), text.end(), '\n') + 1;
    ASSERT_GE(problem->at.line, 1) << how << ": " << problem->text();
    ASSERT_LE(problem->at.line, lines) << how << ": " << problem->text();
    ASSERT_GE(problem->at.column, 1) << how << ": " << problem->text();
    ASSERT_FALSE(problem->found.empty()) << how;
  }
}

TEST(ScenarioFuzz, ATruncatedFileGetsAnAnswer) {
  size_t first = 0;  // another one for each file, so that together they are cut everywhere
  for (const std::string& text : texts()) {
    for (size_t length = first++; length < text.size(); length += 31) {
      must_answer(text.substr(0, length), "cut at " + std::to_string(length));
    }
  }
}

TEST(ScenarioFuzz, ADamagedFileGetsAnAnswer) {
  static const std::string kTroublemakers = "{}[]\"'|>&*#:,-?!%@`=()\n\t \\~x0";
  for (unsigned seed = 1; seed <= 80; ++seed) {
    for (std::string text : texts()) {
      std::mt19937 random(seed);
      const unsigned count = 1 + random() % 4;
      for (unsigned i = 0; i < count; ++i) {
        const size_t at = random() % text.size();
        switch (random() % 4) {
          case 0:
            text[at] = static_cast<char>(random());
            break;
          case 1:
            text[at] = kTroublemakers[random() % kTroublemakers.size()];
            break;
          case 2:
            text.erase(at, 1 + random() % 20);
            break;
          default:
            text.insert(at, 1, kTroublemakers[random() % kTroublemakers.size()]);
        }
      }
      must_answer(text, "seed " + std::to_string(seed));
    }
  }
}

TEST(ScenarioFuzz, DeepNestingGetsAnAnswer) {
  must_answer("wakepath: 1\ntitle: " + std::string(5000, '['), "brackets");
  must_answer("wakepath: 1\ntitle: " + std::string(5000, '{'), "braces");
  std::string indents = "wakepath: 1\ntitle:\n";
  for (size_t i = 1; i < 200; ++i) {
    indents += std::string(i, ' ') + "a:\n";
  }
  must_answer(indents, "indents");
}

}  // namespace
}  // namespace wakepath::scenario
