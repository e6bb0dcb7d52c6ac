#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "src/scenario/json_output.hh"
#include "src/scenario/runner.hh"

namespace wakepath::trace {
class Trace;
}

namespace wakepath::scenario {

/// What a run on the model is held against, for its trace to say.
struct Comparison {
  std::string with;                                ///< "Linux 6.18.44"
  std::map<int, std::vector<Difference>> by_step;  ///< where that one gave something else
};

struct Compared {
  FileResult model;
  std::string alone;  ///< why it was not compared; empty: it was
};

/// Runs a scenario on the running kernel, in not more than the time that it takes there, and on the model. The trace
/// says with what it was compared, and each difference stands at the end of its step. What no kernel of this machine
/// can be asked (only: model, a wait of more than 5 s, an older Linux) runs on the model alone.
Compared run_compared(const Scenario& scenario, const RunOptions& options, std::shared_ptr<trace::Trace>* trace);

}  // namespace wakepath::scenario
