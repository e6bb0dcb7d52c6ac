#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "src/scenario/ast.hh"

namespace wakepath::proof {

struct ExploreOptions {
  std::uint64_t most = 20000;   ///< orders that are tried in turn at most
  std::string mutant;           ///< a deliberate fault of the model
  std::uint64_t sample = 5000;  ///< so many more at random, when there are more
  std::uint64_t seed = 1;       ///< of those at random
};

/// One turn of an order: an actor begins its next call, or goes on with the one it is in.
struct Turn {
  std::string actor, call;
  bool begins = false;
  std::string then;  ///< how the turn ended: what the call returned, that it sleeps, or that another may come between
};

/// An order in which something is wrong.
struct BadOrder {
  std::vector<Turn> turns;
  std::vector<std::string> complaints;
};

struct Explored {
  std::uint64_t orders = 0;                      ///< different ones
  std::uint64_t sampled = 0;                     ///< of those at random, beyond those in turn
  std::uint64_t impossible = 0;                  ///< orders in which a call would use what is made later
  bool exhaustive = false;                       ///< there are no others
  std::uint64_t bad = 0;                         ///< orders in which something is wrong
  BadOrder shortest;                             ///< of those: the one with the fewest switches between actors
  std::map<std::string, std::uint64_t> results;  ///< what the calls gave, all together, and in how many orders
  std::string error;                             ///< no order could be tried: why, beginning with the file's name
};

/// Runs the steps before `mark: explore` as they stand, then those behind it in every order that keeps each actor's own
/// order, on the model. A call begins with its first turn, and its arguments are read then. Within a call another actor
/// may come between the first look and the second one of whoever is about to sleep, in whatever it sleeps. After each
/// turn the invariants of sim/check are asked; at the end everybody who sleeps looks once more, and must find nothing.
/// Without the mark everything is explored. Orders are tried in turn, the last choices changing first; when there are
/// more than `most`, some of the rest at random. An error: a step before the mark that fails or gives what the file
/// does not expect, nothing to explore, or no order that is possible.
Explored explore(const scenario::Scenario& scenario, const ExploreOptions& options);

}  // namespace wakepath::proof
