// The first screen: stories by lesson and level, chosen with keys or the mouse.
#include "gui/browser.hh"

#include <gmock/gmock.h>

#include "gui/app.hh"
#include "gui/draw.hh"
#include "gui/theme.hh"
#include "gui/tongue.hh"

namespace wakepath::gui {
namespace {

class FirstScreen : public testing::Test {
 protected:
  FirstScreen() {
    auto add = [&](const char* name, const char* level, long lesson, long order, const char* title) {
      stories.push_back(
          {.file = std::string("scenarios/") + name + ".yaml", .level = level, .lesson = lesson, .order = order});
      stories.back().title.by_language = {{"en", title}, {"zh", "一个故事"}};
      stories.back().about.by_language = {{"en", "What it is about."}, {"zh", "讲什么。"}};
    };
    add("museum", "deep", 0, 0, "The museum");
    add("second", "core", 1, 2, "The second");
    add("first", "intro", 1, 1, "The first");
    add("later", "core", 2, 1, "The later");
    for (int i = 0; i < 60; ++i) add(("more-" + std::to_string(i)).c_str(), "core", 3, i, "One of many");
    ImGui::CreateContext();
    ImGui::GetIO().IniFilename = nullptr;
    compat::map_keys();
    load_fonts(1, "一个故事讲什么。");
    compat::build_atlas();
    apply_style(1);
    browser.emplace(stories);
    frames(2);
  }
  ~FirstScreen() override {
    ImGui::DestroyContext();
    use_language("en");
    use_theme("dark");
  }

  void frames(int count) {
    for (int i = 0; i < count; ++i) {
      ImGui::GetIO().DisplaySize = ImVec2(1024, 640);
      ImGui::GetIO().DeltaTime = 1.0f / 60;
      ImGui::NewFrame();
      browser->frame(1024, 640, 1);
      ImGui::Render();
    }
  }
  void press(compat::Key key) {
    compat::send_key(key, true);
    frames(2);
    compat::send_key(key, false);
    frames(2);
  }
  void click(const std::string& name) {
    ASSERT_TRUE(marks::all().contains(name)) << name;
    const Point at = marks::all().at(name).center();
    for (bool down : {false, true, false}) compat::send_mouse(at.x, at.y, down), frames(2);
  }
  std::string current() { return browser->current() ? stories[*browser->current()].file : "none"; }

  std::vector<Story> stories;
  std::optional<Browser> browser;
};

TEST_F(FirstScreen, StandsInTheOrderOfTheCourseAndEnterOpens) {
  EXPECT_EQ(current(), "scenarios/first.yaml");
  press(compat::Key::kDown);
  EXPECT_EQ(current(), "scenarios/second.yaml");
  press(compat::Key::kDown);
  EXPECT_EQ(current(), "scenarios/later.yaml");
  press(compat::Key::kUp);
  EXPECT_FALSE(browser->chosen());
  press(compat::Key::kEnter);
  ASSERT_TRUE(browser->chosen());
  EXPECT_EQ(stories[*browser->chosen()].title.in("en"), "The second");
}

TEST_F(FirstScreen, TheCursorStaysInSightToTheVeryEnd) {
  press(compat::Key::kEnd);
  EXPECT_EQ(current(), "scenarios/museum.yaml") << "what is in no lesson comes last";
  frames(2);
  ASSERT_TRUE(marks::all().contains("browser/museum"));
  EXPECT_LE(marks::all().at("browser/museum").bottom(), 641);
  press(compat::Key::kHome);
  frames(2);
  EXPECT_TRUE(marks::all().contains("browser/first"));
}

TEST_F(FirstScreen, ALevelAloneIsShownByItsKeyOrButton) {
  press(compat::Key::kTwo);
  EXPECT_EQ(current(), "scenarios/first.yaml");
  press(compat::Key::kDown);
  EXPECT_EQ(current(), "scenarios/first.yaml") << "the only one";
  click("browser/level/Deep");
  EXPECT_EQ(current(), "scenarios/museum.yaml");
  press(compat::Key::kOne);
  EXPECT_EQ(current(), "scenarios/first.yaml");
}

TEST_F(FirstScreen, AClickSelectsAndASecondOneOpens) {
  click("browser/later");
  EXPECT_EQ(current(), "scenarios/later.yaml");
  EXPECT_FALSE(browser->chosen());
  click("browser/later");
  ASSERT_TRUE(browser->chosen());
  EXPECT_EQ(stories[*browser->chosen()].file, "scenarios/later.yaml");
}

TEST_F(FirstScreen, SpeaksBothLanguagesAndSurvivesAnEmptyFolder) {
  press(compat::Key::kF4);
  EXPECT_EQ(language(), "zh");
  press(compat::Key::kF3);
  EXPECT_EQ(theme().name, "light");
  stories.clear();
  browser.emplace(stories);
  frames(2);
  press(compat::Key::kEnter);
  EXPECT_FALSE(browser->chosen());
}

}  // namespace
}  // namespace wakepath::gui
