#pragma once

#include <optional>
#include <regex>
#include <string>
#include <vector>

#include "src/proof/judge.hh"

namespace wakepath::proof {

/// A difference between model and kernel that is known and understood: a row of assets/known-differences.yaml.
struct KnownDifference {
  std::string id;
  std::regex call;           ///< on `epoll_wait(p3, 8, 0)`
  std::string field;         ///< ret, errno, events, …; empty: any
  std::regex model, kernel;  ///< on the values, as JSON
  std::string reason, source;
};

/// Reads rows from YAML text. Throws scenario::ParseFailure.
std::vector<KnownDifference> read_known_differences(const std::string& file, const std::string& text);
/// The rows that come with the program.
const std::vector<KnownDifference>& known_differences();

/// The row that explains the first difference of a program; what follows from it is not asked about. Null: none.
const KnownDifference* explain(const Judgement& judgement, const std::vector<KnownDifference>& known);

}  // namespace wakepath::proof
