// What must always hold does so after every step of every story, and nothing is left when all have exited.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "src/proof/judge.hh"
#include "src/scenario/parser.hh"

namespace wakepath::proof {
namespace {

std::vector<std::string> stories() {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(WAKEPATH_SOURCE_DIR "/tests/scenario/stories")) {
    files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

class Invariants : public testing::TestWithParam<std::string> {};

TEST_P(Invariants, HoldAfterEveryStep) {
  const auto parsed = scenario::parse_file(GetParam());
  EXPECT_THAT(run_checked(std::get<scenario::Scenario>(parsed), {}).complaints, testing::IsEmpty());
}

std::string name_of(const testing::TestParamInfo<std::string>& row) {
  std::string name = std::filesystem::path(row.param).stem().string();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Of, Invariants, testing::ValuesIn(stories()), name_of);

}  // namespace
}  // namespace wakepath::proof
