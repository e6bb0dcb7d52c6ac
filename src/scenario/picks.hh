#pragma once

#include "src/scenario/ast.hh"
#include "src/scenario/problem.hh"

namespace wakepath::scenario {

/// Gives every `ask` with `pick` the names that there are to pick from: all actors of the file, or the descriptors that
/// have been named by then. Fails where nobody could pick the answer; in a file with services it may be one of their
/// threads.
void name_what_to_pick(Scenario& scenario, const Source& source);

/// Fails where a mark has the name of an earlier one: a place in the story has one name.
void check_marks(const Scenario& scenario, const Source& source);

}  // namespace wakepath::scenario
