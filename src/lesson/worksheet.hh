#pragma once

#include <string>
#include <vector>

#include "src/scenario/ast.hh"

namespace wakepath::lesson {

struct WorksheetOptions {
  std::string language = "en";
  bool answers = false;  ///< the teacher's version: results and answers filled in
};

/// Scenarios as a sheet to be filled in, in Markdown: title, every step with its number, questions with lines for their
/// answers. What calls give and what statements compare with is left blank where there is something to predict, and
/// wherever a question stands above. With `answers` everything stands there; without, nothing that may give away what
/// is asked: not what the file is about, no label, and no narration below the first blank.
[[nodiscard]] std::string worksheet(const std::vector<scenario::Scenario>& scenarios, const WorksheetOptions& options);

}  // namespace wakepath::lesson
