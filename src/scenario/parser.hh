#pragma once

#include <string>
#include <variant>

#include "src/scenario/ast.hh"

namespace wakepath::scenario {

/// Reads a scenario. Everything that can be checked without running is checked; the first thing that is wrong is
/// reported. Pure: touches no file.
std::variant<Scenario, Problem> parse(const std::string& file, const std::string& text);

/// The same for a file on disk. A file that cannot be read, or is larger than 1 MiB, is a Problem without a line.
std::variant<Scenario, Problem> parse_file(const std::string& path);

}  // namespace wakepath::scenario
