#pragma once

#include <nlohmann/json_fwd.hpp>

#include "src/scenario/outcome.hh"

namespace wakepath::scenario {

/// One line of `--format json`: what a file gave on a machine.
nlohmann::ordered_json to_json(const FileResult& result);
/// Back again: the run on the kernel comes out of another process.
FileResult from_json(const nlohmann::json& json);

/// A file that does not parse.
nlohmann::ordered_json to_json(const Problem& problem);

/// One place where the two machines gave different results.
struct Difference {
  int step = 0;
  std::string field;
  std::string model, kernel;  ///< JSON texts
};
/// Everything that is compared, entry by entry.
std::vector<Difference> differences(const FileResult& model, const FileResult& kernel);

/// The third line of `--on both`.
nlohmann::ordered_json comparison(const FileResult& model, const FileResult& kernel);

}  // namespace wakepath::scenario
