#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/scenario/problem.hh"

namespace wakepath::scenario {

/// A YAML value as plain data. Anchors, aliases, tags and several documents are refused: a scenario needs none.
struct Yaml {
  enum class Kind { scalar, sequence, mapping };
  Kind kind = Kind::scalar;
  size_t offset = 0;  ///< where the value starts in the file, after an opening quote
  Position at;
  std::string text;             ///< of a scalar
  bool plain = true;            ///< a scalar without quotes
  std::vector<size_t> offsets;  ///< for each byte of `text`, its offset in the file; one more for the end
  std::vector<Yaml> items;      ///< of a sequence; of a mapping, the values
  std::vector<Yaml> keys;       ///< of a mapping, scalars, in the order of the file, each once

  const Yaml* find(std::string_view key) const;
  bool is_null() const { return kind == Kind::scalar && plain && (text.empty() || text == "~" || text == "null"); }
};

/// Reads one YAML document. Throws ParseFailure, with the place where libfyaml found it or where a key is repeated.
Yaml read_yaml(const Source& source);

}  // namespace wakepath::scenario
