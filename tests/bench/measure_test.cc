#include "src/bench/measure.hh"

#include <gtest/gtest.h>

#include "src/bench/server/latencies.hh"
#include "src/bench/server/rounds.hh"

namespace wakepath::bench {
namespace {

TEST(Measure, TheMedianIsTheMiddleValueOrTheLowerOfTwo) {
  EXPECT_EQ(median({3, 1, 2}), 2);
  EXPECT_EQ(median({4, 1, 3, 2}), 2);
  EXPECT_EQ(median({}), 0);
}

TEST(Measure, APercentileIsAValueThatSoManyDoNotExceed) {
  std::vector<double> values;
  for (int i = 100; i >= 0; --i) values.push_back(i);
  EXPECT_EQ(percentile(values, 0.99), 99);
  EXPECT_EQ(percentile(values, 0), 0);
  EXPECT_EQ(percentile(values, 1), 100);
}

TEST(Measure, ARatioIsTakenWithinEachRoundBeforeTheMedian) {
  // the machine was twice as slow in the second round, for both
  EXPECT_DOUBLE_EQ(median_ratio({90, 45, 90}, {100, 50, 100}), 0.9);
  EXPECT_EQ(median_ratio({1, 2}, {}), 0);
}

TEST(Latencies, KnowsSmallOnesExactlyAndLargeOnesWithinThreePercent) {
  for (const int64_t ns : std::initializer_list<int64_t>{0, 1, 31, 32, 63}) {
    Latencies one;
    one.add(ns);
    EXPECT_EQ(one.percentile(0.5), static_cast<double>(ns));
  }
  for (const int64_t ns : std::initializer_list<int64_t>{100, 4711, 1'000'000, 9'999'999'999}) {
    Latencies one;
    one.add(ns);
    EXPECT_NEAR(one.percentile(0.5), static_cast<double>(ns), 0.03 * static_cast<double>(ns));
  }
}

TEST(Latencies, APercentileLeavesSoManyBehindIt) {
  Latencies all;
  for (int64_t i = 0; i < 980; ++i) all.add(10);
  for (int64_t i = 0; i < 20; ++i) all.add(60);
  EXPECT_EQ(all.count(), 1000u);
  EXPECT_EQ(all.percentile(0.5), 10);
  EXPECT_EQ(all.percentile(0.979), 10);
  EXPECT_EQ(all.percentile(0.99), 60);
}

TEST(Latencies, WhatLiesBeyondTheLastBucketCountsThere) {
  Latencies one;
  one.add(INT64_MAX);
  EXPECT_GT(one.percentile(0.5), 1e12);
}

}  // namespace
}  // namespace wakepath::bench
