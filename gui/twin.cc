#include "gui/twin.hh"

#include <algorithm>

namespace wakepath::gui {

Twin::Twin(std::shared_ptr<const trace::Session> session, const trace::Trace& left, std::string message)
    : session_(std::move(session)),
      message_(std::move(message)),
      model_(*session_),
      differences_(exports::compare(left, session_->trace())) {}

const std::string& Twin::outcome_in(const ViewModel& model) {
  Outcome& known = &model == &model_ ? here_ : there_;
  const auto current = model.current_step();
  const std::size_t step = current ? *current + 1 : 0;
  if (known.step == step && known.records == model.trace().size()) return known.words;
  known = {step, model.trace().size(),
           current ? exports::outcome_of(model.trace(), model.index().steps()[*current]) : std::string()};
  return known.words;
}

void Twin::follow(const ViewModel& left) {
  trace::Position target = 0;
  if (const auto current = left.current_step()) {
    const trace::StepEntry& there = left.index().steps()[*current];
    const auto& steps = model_.index().steps();
    const auto here = std::find_if(steps.begin(), steps.end(),
                                   [&](const trace::StepEntry& step) { return step.number == there.number; });
    target = model_.end();
    if (here != steps.end()) {
      const trace::Position quiet = here->end != 0 ? here->end + 1 : model_.end();
      const bool over = there.end != 0 && left.position() > there.end;
      target = over ? quiet : std::min(quiet, here->begin + (left.position() - there.begin));
    }
  }
  if (model_.grain() != left.grain()) model_.set_grain(left.grain());
  if (target != model_.position()) model_.seek(target);
}

}  // namespace wakepath::gui
