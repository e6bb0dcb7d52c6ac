// A few hundred random programs with a fresh seed, on the model and on the running kernel. The seed is printed; a
// program that differs is printed as a scenario file, shrunk. None may: what is known and explained is listed in
// assets/known-differences.yaml, and what older kernels do in assets/kernel-versions.yaml.

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <cstdlib>
#include <random>

#include "src/proof/fuzz.hh"

namespace wakepath::proof {
namespace {

std::uint64_t fresh_seed() {
  const char* given = std::getenv("WAKEPATH_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()() % 1'000'000;
}

class RandomProgramsOnBothMachines : public testing::TestWithParam<int> {};

TEST_P(RandomProgramsOnBothMachines, GiveTheSame) {
  FuzzOptions options;
  options.seed = fresh_seed();
  options.count = 75;
  options.first = static_cast<std::uint64_t>(GetParam()) * options.count;
  options.shrink_tries = 60;
  fmt::print("seed {}, programs {} to {}\n", options.seed, options.first, options.first + options.count - 1);
  std::string not_run;
  FuzzListener listener;
  listener.failed = [&](const Failure& f) {
    if (f.kind == "not run") {
      not_run = f.story;
      return;
    }
    if (f.kind == "explained" || f.kind == "unsteady" || f.kind == "not judged") {
      fmt::print("program {} of seed {} {}\n{}", f.index, options.seed, f.kind, f.story);
      return;
    }
    fmt::print("program {} of seed {} {}\n{}{}\n", f.index, options.seed, f.kind, f.story, f.file);
    ADD_FAILURE() << "program " << f.index << " of seed " << options.seed << " " << f.kind;
  };
  listener.progress = [](const FuzzReport&) {};
  const FuzzReport report = fuzz(options, listener);
  if (!not_run.empty()) {
    GTEST_SKIP() << not_run;
  }
  EXPECT_EQ(report.programs, options.count);
  EXPECT_TRUE(all_stand(report));
}

INSTANTIATE_TEST_SUITE_P(Batch, RandomProgramsOnBothMachines, testing::Range(0, 4));

}  // namespace
}  // namespace wakepath::proof
