#include "sim/trace/density.hh"

#include <gtest/gtest.h>

#include <random>

#include "tests/trace/toy.hh"

namespace wakepath::trace {
namespace {

Counts counted(const Trace& trace, Position from, Position to) {
  Counts counts{};
  for (Position p = from; p < std::min(to, trace.size()); ++p)
    ++counts[static_cast<std::size_t>(Density::count_of(trace.schema(), trace[p]))];
  return counts;
}

class DensityOfAToy : public ::testing::Test {
 protected:
  DensityOfAToy() {
    toy::fill(trace, 20000, 41);
    density.update();
  }
  Trace trace{toy::schema()};
  Density density{trace};
  std::mt19937 random{42};
};

TEST_F(DensityOfAToy, CountsAnyRangeAsOneWouldByHand) {
  for (int i = 0; i < 300; ++i) {
    Position from = random() % (trace.size() + 10);
    Position to = from + random() % 3000;
    ASSERT_EQ(density.between(from, to), counted(trace, from, to)) << from << " to " << to;
  }
  EXPECT_EQ(density.between(0, ~Position{0}), counted(trace, 0, trace.size()));
  EXPECT_EQ(density.between(50, 50), Counts{});
}

TEST_F(DensityOfAToy, SharesARangeIntoBinsWithoutLosingARecord) {
  for (std::size_t bins : {1u, 3u, 64u, 1000u, 30000u}) {
    Position from = random() % 1000;
    Position to = trace.size() - random() % 1000;
    std::vector<Counts> parts = density.bins(from, to, bins);
    ASSERT_EQ(parts.size(), bins);
    Counts sum{};
    for (const Counts& part : parts)
      for (std::size_t i = 0; i < kCounts; ++i) sum[i] += part[i];
    EXPECT_EQ(sum, counted(trace, from, to)) << bins << " bins";
    for (Position p : {from, (from + to) / 2, to - 1}) {
      std::size_t bin = (p - from) * bins / (to - from);
      auto count = static_cast<std::size_t>(Density::count_of(trace.schema(), trace[p]));
      EXPECT_GE(parts[bin][count], 1u) << "record " << p << " of " << bins << " bins";
    }
  }
}

TEST_F(DensityOfAToy, GrowsWithTheTrace) {
  toy::fill(trace, 21000, 43);
  Position before = density.seen();
  density.update();
  EXPECT_GT(density.seen(), before);
  EXPECT_EQ(density.between(0, trace.size()), counted(trace, 0, trace.size()));
}

}  // namespace
}  // namespace wakepath::trace
