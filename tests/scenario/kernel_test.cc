#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "src/scenario/kernel_run.hh"
#include "src/scenario/parser.hh"
#include "src/scenario/text_output.hh"

namespace wakepath::scenario {
namespace {

std::vector<std::string> scenario_files() {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(WAKEPATH_SOURCE_DIR "/scenarios")) {
    if (entry.path().extension() == ".yaml") {
      files.push_back(entry.path().string());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

class OnTheKernel : public testing::TestWithParam<std::string> {};

TEST_P(OnTheKernel, EveryStepIsAsTheFileSays) {
  const auto parsed = parse_file(GetParam());
  ASSERT_TRUE(std::holds_alternative<Scenario>(parsed)) << std::get<Problem>(parsed).text();
  const Scenario& file = std::get<Scenario>(parsed);
  const FileResult result = run_on_kernel(file, {});
  if (result.skipped) {
    GTEST_SKIP() << *result.skipped;
  }
  EXPECT_TRUE(result.ok) << text_report(file, result, {});
}

INSTANTIATE_TEST_SUITE_P(Scenario, OnTheKernel, testing::ValuesIn(scenario_files()), [](const auto& row) {
  std::string name = std::filesystem::path(row.param).stem().string();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

}  // namespace
}  // namespace wakepath::scenario
