#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "src/scenario/signatures.hh"

namespace wakepath::scenario {
namespace {

TEST(ScenarioSchema, KnowsTheCallsThatTheParserKnows) {
  std::ifstream file(WAKEPATH_SOURCE_DIR "/assets/schema/scenario.schema.json");
  const nlohmann::json schema = nlohmann::json::parse(file);
  std::vector<std::string> calls;
  for (const std::string_view name : call_names()) {
    calls.emplace_back(name);
  }
  EXPECT_EQ(schema["definitions"]["callName"]["enum"].get<std::vector<std::string>>(), calls);
}

}  // namespace
}  // namespace wakepath::scenario
