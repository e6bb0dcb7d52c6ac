// What a window looked like is remembered; a file that is wrong is told and does no harm.
#include "src/cli/window_state.hh"

#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>

#include "tests/temporary_folder.hh"

namespace wakepath::cli {
namespace {

using ::testing::HasSubstr;

class Remembered : public ::testing::Test {
 protected:
  void SetUp() override { setenv("XDG_STATE_HOME", folder_.path().c_str(), 1); }
  void TearDown() override { unsetenv("XDG_STATE_HOME"); }
  void put(const std::string& text) {
    ASSERT_EQ(write_window_state(window_state_file(), {}), "");
    std::ofstream(window_state_file()) << text;
  }
  test::TemporaryFolder folder_;
};

TEST_F(Remembered, StandsInTheFolderOfStateAndIsReadBack) {
  EXPECT_EQ(window_state_file(), folder_.path().string() + "/wakepath/window");
  WindowState left{.width = 1000, .height = 700, .theme = "light", .language = "zh", .calls = "hidden"};
  ASSERT_EQ(write_window_state(window_state_file(), left), "");
  WindowState read;
  ASSERT_EQ(read_window_state(window_state_file(), read), "");
  EXPECT_EQ(read.width, 1000);
  EXPECT_EQ(read.theme, "light");
  EXPECT_EQ(read.calls, "hidden");
  EXPECT_EQ(read.words, "room");
}

TEST_F(Remembered, TheCommandLineComesFirst) {
  ASSERT_EQ(write_window_state(window_state_file(), {.width = 1000, .theme = "light", .language = "zh"}), "");
  Look look{.width = 1440, .height = 900, .theme = "dark", .language = "en"};
  recall_look(look, [](const char* option) { return std::string(option) == "--theme"; });
  EXPECT_EQ(look.theme, "dark");
  EXPECT_EQ(look.language, "zh");
  EXPECT_EQ(look.width, 1000);
}

TEST_F(Remembered, AFileThatIsWrongIsToldAndNothingOfItCounts) {
  for (const char* bad : {"theme dark\nwidth many\n", "theme pink\n", "colour dark\n", "theme\n", "theme dark dark\n",
                          "width 99999999999999999999\n", "calls 3\n"}) {
    put(std::string("language zh\n") + bad);
    WindowState state;
    EXPECT_THAT(read_window_state(window_state_file(), state), HasSubstr(window_state_file() + ":")) << bad;
    EXPECT_EQ(state.language, "en") << bad;
  }
  put("");
  WindowState state;
  EXPECT_EQ(read_window_state(window_state_file(), state), "");
}

TEST_F(Remembered, AFolderThatCannotBeWrittenIsTold) {
  EXPECT_THAT(write_window_state("/proc/no/such/window", {}), HasSubstr("cannot be written"));
}

}  // namespace
}  // namespace wakepath::cli
