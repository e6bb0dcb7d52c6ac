#include "src/scenario/picks.hh"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace wakepath::scenario {

namespace {

void add_once(std::vector<std::string>& names, const std::string& name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

std::vector<std::string> actors_of(const Scenario& scenario) {
  std::vector<std::string> actors;
  for (const Step& step : scenario.steps)
    if (step.kind == Step::Kind::call) add_once(actors, step.actor);
  for (const auto& [declared, process] : scenario.actors) add_once(actors, declared);
  return actors;
}

}  // namespace

void name_what_to_pick(Scenario& scenario, const Source& source) {
  const std::vector<std::string> actors = actors_of(scenario);
  std::vector<std::string> named;
  for (Step& step : scenario.steps) {
    if (step.kind == Step::Kind::call)
      for (const std::string& target : step.call.targets) add_once(named, target);
    if (step.kind != Step::Kind::ask || step.ask.pick.empty()) continue;
    step.ask.names = step.ask.pick == "thread" ? actors : named;
    const std::string& answer = step.ask.answer.in("en");
    const bool there = std::find(step.ask.names.begin(), step.ask.names.end(), answer) != step.ask.names.end();
    if (!there && scenario.services.empty())
      source.fail(step.at, fmt::format("the answer '{}'", answer),
                  fmt::format("one of {}", fmt::join(step.ask.names, ", ")));
    add_once(step.ask.names, answer);
  }
}

void check_marks(const Scenario& scenario, const Source& source) {
  std::map<std::string, int> marks;
  for (const Step& step : scenario.steps) {
    if (step.kind != Step::Kind::mark) continue;
    const auto [earlier, fresh] = marks.try_emplace(step.mark, step.number);
    if (!fresh)
      source.fail(step.at, fmt::format("mark '{}' again", step.mark),
                  fmt::format("another name than that of step {}", earlier->second));
  }
}

}  // namespace wakepath::scenario
