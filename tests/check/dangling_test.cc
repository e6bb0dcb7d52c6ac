// What lives points only to what lives: whenever a system call returns, no freed object can be reached any more.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/check/check_pointers.hh"
#include "tests/check/random_program.hh"

namespace wakepath::check {
namespace {

constexpr int kCallsEach = 40;
constexpr std::uint64_t kPrograms = 50;

TEST(Pointers, OfLivingObjectsLeadToLivingObjects) {
  for (std::uint64_t seed = 0; seed < kPrograms; ++seed) {
    RandomProgram program(seed);
    ASSERT_TRUE(program.run(kCallsEach).empty());
    std::uint64_t looked_at = 0;
    EXPECT_THAT(check_pointers(program.trace(), &looked_at), testing::IsEmpty()) << "seed " << seed << "\n"
                                                                                 << program.text();
    EXPECT_GT(looked_at, 100u);
  }
}

}  // namespace
}  // namespace wakepath::check
