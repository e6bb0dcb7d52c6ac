// Pictures drawn without a display, looked at for what they must contain.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <set>

#include "gui/gui.hh"
#include "gui/theme.hh"
#include "tests/gui/synthetic.hh"

namespace wakepath::gui {
namespace {

using test::TraceSession;

class GuiPicture : public testing::Test {
 protected:
  TraceSession session{test::make_ping_trace()};
  WindowOptions options;

  Picture draw() {
    std::string why;
    auto picture = render_picture(session, options, why);
    if (!picture) ADD_FAILURE() << why;
    return picture ? *picture : Picture{1, 1, {0, 0, 0}, 0};
  }
};

int at(const Picture& p, int x, int y) {
  auto i = (static_cast<std::size_t>(y) * static_cast<std::size_t>(p.width) + static_cast<std::size_t>(x)) * 3;
  return (p.rgb[i] << 16) | (p.rgb[i + 1] << 8) | p.rgb[i + 2];
}

bool close_to(int colour, Rgb wanted) {
  for (int shift : {0, 8, 16})
    if (std::abs(((colour >> shift) & 255) - static_cast<int>((wanted >> shift) & 255)) > 14) return false;
  return true;
}

int count(const Picture& p, int x0, int y0, int x1, int y1, Rgb wanted) {
  int found = 0;
  for (int y = y0; y < y1; ++y)
    for (int x = x0; x < x1; ++x) found += close_to(at(p, x, y), wanted) ? 1 : 0;
  return found;
}

std::size_t colours(const Picture& p, int x0, int y0, int x1, int y1) {
  std::set<int> seen;
  for (int y = y0; y < y1; ++y)
    for (int x = x0; x < x1; ++x) seen.insert(at(p, x, y));
  return seen.size();
}

TEST_F(GuiPicture, EveryLaneHasItsColourAndEveryPanelHasWords) {
  options.step = 6;
  Picture p = draw();
  ASSERT_EQ(p.width, 1440);
  ASSERT_EQ(p.height, 900);
  const Theme& t = theme();
  for (Rgb lane : {t.user, t.vfs, t.socket, t.tcp, t.softirq, t.epoll})
    EXPECT_GT(count(p, 214, 54, 1164, 676, lane), 40);
  EXPECT_GT(colours(p, 0, 54, 214, 300), 20u);       // call stack
  EXPECT_GT(colours(p, 1170, 54, 1440, 400), 20u);   // inspector
  EXPECT_GT(colours(p, 1170, 460, 1440, 660), 20u);  // words
  EXPECT_GT(colours(p, 0, 700, 1440, 870), 40u);     // timeline
  EXPECT_GT(colours(p, 0, 878, 700, 898), 10u);      // status
}

TEST_F(GuiPicture, ThePlayheadMovesWithThePosition) {
  auto playhead = [&](trace::Position position) {
    options.position = position;
    Picture p = draw();
    int best = 0, where = 0;
    for (int x = 120; x < 1430; ++x)
      if (int n = count(p, x, 760, x + 1, 865, theme().now); n > best) best = n, where = x;
    EXPECT_GT(best, 60);
    return where;
  };
  int early = playhead(50), late = playhead(300);
  EXPECT_GT(late - early, 700);
}

TEST_F(GuiPicture, TheSamePlaceGivesTheSamePicture) {
  options.step = 4;
  EXPECT_EQ(draw().rgb, draw().rgb);
}

TEST_F(GuiPicture, LargerWindowsThemesAndScalesAreDrawn) {
  options.step = 6;
  options.width = 1920, options.height = 1080;
  EXPECT_GT(colours(draw(), 300, 54, 1500, 800), 100u);
  options.scale = 1.5f;
  EXPECT_GT(colours(draw(), 300, 54, 1500, 800), 100u);
  options.scale = 0;
  options.theme = "light";
  Picture light = draw();
  EXPECT_GT(count(light, 0, 0, 1920, 1080, theme_named("light").panel), 100000);
}

TEST_F(GuiPicture, APictureIsWrittenAsPngAndAnUnwritableFileIsRefused) {
  options.step = 1;
  options.shot = testing::TempDir() + "gui_picture.png";
  EXPECT_EQ(render_shot(session, options), 0);
  EXPECT_GT(std::filesystem::file_size(options.shot), 20000u);
  std::filesystem::remove(options.shot);
  options.shot = "/no/such/folder/x.png";
  EXPECT_EQ(render_shot(session, options), 2);
  options.step = 77;
  EXPECT_EQ(render_shot(session, options), 2);
}

}  // namespace
}  // namespace wakepath::gui
