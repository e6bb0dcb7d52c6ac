// The course is whole: ten lessons in order, every text in both languages, questions in every file, a map that names
// them all, and a guide that names none that is not there.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "src/scenario/parser.hh"
#include "tests/scenario_files.hh"

namespace wakepath::scenario {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::HasSubstr;

const fs::path kFolder = fs::path(WAKEPATH_SOURCE_DIR) / "scenarios";

std::string contents(const fs::path& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

/// All files of the course, by name.
std::map<std::string, Scenario> read_course() {
  std::map<std::string, Scenario> course;
  for (const fs::path& path : test::scenario_files({"/scenarios"})) {
    auto parsed = parse_file(path.string());
    if (const auto* problem = std::get_if<Problem>(&parsed)) ADD_FAILURE() << problem->text();
    if (auto* scenario = std::get_if<Scenario>(&parsed)) course.emplace(path.filename(), std::move(*scenario));
  }
  return course;
}

const std::map<std::string, Scenario>& course() {
  static const std::map<std::string, Scenario> kCourse = read_course();
  return kCourse;
}

fs::path page_of(long lesson) {
  return kFolder / "guide" / ((lesson < 10 ? "lesson-0" : "lesson-") + std::to_string(lesson) + ".md");
}

/// The scenario files that a text names.
std::set<std::string> named_in(const std::string& text) {
  static const std::regex kName(R"([a-z0-9-]+\.yaml)");
  return {std::sregex_token_iterator(text.begin(), text.end(), kName), {}};
}

/// All texts of a file that people read. Choices may be names alone; they are told apart by their spaces.
std::vector<const Text*> texts(const Scenario& scenario) {
  std::vector<const Text*> all = {&scenario.title, &scenario.about};
  if (!scenario.only.empty()) all.push_back(&scenario.because);
  for (const Step& step : scenario.steps) {
    if (step.kind == Step::Kind::say) all.push_back(&step.say);
    if (!step.label.empty()) all.push_back(&step.label);
    if (step.kind != Step::Kind::ask) continue;
    all.insert(all.end(), {&step.ask.question, &step.ask.why});
    for (const Text& choice : step.ask.choices) all.push_back(&choice);
  }
  return all;
}

bool is_in_both_languages(const Text& text) {
  if (text.by_language.contains("en") && text.by_language.contains("zh")) return true;
  return !text.empty() && text.in("en").find(' ') == std::string::npos;  // a name or a number: EINVAL, 4
}

TEST(Course, HasTenLessonsWithoutGaps) {
  std::map<long, std::vector<long>> orders;
  for (const auto& [name, scenario] : course()) {
    ASSERT_TRUE(scenario.lesson) << name;
    orders[scenario.lesson->first].push_back(scenario.lesson->second);
  }
  EXPECT_EQ(orders.size(), 10u);
  for (auto& [lesson, places] : orders) {
    EXPECT_TRUE(lesson >= 1 && lesson <= 10) << lesson;
    std::sort(places.begin(), places.end());
    for (std::size_t i = 0; i < places.size(); ++i) EXPECT_EQ(places[i], static_cast<long>(i) + 1) << "of " << lesson;
  }
}

TEST(Course, IsLongEnoughAndMostOfItRunsOnBothMachines) {
  EXPECT_GE(course().size(), 30u);
  EXPECT_GE(std::count_if(course().begin(), course().end(), [](const auto& row) { return row.second.only.empty(); }),
            25);
}

TEST(Course, IsWrittenInBothLanguages) {
  for (const auto& [name, scenario] : course())
    for (const Text* text : texts(scenario)) EXPECT_TRUE(is_in_both_languages(*text)) << name << ": " << text->in("en");
}

TEST(Course, AsksTwiceInEveryFileAndNamesItsSources) {
  for (const auto& [name, scenario] : course()) {
    EXPECT_GE(std::count_if(scenario.steps.begin(), scenario.steps.end(),
                            [](const Step& step) { return step.kind == Step::Kind::ask && !step.ask.why.empty(); }),
              2)
        << name;
    EXPECT_FALSE(scenario.references.empty()) << name;
    EXPECT_FALSE(scenario.level.empty()) << name;
  }
}

// An answer is judged by its number or by its text: "2" must not mean one choice and be the text of another.
TEST(Course, NoChoiceIsTheNumberOfAnother) {
  for (const auto& [name, scenario] : course())
    for (const Step& step : scenario.steps)
      for (std::size_t i = 0; i < step.ask.choices.size(); ++i)
        if (static_cast<long>(i) + 1 != step.ask.choice) {
          EXPECT_NE(step.ask.choices.at(static_cast<std::size_t>(step.ask.choice - 1)).in("en"), std::to_string(i + 1))
              << name << ", step " << step.number;
        }
}

TEST(Course, ItsMapNamesEveryFile) {
  const std::set<std::string> named = named_in(contents(kFolder / "README.md"));
  for (const auto& [name, scenario] : course()) EXPECT_THAT(named, Contains(name));
}

TEST(Course, EachLessonHasAPageThatNamesItsFiles) {
  for (const auto& [name, scenario] : course())
    EXPECT_THAT(named_in(contents(page_of(scenario.lesson.value().first))), Contains(name));
}

TEST(Course, TheGuideNamesOnlyWhatIsThere) {
  for (const auto& entry : fs::directory_iterator(kFolder / "guide"))
    for (const std::string& name : named_in(contents(entry.path())))
      EXPECT_TRUE(course().contains(name)) << entry.path() << " names " << name;
}

TEST(Course, EachPageSaysWhatArticlesGetWrongAndWhatProvesIt) {
  for (long lesson = 1; lesson <= 10; ++lesson) {
    const std::string page = contents(page_of(lesson));
    EXPECT_THAT(page, HasSubstr("## What you may have read")) << page_of(lesson);
    EXPECT_THAT(page, HasSubstr("## Exercises")) << page_of(lesson);
  }
}

}  // namespace
}  // namespace wakepath::scenario
