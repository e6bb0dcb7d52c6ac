#pragma once

#include <functional>

#include "src/scenario/ast.hh"
#include "src/scenario/machine.hh"
#include "src/scenario/outcome.hh"

namespace wakepath::scenario {

struct Comparison;

struct RunOptions {
  bool slow = false;  ///< run files that wait for more than 5 s
  std::string views;  ///< a folder for the kernel's own texts at each mark (views.hh); empty: none
  /// On the model: gets every packet that is sent (headers and data), with the model's time in ns and the step.
  std::function<void(uint64_t time_ns, const std::string& packet, const Step* step)> tap;
  const Comparison* comparison = nullptr;  ///< On the model: what its trace says of another machine (compared.hh).
};

/// Runs a scenario on a machine. Exceptions of the machine (Unavailable, Skip) become part of the result.
FileResult run(const Scenario& scenario, Machine& machine, const RunOptions& options);

/// Steps that are made while they run: what comes next may depend on what came out so far.
class StepSource {
 public:
  virtual ~StepSource() = default;
  /// The next step, numbered from 1; it stays where it is until the run has ended. Null: the end.
  virtual const Step* next(const std::vector<Entry>& so_far) = 0;
};

/// Runs the steps of `source` instead of the scenario's own, which has none. A machine that does not know a call is the
/// source's to avoid (Machine::unknown()).
FileResult run(const Scenario& setting, Machine& machine, StepSource& source);

/// Why a machine does not run this file at all (only:, slow, a call it does not know); nothing when it does.
/// `unavailable` is set when the machine is to blame.
std::optional<std::string> not_run(const Scenario& scenario, const Machine& machine, const RunOptions& options,
                                   bool& unavailable);

}  // namespace wakepath::scenario
