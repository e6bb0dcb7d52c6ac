#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "src/bench/figures.hh"

/// The benchmarks: what a run costs, beside the same work on the running kernel, and what a trace costs its readers.

namespace wakepath::bench {

struct Options {
  bool quick = false;                 ///< smaller numbers, for a look: seconds
  std::size_t endpoints = 1'000'000;  ///< of the large epoll set
  std::size_t records = 10'000'000;   ///< of the long trace
  std::function<void(const std::string&)> progress = [](const std::string&) {};
};

struct Report {
  Figures figures;
  std::vector<std::string> notes;
};

/// Connections a second, memory of endpoints, cost of a recorded write. Throws std::runtime_error when this machine
/// does not let the work be done (descriptors, ports), or when the model does something else than the kernel.
[[nodiscard]] Report bench_sim(const Options& options);
/// A long recording: opening, seeking, scrubbing, questions. Throws std::runtime_error when it cannot be written.
[[nodiscard]] Report bench_trace(const Options& options);

}  // namespace wakepath::bench
