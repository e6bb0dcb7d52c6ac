#include "src/os/stamp.hh"

#include <time.h>

#ifdef __x86_64__
#include <cpuid.h>
#endif

namespace wakepath::os {

namespace {

int64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * int64_t{1'000'000'000} + now.tv_nsec;
}

bool look_for_even_counter() {
#ifdef __x86_64__
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(0x80000007, &a, &b, &c, &d) != 0 && (d & (1U << 8)) != 0;
#else
  return false;
#endif
}

double measure_rate() {
  constexpr int64_t kLongEnoughNs = 2'000'000;
  const int64_t began_ns = monotonic_ns();
  const uint64_t began = stamp();
  int64_t now_ns = began_ns;
  while (now_ns - began_ns < kLongEnoughNs) now_ns = monotonic_ns();
  const uint64_t now = stamp();
  return static_cast<double>(now_ns - began_ns) / static_cast<double>(now - began);
}

}  // namespace

const bool has_even_counter = look_for_even_counter();

uint64_t slow_stamp() { return static_cast<uint64_t>(monotonic_ns()); }

StampClock::StampClock() : began_(stamp()), began_ns_(monotonic_ns()) {
  static const double ns_each = measure_rate();
  ns_each_ = ns_each;
}

}  // namespace wakepath::os
