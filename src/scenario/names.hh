#pragma once

#include "src/scenario/ast.hh"

namespace wakepath::scenario {

/// Checks every name of a scenario that parsed: each variable is bound in its process before it is used, each actor
/// acts while it exists. Throws ParseFailure.
void check_names(const Scenario& scenario, const Source& source);

}  // namespace wakepath::scenario
