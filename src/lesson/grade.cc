#include "src/lesson/grade.hh"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

namespace wakepath::lesson {

using scenario::Ask;
using scenario::Step;
using scenario::Text;
using Json = nlohmann::json;

namespace {

std::string plain(const std::string& text) {
  const auto begin = text.find_first_not_of(" \t\r\n"), end = text.find_last_not_of(" \t\r\n");
  if (begin == std::string::npos) return "";
  std::string out = text.substr(begin, end - begin + 1);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

bool says(const Text& text, const std::string& given) {
  return std::any_of(text.by_language.begin(), text.by_language.end(),
                     [&](const auto& one) { return plain(one.second) == plain(given); });
}

std::optional<int> number_of(const std::string& text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

Mark mark_of(const Step& step, const Answers& answers) {
  const Ask& ask = step.ask;
  Mark mark{.step = step.number, .question = ask.question.in("en")};
  if (const auto found = answers.by_step.find(step.number); found != answers.by_step.end()) mark.given = found->second;
  if (ask.choices.empty()) {
    mark.expected = ask.answer.in("en");
    mark.right = says(ask.answer, mark.given);
    return mark;
  }
  const Text& right = ask.choices.at(static_cast<std::size_t>(ask.choice - 1));
  mark.expected = fmt::format("{}) {}", ask.choice, right.in("en"));
  mark.right = number_of(plain(mark.given)) == static_cast<int>(ask.choice) || says(right, mark.given);
  return mark;
}

}  // namespace

std::variant<Answers, std::string> read_answers(const std::string& file, const std::string& text) {
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return file + ": found no JSON, expected the answers that a lesson's page saves";
  if (!json.is_object() || !json.contains("answers") || !json["answers"].is_object())
    return file + ": found no \"answers\", expected {\"student\": …, \"answers\": {\"10\": \"2\"}}";
  Answers out;
  if (json.contains("story") && json["story"].is_string()) out.story = json["story"];
  if (json.contains("student") && json["student"].is_string()) out.student = json["student"];
  for (const auto& [step, given] : json["answers"].items()) {
    const auto number = number_of(step);
    if (!number || !(given.is_string() || given.is_number_integer()))
      return fmt::format("{}: found answer \"{}\": {}, expected the number of a step and what was answered there", file,
                         step, given.dump());
    out.by_step[*number] = given.is_string() ? given.get<std::string>() : given.dump();
  }
  return out;
}

std::string misfit(const scenario::Scenario& scenario, const Answers& answers) {
  const std::string story = std::filesystem::path(scenario.file).filename().string();
  if (!answers.story.empty() && answers.story != story)
    return fmt::format("found answers to {}, expected some to {}", answers.story, story);
  for (const auto& [number, given] : answers.by_step) {
    const bool asks = std::any_of(scenario.steps.begin(), scenario.steps.end(), [&](const Step& step) {
      return step.number == number && step.kind == Step::Kind::ask;
    });
    if (!asks)
      return fmt::format("found an answer to step {}, expected the number of a step of {} that asks", number, story);
  }
  return "";
}

std::vector<Mark> grade(const scenario::Scenario& scenario, const Answers& answers) {
  std::vector<Mark> marks;
  for (const Step& step : scenario.steps)
    if (step.kind == Step::Kind::ask) marks.push_back(mark_of(step, answers));
  return marks;
}

}  // namespace wakepath::lesson
