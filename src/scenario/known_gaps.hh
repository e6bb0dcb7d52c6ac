#pragma once

#include <string>
#include <vector>

#include "src/scenario/ast.hh"
#include "src/scenario/outcome.hh"

namespace wakepath::scenario {

/// A file differs between model and kernel: what is known to be left out of the model that can be the reason, in words,
/// with the way round it. Empty: nothing that is known fits this run.
std::vector<std::string> known_gaps(const Scenario& scenario, const FileResult& kernel);

}  // namespace wakepath::scenario
