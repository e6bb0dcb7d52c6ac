#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/trace/index.hh"
#include "sim/trace/lesson_words.hh"

namespace wakepath::gui {

/// What a student has answered, by the number of the question's step.
using Given = std::map<std::uint64_t, std::string>;

/// The questions of a trace and what was answered to them. Knows no drawing library.
class Quiz {
 public:
  struct Asked {
    std::uint64_t step = 0;
    trace::Position at = 0;  ///< of the note
    trace::Question question;
  };

  /// Reads what the trace gained.
  void update(const trace::Trace& trace, const trace::Index& index);
  [[nodiscard]] const std::vector<Asked>& all() const { return asked_; }
  /// The question of a step; nullptr when it asks nothing.
  [[nodiscard]] const Asked* of_step(std::uint64_t step) const;
  /// The first question with its note in the records [from, to) that has no answer yet; nullptr when there is none.
  [[nodiscard]] const Asked* open_between(trace::Position from, trace::Position to) const;

  [[nodiscard]] const Given& given() const { return given_; }
  [[nodiscard]] std::optional<std::string> given_to(std::uint64_t step) const;
  /// How many of all questions are answered right.
  [[nodiscard]] std::size_t right() const;

  /// An answer stays: the first one counts. Nothing happens when the step asks nothing, has an answer, or `text` is
  /// empty.
  void answer(std::uint64_t step, const std::string& text);
  /// What was answered earlier, and who keeps what will be answered: called after each answer; may be empty.
  void resume(Given given, std::function<void(const Given&)> keep);

 private:
  std::size_t seen_ = 0;  // notes of the index
  std::vector<Asked> asked_;
  Given given_;
  std::function<void(const Given&)> keep_;
};

}  // namespace wakepath::gui
