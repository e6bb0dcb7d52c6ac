// Stories whose results are all written `?`: what counts is that the modelled kernel and the running one give the same.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "src/scenario/json_output.hh"
#include "src/scenario/kernel_run.hh"
#include "src/scenario/kernel_versions.hh"
#include "src/scenario/model_machine.hh"
#include "src/scenario/parser.hh"
#include "src/scenario/text_output.hh"
#include "tests/scenario_files.hh"

namespace wakepath::scenario {
namespace {

std::vector<std::filesystem::path> stories() { return test::scenario_files({"/tests/scenario/stories"}); }

/// Linux's timers of a second run together when they were armed within the same 32 ms, counted from when it booted:
/// once in a while two calls lie on both sides of such a border. And on a busy machine a loss probe comes sooner or
/// later than a delayed ACK, and an ACK finds its socket free.
bool depends_on_the_moment(const std::string& file) {
  constexpr std::array kNames = {"/timers-of-one-tick.yaml", "/needless-probe-is-told.yaml",
                                 "/partly-acked-segment-gives-room.yaml", "/blocked-send-then-a-reset.yaml",
                                 "/acks-join-on-the-backlog.yaml"};
  return std::any_of(kNames.begin(), kNames.end(), [&file](const char* name) { return file.ends_with(name); });
}

class Story : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(Story, IsTheSameOnBothMachines) {
  const auto parsed = parse_file(GetParam());
  ASSERT_TRUE(std::holds_alternative<Scenario>(parsed)) << std::get<Problem>(parsed).text();
  const Scenario& scenario = std::get<Scenario>(parsed);
  const FileResult model = run_on_model(scenario, {});
  ASSERT_FALSE(model.skipped) << *model.skipped;
  FileResult kernel = run_on_kernel(scenario, {});
  if (kernel.skipped) {
    GTEST_SKIP() << *kernel.skipped;
  }
  for (int more = depends_on_the_moment(GetParam()) ? 3 : 0; more > 0 && !judge(model, kernel).failing.empty();
       --more) {
    kernel = run_on_kernel(scenario, {});
  }
  ASSERT_FALSE(kernel.error) << kernel.error->text();
  EXPECT_EQ(kernel.entries.size(), model.entries.size());
  EXPECT_TRUE(judge(model, kernel).failing.empty()) << text_comparison(model, kernel, {});
}

class StoryOfOneOrder : public testing::TestWithParam<std::filesystem::path> {};

/// Without those in which two woken threads race for the same bytes or the same error: there the order of CPUs decides.
std::vector<std::filesystem::path> stories_of_one_order() {
  std::vector<std::filesystem::path> files = stories();
  std::erase_if(files, [](const std::string& file) {
    return file.ends_with("/two-readers-a-byte-each.yaml") || file.ends_with("/connect-ended-by-another.yaml");
  });
  return files;
}

TEST_P(StoryOfOneOrder, IsTheSameOnSeveralModelledCpus) {
  Scenario scenario = std::get<Scenario>(parse_file(GetParam()));
  const FileResult one = run_on_model(scenario, {});
  scenario.cpus = 3;
  const FileResult several = run_on_model(scenario, {});
  EXPECT_TRUE(judge(several, one).failing.empty()) << text_comparison(several, one, {});
}

/// Stories under limits of the whole machine, which most machines will not change for a test.
class StoryOfTheMachine : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(StoryOfTheMachine, GoesAsItsFileSaysOnTheModelAndOnAKernelThatMayBeChanged) {
  const Scenario scenario = std::get<Scenario>(parse_file(GetParam()));
  const FileResult model = run_on_model(scenario, {});
  EXPECT_TRUE(model.ok) << text_report(scenario, model, {});
  const FileResult kernel = run_on_kernel(scenario, {});
  if (kernel.skipped) {
    GTEST_SKIP() << *kernel.skipped;
  }
  EXPECT_TRUE(judge(model, kernel).failing.empty()) << text_comparison(model, kernel, {});
}

INSTANTIATE_TEST_SUITE_P(Scenario, StoryOfTheMachine,
                         testing::ValuesIn(test::scenario_files({"/tests/scenario/machine"})), test::name_of_file);
INSTANTIATE_TEST_SUITE_P(Scenario, Story, testing::ValuesIn(stories()), test::name_of_file);
INSTANTIATE_TEST_SUITE_P(Scenario, StoryOfOneOrder, testing::ValuesIn(stories_of_one_order()), test::name_of_file);

}  // namespace
}  // namespace wakepath::scenario
