#pragma once

#include <string>
#include <vector>

#include "src/scenario/ast.hh"

namespace wakepath::lesson {

struct WorksheetOptions {
  std::string language = "en";
  bool answers = false;  ///< the teacher's version: results and answers filled in
};

/// Scenarios as a sheet to be filled in, in Markdown: title, what it is about, every step with its number. What calls
/// give and what statements compare with is left blank where there is something to predict; questions have lines for
/// their answers. With `answers` everything stands there.
[[nodiscard]] std::string worksheet(const std::vector<scenario::Scenario>& scenarios, const WorksheetOptions& options);

}  // namespace wakepath::lesson
