#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

/// What a lesson says and asks, as notes of a trace carry it (NoteKind::kSay, kAsk): whole, so that a viewer can show
/// it in any language and judge an answer without the scenario.

namespace wakepath::trace {

/// Words in one or several languages, by code ("en", "zh"). Words without a language count as English.
struct Words {
  std::map<std::string, std::string> by_language;
  [[nodiscard]] bool empty() const { return by_language.empty(); }
  /// In that language, or in English, or in whatever there is; empty when there is nothing.
  [[nodiscard]] const std::string& in(const std::string& language) const;
};

/// A question: with choices, or with names to pick from, or with a free answer.
struct Question {
  Words question;
  std::vector<Words> choices;
  long choice = 0;                 ///< the right one, from 1, when there are choices
  std::string pick;                ///< "thread", "object", or empty: what the names are of
  std::vector<std::string> names;  ///< what there is to pick from
  Words answer;                    ///< when there are no choices
  Words why;                       ///< may be empty
};

/// Whether `given` is right: the number of the choice or its words, or the answer, in any language, any case.
[[nodiscard]] bool is_right(const Question& question, std::string_view given);

/// As the string of a note, and back. A string that is no such note counts as English words, or as a question that has
/// only its words: a recording of another program is still shown.
[[nodiscard]] std::string note_of(const Words& words);
[[nodiscard]] std::string note_of(const Question& question);
[[nodiscard]] Words words_of_note(std::string_view note);
[[nodiscard]] Question question_of_note(std::string_view note);

/// In one line: the question and its numbered choices.
[[nodiscard]] std::string line_of(const Question& question, const std::string& language);

}  // namespace wakepath::trace
