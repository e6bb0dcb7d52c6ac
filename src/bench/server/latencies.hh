#pragma once

#include <array>
#include <cstdint>

namespace wakepath::bench {

/// How long things took, counted in buckets of 3 % of their width: an addition each, whatever the number.
class Latencies {
 public:
  void add(int64_t ns) {
    ++counts_[bucket_of(ns)];
    ++count_;
  }
  [[nodiscard]] uint64_t count() const { return count_; }
  /// The time in ns that `share` of them do not exceed, within 3 %; 0 of none.
  [[nodiscard]] double percentile(double share) const;

 private:
  static constexpr unsigned kFineBits = 5;  // 32 buckets for each power of two
  static constexpr unsigned kFine = 1u << kFineBits;
  static std::size_t bucket_of(int64_t ns);
  static double middle_of(std::size_t bucket);

  std::array<uint32_t, kFine * 40> counts_{};
  uint64_t count_ = 0;
};

}  // namespace wakepath::bench
