#pragma once

#include <functional>
#include <string>
#include <vector>

#include "src/proof/program.hh"
#include "src/scenario/json_output.hh"
#include "src/scenario/kernel_versions.hh"
#include "src/scenario/outcome.hh"

namespace wakepath::proof {

/// What the model gave for a program, and what it broke on the way.
struct ModelRun {
  scenario::FileResult result;
  /// Invariants of sim/check that did not hold, after which step; and what was left when everybody had exited.
  std::vector<std::string> complaints;
};

/// What the model is held against.
struct Reference {
  std::function<scenario::FileResult(const scenario::Scenario&)> run;
  scenario::HostKernel host;  ///< what may be excused: see src/scenario/kernel_versions.hh
};
Reference running_kernel();
/// The model without its deliberate fault, as if it were a kernel of the version that it follows: shows what a fault
/// changes where the running kernel is too old to be held against the model.
Reference faultless_model();

struct JudgeOptions {
  std::string mutant;      ///< a deliberate fault of the model, by name; empty: none
  bool invariants = true;  ///< ask sim/check after every step
  bool pointers = false;   ///< and, at the end, whether a pointer ever led to a freed object
  long cpus = 1;           ///< of the model
  int kernel_runs = 3;     ///< so many runs on the kernel before a difference counts: it must show in each
  Reference reference = running_kernel();
};

ModelRun run_checked(const scenario::Scenario& scenario, const JudgeOptions& options);

struct Judgement {
  enum class Kind {
    agrees,      ///< in the first run
    unsteady,    ///< in a later run: the kernel itself gave different results from run to run
    differs,     ///< the model and the kernel gave different results
    listed,      ///< they did, and assets/kernel-versions.yaml says so of the running version
    not_judged,  ///< they did, and the running kernel is older than those that are judged
    broken,      ///< an invariant of the model did not hold
    invalid,     ///< the program is no program: a name that nothing binds, a call by somebody who is blocked
    not_run,     ///< the running kernel could not run it; see `why_not`
  };
  Kind kind = Kind::agrees;
  std::string why_not;
  /// Of the last run that was not like the model; of one that differs those that count.
  std::vector<scenario::Difference> differences;
  std::vector<std::string> excused;  ///< in words, what the version of the kernel excuses
  std::vector<std::string> complaints;
  scenario::FileResult model, kernel;

  /// `epoll_wait.events`: the call and the field of the first difference; of a broken one its complaint without
  /// numbers. What a shrunk program must still show.
  [[nodiscard]] std::string fingerprint() const;
};

/// Whether the kernel's version leaves nothing to be held against the model.
[[nodiscard]] bool stands(Judgement::Kind kind);

/// Runs a program on both machines and compares call by call. What the running version excuses does not count, nor what
/// comes after a call that, for a listed reason, did something else there.
Judgement judge(const Program& program, const JudgeOptions& options);

}  // namespace wakepath::proof
