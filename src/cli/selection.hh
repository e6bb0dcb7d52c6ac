#pragma once

#include <string>

#include "sim/trace/trace.hh"
#include "src/cli/commands.hh"

namespace wakepath::cli {

/// Why --select selects nothing where the window opens, and what it could; empty when it selects something. As in the
/// window, a name of a living object will do in part and in small letters.
[[nodiscard]] std::string selects_nothing(const ViewOptions& options, const trace::Trace& trace);

}  // namespace wakepath::cli
