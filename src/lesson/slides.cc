#include <algorithm>

#include "src/lesson/lesson.hh"

namespace wakepath::lesson {

using scenario::Step;

namespace {

void add_once(std::vector<std::string>& names, const std::string& name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

/// Who has acted and what has been named so far: what a question may ask the reader to pick.
struct Known {
  std::vector<std::string> threads;
  std::vector<std::string> objects;

  void see(const Step& step) {
    if (step.kind != Step::Kind::call) return;
    add_once(threads, step.actor);
    for (const std::string& target : step.call.targets) add_once(objects, target);
  }
  [[nodiscard]] std::vector<std::string> to_pick_from(const scenario::Ask& ask) const {
    if (ask.pick.empty()) return {};
    std::vector<std::string> names = ask.pick == "thread" ? threads : objects;
    add_once(names, ask.answer.in("en"));  // who has not acted yet may be the answer
    return names;
  }
};

bool stands_beside(const Step& step) {
  return step.kind == Step::Kind::say || step.kind == Step::Kind::ask || step.kind == Step::Kind::mark ||
         step.kind == Step::Kind::expect;
}

Note note_of(const Step& step, const Known& known) {
  Note note{.step = step.number};
  if (step.kind == Step::Kind::say) note.say = &step.say;
  if (step.kind == Step::Kind::mark) note.mark = step.mark;
  if (step.kind == Step::Kind::expect) note.holds = step.expect.text;
  if (step.kind == Step::Kind::ask) {
    note.ask = &step.ask;
    note.names = known.to_pick_from(step.ask);
  }
  return note;
}

}  // namespace

std::vector<Slide> slides_of(const scenario::Scenario& scenario) {
  std::vector<Slide> slides(1);
  Known known;
  for (const Step& step : scenario.steps) {
    if (stands_beside(step)) {
      slides.back().notes.push_back(note_of(step, known));
      continue;
    }
    known.see(step);
    slides.push_back({&step, {}});
  }
  return slides;
}

}  // namespace wakepath::lesson
