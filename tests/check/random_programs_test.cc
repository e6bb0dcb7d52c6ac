// The model must survive every sequence of calls: no BUG, no hang, the invariants hold after each call, nothing is
// left.
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/check/random_program.hh"

namespace wakepath::check {
namespace {

constexpr int kCalls = 40;
constexpr std::uint64_t kBatches = 20;
#if defined(__SANITIZE_ADDRESS__)
constexpr std::uint64_t kBatch = 20;
#else
constexpr std::uint64_t kBatch = 100;
#endif

class RandomPrograms : public testing::TestWithParam<std::uint64_t> {};

TEST_P(RandomPrograms, LeaveTheModelSound) {
  for (std::uint64_t seed = GetParam() * kBatch; seed < (GetParam() + 1) * kBatch; ++seed) {
    RandomProgram program(seed);
    std::vector<std::string> complaints = program.run(kCalls);
    ASSERT_TRUE(complaints.empty()) << "seed " << seed << ": " << complaints.front() << "\n" << program.text();
  }
}

INSTANTIATE_TEST_SUITE_P(Batch, RandomPrograms, testing::Range<std::uint64_t>(0, kBatches));

/// WAKEPATH_SEED=N runs one program and prints it: for looking at a failure.
TEST(RandomProgram, OfTheEnvironment) {
  const char* seed = std::getenv("WAKEPATH_SEED");
  if (seed == nullptr) GTEST_SKIP() << "WAKEPATH_SEED is not set";
  RandomProgram program(std::strtoull(seed, nullptr, 10));
  std::vector<std::string> complaints = program.run(kCalls);
  std::printf("%s", program.text().c_str());
  for (const std::string& complaint : complaints) ADD_FAILURE() << complaint;
}

}  // namespace
}  // namespace wakepath::check
