// Bookmarks: set, jumped to, noted, and kept in a file that people can read.
#include "gui/bookmarks.hh"

#include <gmock/gmock.h>

#include "gui/tongue.hh"
#include "tests/gui/driving.hh"

namespace wakepath::gui {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class StageBookmarks : public test::Driver {
 protected:
  StageBookmarks() : Driver(test::make_ping_trace()) {
    WindowOptions options;
    options.bookmarks = {{.record = 50, .step = 1, .note = "here"}};
    options.keep_bookmarks = [this](const std::vector<Bookmark>& all) { kept = all; };
    app->offer(options);
  }
  std::vector<trace::Position> records() const {
    std::vector<trace::Position> out;
    for (const Bookmark& one : kept) out.push_back(one.record);
    return out;
  }
  std::vector<Bookmark> kept;
};

TEST_F(StageBookmarks, BSetsOneAndTakesItAway) {
  model.seek_step(3);
  const trace::Position at = model.position();
  frames(2);
  press(compat::Key::kB);
  EXPECT_THAT(records(), ElementsAre(50, at));
  EXPECT_EQ(kept.back().step, 3U);
  press(compat::Key::kEscape);
  press(compat::Key::kEscape);
  EXPECT_FALSE(app->ui().show_bookmarks);
  press(compat::Key::kB);
  EXPECT_THAT(records(), ElementsAre(50));
}

TEST_F(StageBookmarks, TheListJumpsByKeyAndClick) {
  press(compat::Key::kG);
  EXPECT_TRUE(app->ui().show_bookmarks);
  press(compat::Key::kDown);
  EXPECT_EQ(model.position(), 50U);
  model.seek(0);
  frames(2);
  click("bookmark/50");
  EXPECT_EQ(model.position(), 50U);
}

TEST_F(StageBookmarks, ANoteIsTypedAndKept) {
  model.seek(20);
  frames(2);
  press(compat::Key::kB);
  ImGui::GetIO().AddInputCharacter('x');
  frames(2);
  press(compat::Key::kEnter);
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(kept.front().note, "x");
}

TEST(Bookmarks, AreReadAsTheyWereWritten) {
  const std::vector<Bookmark> all = {{7, 1, ""}, {376, 8, "它睡在 ep->wq 上"}};
  const auto read = read_bookmarks("x.notes", bookmarks_text(all));
  ASSERT_TRUE(std::holds_alternative<std::vector<Bookmark>>(read));
  const auto& back = std::get<std::vector<Bookmark>>(read);
  ASSERT_EQ(back.size(), 2U);
  EXPECT_EQ(back[0].note, "");
  EXPECT_EQ(back[1].record, 376U);
  EXPECT_EQ(back[1].note, "它睡在 ep->wq 上");
}

TEST(Bookmarks, ABadLineIsNamed) {
  for (const char* bad : {"seven 1 x", "-3 1 x", "7"}) {
    const auto read = read_bookmarks("x.notes", "# fine\n" + std::string(bad) + "\n");
    ASSERT_TRUE(std::holds_alternative<std::string>(read)) << bad;
    EXPECT_THAT(std::get<std::string>(read), HasSubstr("x.notes:2:1: found '"));
  }
}

}  // namespace
}  // namespace wakepath::gui
