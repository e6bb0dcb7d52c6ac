#pragma once

#include <string>
#include <vector>

namespace wakepath::bench {

/// One measured figure, with what it is held against.
struct Figure {
  std::string key;   ///< its name in JSON: "ratio_off"
  std::string what;  ///< in words, for the table
  double value = 0;
  std::string unit;
  /// Bounds of the table in README.md; 0: none. Ratios of speed must be at least that, costs at most.
  double must = 0;
  double aim = 0;
  bool more_is_better = false;

  [[nodiscard]] bool reaches(double bound) const { return more_is_better ? value >= bound : value <= bound; }
};

using Figures = std::vector<Figure>;

/// A table for people, with a line below it for each thing that a reader should know of how it was measured.
[[nodiscard]] std::string as_table(const Figures& figures, const std::vector<std::string>& notes);
/// One object: each figure by its key, and "notes".
[[nodiscard]] std::string as_json(const Figures& figures, const std::vector<std::string>& notes);

}  // namespace wakepath::bench
