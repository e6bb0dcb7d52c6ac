#include "src/lesson/grade.hh"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

namespace wakepath::lesson {

using scenario::Ask;
using scenario::Step;
using Json = nlohmann::json;

namespace {

std::optional<int> number_of(const std::string& text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

Mark mark_of(const Step& step, const Answers& answers) {
  const Ask& ask = step.ask;
  Mark mark{.step = step.number, .question = ask.question.in("en")};
  if (const auto found = answers.by_step.find(step.number); found != answers.by_step.end()) mark.given = found->second;
  mark.right = trace::is_right(ask, mark.given);
  mark.expected = ask.choices.empty() ? ask.answer.in("en")
                                      : fmt::format("{}) {}", ask.choice,
                                                    ask.choices.at(static_cast<std::size_t>(ask.choice - 1)).in("en"));
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

std::string answers_text(const Answers& answers) {
  nlohmann::ordered_json json = {
      {"wakepath", 1}, {"story", answers.story}, {"student", answers.student}, {"answers", Json::object()}};
  for (const auto& [step, given] : answers.by_step) json["answers"][std::to_string(step)] = given;
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
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
