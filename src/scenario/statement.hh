#pragma once

#include <functional>

#include "src/scenario/machine.hh"
#include "src/scenario/outcome.hh"
#include "src/scenario/scope.hh"

namespace wakepath::scenario {

/// Whether what an `expect` says is so now. Throws FileError where a name or a field does not exist.
class Statement {
 public:
  /// `blocked_in`: the call in which an actor is blocked, or "none".
  using BlockedIn = std::function<std::string(const std::string& actor)>;
  Statement(int step, Scope& scope, Machine& machine, BlockedIn blocked_in)
      : step_(step), scope_(scope), machine_(machine), blocked_in_(std::move(blocked_in)) {}

  Entry::Truth truth(const Expectation& e);
  /// What its terms are now, in words: "c.state is ESTABLISHED".
  std::string seen(const Expectation& e);

 private:
  std::string seen(const Term& term);
  std::string word_of(const Term& term) const;
  Observation value(const Term& term);
  Entry::Truth membership(const Expectation& e);

  int step_;
  Scope& scope_;
  Machine& machine_;
  BlockedIn blocked_in_;
};

}  // namespace wakepath::scenario
