// What must always hold does so after every step of every story, and nothing is left when all have exited.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/proof/judge.hh"
#include "src/scenario/parser.hh"
#include "tests/scenario_files.hh"

namespace wakepath::proof {
namespace {

class Invariants : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(Invariants, HoldAfterEveryStep) {
  const auto parsed = scenario::parse_file(GetParam());
  EXPECT_THAT(run_checked(std::get<scenario::Scenario>(parsed), {}).complaints, testing::IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Of, Invariants, testing::ValuesIn(test::scenario_files({"/tests/scenario/stories"})),
                         test::name_of_file);

}  // namespace
}  // namespace wakepath::proof
