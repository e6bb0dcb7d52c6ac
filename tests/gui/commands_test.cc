// What can be done, and how: one table of commands, the list of keys, and the palette that finds any of them by words.
#include "gui/commands.hh"

#include <gtest/gtest.h>

#include <set>

#include "gui/tongue.hh"
#include "tests/gui/driving.hh"

namespace wakepath::gui {
namespace {

class CommandPalette : public test::Driver {
 protected:
  CommandPalette() : Driver(test::make_ping_trace()) {}
  ~CommandPalette() override { use_language("en"); }
  void open() {
    ImGui::GetIO().KeyCtrl = true;
    press(compat::Key::kP);
    ImGui::GetIO().KeyCtrl = false;
    frames(2);
  }
  void type(const char* text) {
    for (const char* c = text; *c != '\0'; ++c) ImGui::GetIO().AddInputCharacter(static_cast<unsigned char>(*c));
    frames(2);
  }
};

TEST(Commands, HaveAKeyOfTheirOwn) {
  std::set<std::tuple<compat::Key, bool, Chord::Shift>> seen;
  for (const Command& command : commands())
    for (const Chord& chord : command.chords)
      EXPECT_TRUE(seen.insert({chord.key, chord.ctrl, chord.shift}).second) << command.keys;
}

TEST(Commands, AreToldInChineseToo) {
  use_language("zh");
  for (const Command& command : commands()) EXPECT_NE(tr(command.words), command.words) << command.keys;
  use_language("en");
}

TEST_F(CommandPalette, RunsWhatItsWordsFind) {
  open();
  ASSERT_TRUE(app->ui().palette.open);
  type("bookmarks list");
  ASSERT_EQ(palette_lines(app->ui(), "bookmarks list").size(), 1U) << "words in any order";
  press(compat::Key::kEnter);
  EXPECT_FALSE(app->ui().palette.open);
  EXPECT_TRUE(app->ui().show_bookmarks);
}

TEST_F(CommandPalette, GoesToAStepAndToWhatIsBelow) {
  open();
  type("step 3:");
  press(compat::Key::kEnter);
  ASSERT_TRUE(model.current_step().has_value());
  EXPECT_EQ(model.index().steps()[*model.current_step()].number, 3U);
  open();
  press(compat::Key::kDown);
  EXPECT_EQ(app->ui().palette.chosen, 1U);
  press(compat::Key::kUp);
  press(compat::Key::kUp);
  EXPECT_EQ(app->ui().palette.chosen, 0U);
}

TEST_F(CommandPalette, TakesAClickAndEscape) {
  open();
  type("why");
  click("palette/0");
  EXPECT_TRUE(app->ui().show_why);
  open();
  press(compat::Key::kEscape);
  EXPECT_FALSE(app->ui().palette.open);
  EXPECT_TRUE(app->ui().show_why) << "one thing at a time";
}

TEST_F(CommandPalette, StaysWhenNothingFits) {
  open();
  type("xyzzy");
  press(compat::Key::kEnter);
  EXPECT_TRUE(app->ui().palette.open);
  type("q");
  EXPECT_EQ(app->ui().palette.typed, "xyzzyq") << "and takes more words";
}

TEST_F(CommandPalette, FindsByWordsOfEitherLanguage) {
  use_language("zh");
  EXPECT_EQ(palette_lines(app->ui(), "timeline: fold").front().words, "时间线：收起、展开");
  EXPECT_EQ(palette_lines(app->ui(), "时间线：收起").size(), 1U);
}

TEST_F(CommandPalette, TheListOfKeysFitsASmallWindow) {
  for (const auto& [w, h] : {std::pair{1440.f, 900.f}, std::pair{800.f, 600.f}}) {
    width = w, height = h;
    press(compat::Key::kF1);
    EXPECT_TRUE(app->ui().show_help);
    press(compat::Key::kF1);
    EXPECT_FALSE(app->ui().show_help);
  }
}

}  // namespace
}  // namespace wakepath::gui
