#pragma once

#include <functional>

#include <nlohmann/json_fwd.hpp>

#include "src/proof/fuzz.hh"
#include "src/proof/program.hh"

namespace wakepath::proof {

/// What a worker process does: every `stride`-th program of the series from `first` on; tells the parent about each by
/// a JSON object: `{"begin": N}`, then `{"end": N, …}`.
void work(const FuzzOptions& options, std::uint64_t first, std::uint64_t stride,
          const std::function<void(const nlohmann::json&)>& tell);

/// The program with that index, which brings the model down: made again in a process of its own, step by step, then
/// shrunk.
Failure crashed(const FuzzOptions& options, std::uint64_t index, int signal);

}  // namespace wakepath::proof
