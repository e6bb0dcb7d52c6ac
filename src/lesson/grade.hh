#pragma once

#include <map>
#include <string>
#include <variant>
#include <vector>

#include "src/scenario/ast.hh"

namespace wakepath::lesson {

/// What a student answered, by the number of the question's step.
struct Answers {
  std::string story;  ///< name of the scenario's file; empty: not said
  std::string student;
  std::map<int, std::string> by_step;
};

/// JSON, as the page of a lesson saves it: {"wakepath": 1, "story": "x.yaml", "student": "…", "answers": {"10": "2"}}.
/// Or the sentence that says what was found and what expected, `file` first.
[[nodiscard]] std::variant<Answers, std::string> read_answers(const std::string& file, const std::string& text);

/// The same text, which read_answers() reads.
[[nodiscard]] std::string answers_text(const Answers& answers);

struct Mark {
  int step = 0;
  std::string question;
  std::string given;     ///< empty: not answered
  std::string expected;  ///< the right choice, or the answer
  bool right = false;
};

/// What is wrong with answers to this scenario: they are to another one, or to steps that ask nothing. Empty: nothing.
[[nodiscard]] std::string misfit(const scenario::Scenario& scenario, const Answers& answers);

/// One mark for each question of the scenario, in its order. A choice is right by its number or its text; an answer in
/// words by any of its languages, whatever the case and the spaces around it.
[[nodiscard]] std::vector<Mark> grade(const scenario::Scenario& scenario, const Answers& answers);

}  // namespace wakepath::lesson
