#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "src/proof/judge.hh"

/// Errors by state: each call on a descriptor in each situation. Nothing is typed in about what a call should give:
/// each case is a little program that runs on the kernel and on the model.

namespace wakepath::proof {

/// How a descriptor comes into a state.
struct Situation {
  std::string name;
  std::vector<ProgramStep> steps;  ///< the descriptor is called x, its owner a
};
const std::vector<Situation>& situations();
/// Calls on x, as they stand in a file: "listen(x, 8)"; or several, parted by "; ".
const std::vector<std::string>& calls_on_a_descriptor();

/// What a call gave in a situation.
struct Cell {
  std::string situation, call;
  std::string model, kernel;  ///< `-1 EINVAL`, `5`, `blocks`: of the first call
  Judgement judgement;
};
/// Runs one case.
Cell try_call(const Situation& situation, const std::string& call);

}  // namespace wakepath::proof
