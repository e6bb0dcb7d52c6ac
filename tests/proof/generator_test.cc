// The same seed makes the same program; a series of programs reaches what it must, on the model alone.

#include <gtest/gtest.h>

#include <fmt/format.h>

#include "src/proof/coverage.hh"
#include "src/proof/generator.hh"

namespace wakepath::proof {
namespace {

TEST(Generator, MakesTheSameProgramForTheSameSeed) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const std::string once = generate(seed, 40).program.yaml("p", "");
    EXPECT_EQ(once, generate(seed, 40).program.yaml("p", ""));
    EXPECT_NE(once, generate(seed + 100, 40).program.yaml("p", ""));
  }
}

TEST(Generator, WritesFilesThatParse) {
  for (std::uint64_t i = 0; i < 100; ++i) {
    const Generated made = generate(mix(42, i), 40);
    EXPECT_FALSE(made.result.error) << made.result.error->text();
    const auto parsed = made.program.parsed();
    const auto* problem = std::get_if<scenario::Problem>(&parsed);
    EXPECT_EQ(problem, nullptr) << problem->text() << "\n" << made.program.yaml("p", "");
  }
}

TEST(Generator, ReachesWhatASeriesMustReach) {
  Coverage coverage;
  for (std::uint64_t i = 0; i < 400; ++i) {
    coverage.add(generate(mix(7, i), 40));
  }
  for (const std::string& sentence : coverage.missing()) {
    ADD_FAILURE() << sentence;
  }
  if (HasFailure()) {
    fmt::print("{}", coverage.text());
  }
}

}  // namespace
}  // namespace wakepath::proof
