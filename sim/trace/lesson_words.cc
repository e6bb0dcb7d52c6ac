#include "sim/trace/lesson_words.hh"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

namespace wakepath::trace {

namespace {

using Json = nlohmann::ordered_json;

Json json_of(const Words& words) {
  Json out = Json::object();
  for (const auto& [language, text] : words.by_language) out[language] = text;
  return out;
}

/// Whatever is not as it should be is left out.
Words words_of(const Json& json) {
  Words out;
  if (json.is_string()) out.by_language["en"] = json.get<std::string>();
  if (!json.is_object()) return out;
  for (const auto& [language, text] : json.items())
    if (text.is_string()) out.by_language[language] = text.get<std::string>();
  return out;
}

std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json parsed(std::string_view note) {
  Json json = Json::parse(note, nullptr, false);
  return json.is_object() ? json : Json(std::string(note));
}

std::string plain(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n"), end = text.find_last_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return "";
  std::string out(text.substr(begin, end - begin + 1));
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

bool says(const Words& words, const std::string& given) {
  return std::any_of(words.by_language.begin(), words.by_language.end(),
                     [&](const auto& one) { return plain(one.second) == given; });
}

}  // namespace

const std::string& Words::in(const std::string& language) const {
  static const std::string none;
  for (const std::string& wanted : {language, std::string("en")})
    if (const auto found = by_language.find(wanted); found != by_language.end()) return found->second;
  return by_language.empty() ? none : by_language.begin()->second;
}

bool is_right(const Question& question, std::string_view given) {
  const std::string wanted = plain(given);
  if (question.choices.empty()) return says(question.answer, wanted);
  if (question.choice < 1 || static_cast<std::size_t>(question.choice) > question.choices.size()) return false;
  return wanted == std::to_string(question.choice) ||
         says(question.choices[static_cast<std::size_t>(question.choice - 1)], wanted);
}

std::string note_of(const Words& words) { return text_of(json_of(words)); }

std::string note_of(const Question& question) {
  Json out = {{"question", json_of(question.question)}};
  for (const Words& choice : question.choices) out["choices"].push_back(json_of(choice));
  if (question.choice != 0) out["choice"] = question.choice;
  if (!question.pick.empty()) out["pick"] = question.pick;
  if (!question.names.empty()) out["names"] = question.names;
  if (!question.answer.empty()) out["answer"] = json_of(question.answer);
  if (!question.why.empty()) out["why"] = json_of(question.why);
  return text_of(out);
}

Words words_of_note(std::string_view note) { return words_of(parsed(note)); }

Question question_of_note(std::string_view note) {
  const Json json = parsed(note);
  Question out;
  if (!json.is_object()) return {.question = words_of(json)};
  const auto part = [&](const char* name) { return json.contains(name) ? json[name] : Json(); };
  out.question = words_of(part("question"));
  for (const Json& choice : part("choices")) out.choices.push_back(words_of(choice));
  if (part("choice").is_number_integer()) out.choice = part("choice").get<long>();
  if (part("pick").is_string()) out.pick = part("pick").get<std::string>();
  for (const Json& name : part("names"))
    if (name.is_string()) out.names.push_back(name.get<std::string>());
  out.answer = words_of(part("answer"));
  out.why = words_of(part("why"));
  return out;
}

std::string line_of(const Question& question, const std::string& language) {
  std::string out = question.question.in(language);
  for (std::size_t i = 0; i < question.choices.size(); ++i)
    out += fmt::format(" {}) {}", i + 1, question.choices[i].in(language));
  return out;
}

}  // namespace wakepath::trace
