#pragma once

#include <cstdint>
#include <vector>

namespace wakepath::bench {

/// CPU time of this thread, user and system, in ns. What runs in softirq on our system calls' stack counts, what others
/// do on the machine does not: figures stay comparable while it is busy.
[[nodiscard]] std::uint64_t thread_cpu_ns();

/// CPU ns that `work` takes.
template <class Work>
[[nodiscard]] double cpu_ns_of(Work work) {
  std::uint64_t begin = thread_cpu_ns();
  work();
  return static_cast<double>(thread_cpu_ns() - begin);
}

/// Memory of this process that is in use now, in bytes (resident, /proc/self/statm).
[[nodiscard]] std::uint64_t resident_bytes();
/// Gives back to the system what the allocator holds and nobody uses.
void trim_heap();

/// The middle value; 0 of none. For an even number the lower one.
[[nodiscard]] double median(std::vector<double> values);
/// The value that `share` of them do not exceed: percentile(times, 0.99).
[[nodiscard]] double percentile(std::vector<double> values, double share);

}  // namespace wakepath::bench
