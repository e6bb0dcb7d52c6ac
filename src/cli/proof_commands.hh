#pragma once

#include <string>
#include <vector>

#include "src/cli/commands.hh"

namespace CLI {
class App;
}

namespace wakepath::cli {

/// The names of the model's deliberate faults.
std::vector<std::string> mutant_names();

/// The subcommands that look for differences by trying: their options and help. They run when the line is parsed, and
/// leave their exit status in `status`.
void add_fuzz(CLI::App& app, FuzzOptions& options, int& status);
void add_explore(CLI::App& app, ExploreOptions& options, int& status);

}  // namespace wakepath::cli
