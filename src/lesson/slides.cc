#include "src/lesson/lesson.hh"

namespace wakepath::lesson {

using scenario::Step;

namespace {

bool stands_beside(const Step& step) {
  return step.kind == Step::Kind::say || step.kind == Step::Kind::ask || step.kind == Step::Kind::mark ||
         step.kind == Step::Kind::expect;
}

Note note_of(const Step& step) {
  Note note{.step = step.number};
  if (step.kind == Step::Kind::say) note.say = &step.say;
  if (step.kind == Step::Kind::mark) note.mark = step.mark;
  if (step.kind == Step::Kind::expect) note.holds = step.expect.text;
  if (step.kind == Step::Kind::ask) note.ask = &step.ask;
  return note;
}

}  // namespace

std::vector<Slide> slides_of(const scenario::Scenario& scenario) {
  std::vector<Slide> slides(1);
  for (const Step& step : scenario.steps) {
    if (stands_beside(step)) {
      slides.back().notes.push_back(note_of(step));
      continue;
    }
    slides.push_back({&step, {}});
  }
  return slides;
}

}  // namespace wakepath::lesson
