#pragma once

#include <string>
#include <vector>

#include "src/proof/program.hh"
#include "src/scenario/json_output.hh"
#include "src/scenario/outcome.hh"

namespace wakepath::proof {

/// What the model gave for a program, and what it broke on the way.
struct ModelRun {
  scenario::FileResult result;
  /// Invariants of sim/check that did not hold, after which step; and what was left when everybody had exited.
  std::vector<std::string> complaints;
};

struct JudgeOptions {
  std::string mutant;      ///< a deliberate fault of the model, by name; empty: none
  bool invariants = true;  ///< ask sim/check after every step
  int kernel_runs = 3;     ///< so many runs on the kernel before a difference counts: it must show in each
};

ModelRun run_checked(const scenario::Scenario& scenario, const JudgeOptions& options);

struct Judgement {
  enum class Kind {
    agrees,
    differs,  ///< the model and the kernel gave different results
    broken,   ///< an invariant of the model did not hold
    invalid,  ///< the program is no program: a name that nothing binds, a call by somebody who is blocked
    not_run,  ///< the running kernel could not run it; see `why_not`
  };
  Kind kind = Kind::agrees;
  bool unsteady = false;  ///< the kernel itself gave different results from run to run
  std::string why_not;
  std::vector<scenario::Difference> differences;
  std::vector<std::string> complaints;
  scenario::FileResult model, kernel;

  /// `epoll_wait.events`: the call and the field of the first difference; of a broken one its complaint without
  /// numbers. What a shrunk program must still show.
  [[nodiscard]] std::string fingerprint() const;
};

/// Runs a program on both machines and compares call by call.
Judgement judge(const Program& program, const JudgeOptions& options);

}  // namespace wakepath::proof
