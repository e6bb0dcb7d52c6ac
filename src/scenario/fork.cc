#include "src/scenario/fork.hh"

#include <fmt/format.h>

#include <algorithm>

#include "src/scenario/model_machine.hh"
#include "src/scenario/parser.hh"
#include "src/scenario/yaml.hh"

namespace wakepath::scenario {

namespace {

/// Where the words of a step stand in its file.
struct Place {
  size_t begin = 0;  ///< with their quotes
  size_t end = 0;
  std::string words;
};

bool stands_for_words(const std::string& key) { return key == "say" || key == "ask" || key == "mark"; }

/// Of a file that parses.
Place find(const Source& source, int number) {
  const Yaml root = read_yaml(source);
  const std::vector<Yaml>& steps = root.find("steps")->items;
  if (number < 1 || static_cast<size_t>(number) > steps.size())
    source.fail({0, 0}, fmt::format("step {}", number), fmt::format("one of the steps 1 to {}", steps.size()));
  const Yaml& step = steps[static_cast<size_t>(number) - 1];
  for (size_t i = 0; i < step.keys.size(); ++i) {
    const std::string& key = step.keys[i].text;
    if (key == "focus" || key == "label" || key == "any") continue;
    const Yaml& value = step.items[i];
    if (stands_for_words(key) || value.kind != Yaml::Kind::scalar)
      source.fail(step.keys[i].at, fmt::format("the step '{}'", key),
                  "a call, returns, wait or expect: only those can be changed");
    const size_t quote = value.plain ? 0 : 1;
    Place place{value.offsets.front() - quote, value.offsets.back() + quote, value.text};
    const char first = source.text()[place.begin];
    const bool quoted = first == '\'' || first == '"';
    if (value.plain ? first == '|' || first == '>' : !quoted || place.end > source.text().size())
      source.fail(value.at, "a step in a block of its own", "one line, plain or in quotes");
    return place;
  }
  source.fail(step.at, "a step without a main key", "a call, returns, wait or expect");
}

/// In single quotes, which mean nothing but themselves in YAML.
std::string quoted(const std::string& words) {
  std::string out = "'";
  for (const char c : words) out += c == '\'' ? "''" : std::string(1, c == '\n' ? ' ' : c);
  return out + "'";
}

/// The place of a step in a file that parses, or what is wrong.
std::variant<Place, Problem> place_of(const std::string& file, const std::string& text, int number) {
  const auto parsed = parse(file, text);
  if (const auto* problem = std::get_if<Problem>(&parsed)) return *problem;
  try {
    return find(Source(file, text), number);
  } catch (const ParseFailure& failure) {
    return failure.problem;
  }
}

}  // namespace

std::variant<std::string, Problem> step_source(const std::string& file, const std::string& text, int number) {
  const auto place = place_of(file, text, number);
  if (const auto* problem = std::get_if<Problem>(&place)) return *problem;
  return std::get<Place>(place).words;
}

std::variant<std::string, Problem> with_step(const std::string& file, const std::string& text, int number,
                                             const std::string& words) {
  const auto place = place_of(file, text, number);
  if (const auto* problem = std::get_if<Problem>(&place)) return *problem;
  const auto& [begin, end, before] = std::get<Place>(place);
  std::string written = quoted(words);
  written.append(static_cast<size_t>(std::count(text.begin() + static_cast<std::ptrdiff_t>(begin),
                                                text.begin() + static_cast<std::ptrdiff_t>(end), '\n')),
                 '\n');  // of a step over several lines: those below keep their numbers
  std::string changed = text.substr(0, begin) + written + text.substr(end);
  const auto parsed = parse(file, changed);
  if (const auto* problem = std::get_if<Problem>(&parsed)) return *problem;
  return changed;
}

Fork run_fork(const std::string& file, const std::string& text, int number, const std::string& words) {
  const auto changed = with_step(file, text, number, words);
  if (const auto* problem = std::get_if<Problem>(&changed)) return {nullptr, problem->text()};
  const auto parsed = parse(file, std::get<std::string>(changed));
  Fork fork;
  const FileResult result = run_on_model(std::get<Scenario>(parsed), {.slow = true}, &fork.trace);
  if (result.skipped) return {nullptr, file + ": not run: " + *result.skipped};
  if (result.error) fork.message = result.error->text();
  return fork;
}

}  // namespace wakepath::scenario
