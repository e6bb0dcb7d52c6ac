#include "gui/quiz.hh"

#include <algorithm>

namespace wakepath::gui {

void Quiz::update(const trace::Trace& trace, const trace::Index& index) {
  for (; seen_ < index.lesson().size(); ++seen_) {
    const trace::LessonNote& note = index.lesson()[seen_];
    if (note.kind != trace::NoteKind::kAsk) continue;
    asked_.push_back({note.step, note.at, trace::question_of_note(trace.string(note.text))});
  }
}

const Quiz::Asked* Quiz::of_step(std::uint64_t step) const {
  const auto found = std::find_if(asked_.begin(), asked_.end(), [&](const Asked& a) { return a.step == step; });
  return found != asked_.end() ? &*found : nullptr;
}

const Quiz::Asked* Quiz::open_between(trace::Position from, trace::Position to) const {
  const auto found = std::find_if(asked_.begin(), asked_.end(), [&](const Asked& a) {
    return a.at >= from && a.at < to && !given_.contains(a.step);
  });
  return found != asked_.end() ? &*found : nullptr;
}

std::optional<std::string> Quiz::given_to(std::uint64_t step) const {
  const auto found = given_.find(step);
  return found != given_.end() ? std::optional(found->second) : std::nullopt;
}

std::size_t Quiz::right() const {
  return static_cast<std::size_t>(std::count_if(asked_.begin(), asked_.end(), [&](const Asked& a) {
    const auto given = given_to(a.step);
    return given && trace::is_right(a.question, *given);
  }));
}

void Quiz::answer(std::uint64_t step, const std::string& text) {
  if (text.empty() || of_step(step) == nullptr || !given_.emplace(step, text).second) return;
  if (keep_) keep_(given_);
}

void Quiz::resume(Given given, std::function<void(const Given&)> keep) {
  given_ = std::move(given);
  keep_ = std::move(keep);
}

}  // namespace wakepath::gui
