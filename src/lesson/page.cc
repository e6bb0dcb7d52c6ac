#include <filesystem>
#include <nlohmann/json.hpp>
#include <string_view>

#include "src/lesson/lesson.hh"
#include "src/scenario/step_text.hh"

namespace wakepath::lesson {

extern const char* const kPage;  // assets/lesson/page.html

namespace {

using Ordered = nlohmann::ordered_json;

Ordered json_of(const scenario::Text& text) {
  Ordered out = Ordered::object();
  for (const auto& [language, words] : text.by_language) out[language] = words;
  return out;
}

Ordered json_of(const scenario::Ask& ask, int step) {
  Ordered choices = Ordered::array();
  for (const scenario::Text& text : ask.choices) choices.push_back(json_of(text));
  Ordered out = {{"step", step},         {"question", json_of(ask.question)}, {"choices", choices},
                 {"choice", ask.choice}, {"answer", json_of(ask.answer)},     {"why", json_of(ask.why)}};
  if (!ask.names.empty()) out["names"] = ask.names;
  return out;
}

Ordered json_of(const Note& note) {
  Ordered out = Ordered::object();
  if (note.say != nullptr) out["say"] = json_of(*note.say);
  if (note.ask != nullptr) out["ask"] = json_of(*note.ask, note.step);
  if (!note.holds.empty()) out["holds"] = note.holds;
  if (!note.mark.empty()) out["mark"] = note.mark;
  return out;
}

Ordered json_of(const Slide& slide, const Pictures& pictures) {
  Ordered notes = Ordered::array();
  for (const Note& note : slide.notes) notes.push_back(json_of(note));
  return {{"number", slide.step != nullptr ? slide.step->number : 0},
          {"text", slide.step != nullptr ? scenario::step_text(*slide.step) : ""},
          {"notes", notes},
          {"objects", pictures.objects},
          {"path", pictures.path},
          {"tree", pictures.tree}};
}

/// JSON inside <script>: no '<' in it can end the element or begin a comment. (It stands in strings only.)
std::string inside_a_script(const Ordered& json) {
  std::string out;
  for (char c : json.dump(-1, ' ', false, Ordered::error_handler_t::replace)) c == '<' ? out += "\\u003c" : out += c;
  return out;
}

std::string as_html(std::string_view text) {
  std::string out;
  for (char c : text) c == '<' ? out += "&lt;" : c == '&' ? out += "&amp;" : out += c;
  return out;
}

void put(std::string& page, std::string_view place, const std::string& text) {
  page.replace(page.find(place), place.size(), text);
}

}  // namespace

std::string page(const scenario::Scenario& scenario, const std::vector<Slide>& slides,
                 const std::vector<Pictures>& pictures) {
  Ordered all = Ordered::array();
  for (std::size_t i = 0; i < slides.size(); ++i) all.push_back(json_of(slides[i], pictures.at(i)));
  Ordered lesson = {{"title", json_of(scenario.title)},
                    {"about", json_of(scenario.about)},
                    {"references", scenario.references},
                    {"file", std::filesystem::path(scenario.file).filename().string()},
                    {"profile", scenario.profile},
                    {"last", scenario.steps.empty() ? 0 : scenario.steps.back().number},
                    {"slides", all}};
  if (scenario.only == "model") lesson["because"] = json_of(scenario.because);
  std::string out = kPage;
  put(out, "{{TITLE}}", as_html(scenario.title.in("en")));
  put(out, "{{LESSON}}", inside_a_script(lesson));
  return out;
}

}  // namespace wakepath::lesson
