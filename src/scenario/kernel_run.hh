#pragma once

#include "src/scenario/runner.hh"

namespace wakepath::scenario {

/// Runs a scenario on the running kernel, in a child process that is killed at the end and after 60 s at the latest.
FileResult run_on_kernel(const Scenario& scenario, const RunOptions& options);

}  // namespace wakepath::scenario
