#pragma once

#include <cstdint>

namespace wakepath::os {

extern const bool has_even_counter;  ///< CPUID 8000'0007h, EDX bit 8: the TSC has one rate whatever the processor does
uint64_t slow_stamp();

/// The processor's own clock where it runs evenly (x86 with an invariant TSC), else CLOCK_MONOTONIC: some 8 ns.
/// Stamps say when; which of two calls came first, their tickets say.
inline uint64_t stamp() {
#ifdef __x86_64__
  if (has_even_counter) return __builtin_ia32_rdtsc();
#endif
  return slow_stamp();
}

/// CLOCK_MONOTONIC of stamps, in nanoseconds. How fast stamps go is measured once for the process, in 2 ms.
class StampClock {
 public:
  StampClock();
  int64_t ns_of(uint64_t stamp) const {
    return began_ns_ + static_cast<int64_t>(static_cast<double>(static_cast<int64_t>(stamp - began_)) * ns_each_);
  }

 private:
  uint64_t began_;
  int64_t began_ns_;
  double ns_each_;
};

}  // namespace wakepath::os
