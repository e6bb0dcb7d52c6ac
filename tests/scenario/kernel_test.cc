#include <gtest/gtest.h>

#include "src/scenario/kernel_run.hh"
#include "src/scenario/parser.hh"
#include "src/scenario/text_output.hh"
#include "tests/scenario_files.hh"

namespace wakepath::scenario {
namespace {

class OnTheKernel : public testing::TestWithParam<std::filesystem::path> {};

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

INSTANTIATE_TEST_SUITE_P(Scenario, OnTheKernel, testing::ValuesIn(test::scenario_files({"/scenarios"})),
                         test::name_of_file);

}  // namespace
}  // namespace wakepath::scenario
