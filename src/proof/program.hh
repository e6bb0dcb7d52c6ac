#pragma once

#include <map>
#include <string>
#include <variant>
#include <vector>

#include "src/scenario/ast.hh"

namespace wakepath::proof {

/// One step of a program, in pieces that the shrinker can take apart.
struct ProgramStep {
  std::string actor;
  std::vector<std::string> targets;  ///< names that it binds
  std::string function;
  std::vector<std::string> args;  ///< as they stand in a file; `data=7` too
  std::string wait;               ///< "50ms": time passes, and nothing else
  std::string signal_to;          ///< an actor that gets SIGUSR1, and nothing else
  bool restart = false;           ///< with SA_RESTART

  /// `x = accept4(l, 0)`
  [[nodiscard]] std::string call() const;
};

/// A program of the scenario language in which every result is left open: what counts is that both machines give the
/// same.
struct Program {
  std::map<std::string, std::string> kernel;  ///< sysctls
  std::vector<ProgramStep> steps;

  /// The file. `about` is for people: where the program comes from.
  [[nodiscard]] std::string yaml(const std::string& title, const std::string& about) const;
  /// As parse() of src/scenario: a program with a name that nothing binds is a Problem.
  [[nodiscard]] std::variant<scenario::Scenario, scenario::Problem> parsed() const;
};

/// Where a draft of the call `f(args…)` reads a name: `addr(server.l)`, `[{ep, POLLIN}]`, `c`. For the shrinker.
[[nodiscard]] bool mentions(const std::string& arg, const std::string& name);

}  // namespace wakepath::proof
