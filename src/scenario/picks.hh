#pragma once

#include "src/scenario/ast.hh"

namespace wakepath::scenario {

/// Gives every `ask` with `pick` the names that there are to pick from: all actors of the file, or the descriptors that
/// have been named by then, and always the answer.
void name_what_to_pick(Scenario& scenario);

}  // namespace wakepath::scenario
