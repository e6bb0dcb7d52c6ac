#include "src/scenario/picks.hh"

#include <algorithm>

namespace wakepath::scenario {

namespace {

void add_once(std::vector<std::string>& names, const std::string& name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

std::vector<std::string> actors_of(const Scenario& scenario) {
  std::vector<std::string> actors;
  for (const Step& step : scenario.steps)
    if (step.kind == Step::Kind::call) add_once(actors, step.actor);
  return actors;
}

}  // namespace

void name_what_to_pick(Scenario& scenario) {
  const std::vector<std::string> actors = actors_of(scenario);
  std::vector<std::string> named;
  for (Step& step : scenario.steps) {
    if (step.kind == Step::Kind::call)
      for (const std::string& target : step.call.targets) add_once(named, target);
    if (step.kind != Step::Kind::ask || step.ask.pick.empty()) continue;
    step.ask.names = step.ask.pick == "thread" ? actors : named;
    add_once(step.ask.names, step.ask.answer.in("en"));
  }
}

}  // namespace wakepath::scenario
