#include "src/bench/server/latencies.hh"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>

namespace wakepath::bench {

std::size_t Latencies::bucket_of(int64_t ns) {
  const auto value = static_cast<uint64_t>(std::max<int64_t>(ns, 0));
  if (value < kFine) return value;
  const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - 1 - kFineBits;
  const std::size_t bucket = (std::size_t{shift} + 1) * kFine + ((value >> shift) - kFine);
  return std::min(bucket, std::size_t{kFine} * 40 - 1);
}

double Latencies::middle_of(std::size_t bucket) {
  if (bucket < kFine) return static_cast<double>(bucket);
  const std::size_t shift = bucket / kFine - 1;
  return (static_cast<double>(bucket % kFine + kFine) + 0.5) * std::ldexp(1.0, static_cast<int>(shift)) - 0.5;
}

double Latencies::percentile(double share) const {
  if (count_ == 0) return 0;
  const auto wanted = static_cast<uint64_t>(share * static_cast<double>(count_ - 1));
  uint64_t seen = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen > wanted) return middle_of(i);
  }
  return middle_of(counts_.size() - 1);
}

}  // namespace wakepath::bench
