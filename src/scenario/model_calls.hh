#pragma once

#include <optional>
#include <string>

#include "src/scenario/ast.hh"

namespace wakepath::scenario {

/// What in this call the model does not know yet, in words; nothing when it can make the call.
std::optional<std::string> unknown_to_model(const CallStep& call);

}  // namespace wakepath::scenario
