// The real program in a real window on an X server of the test's own, moved by the real keyboard and mouse (xdotool),
// and looked at through the screen. Skipped only where those programs are not installed.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "sim/trace/file.hh"
#include "tests/gui/synthetic.hh"

namespace wakepath::gui {
namespace {

constexpr int kMostWait = 20000;  // ms, for any one thing to happen

/// A child process whose standard output or another descriptor is read by lines; killed and reaped at the end.
class Child {
 public:
  Child(const std::vector<std::string>& words, int report_fd, const std::string& display) {
    int ends[2];
    if (pipe(ends) != 0) return;
    pid_ = fork();
    if (pid_ == 0) {
      dup2(ends[1], report_fd);
      if (!display.empty()) setenv("DISPLAY", display.c_str(), 1);
      setenv("LIBGL_ALWAYS_SOFTWARE", "1", 1);
      setenv("XDG_STATE_HOME", (testing::TempDir() + "window-" + std::to_string(getpid())).c_str(), 1);
      if (report_fd != 2) dup2(open("/dev/null", O_WRONLY), 2);
      std::vector<char*> argv;
      for (const std::string& w : words) argv.push_back(const_cast<char*>(w.c_str()));
      argv.push_back(nullptr);
      execvp(argv[0], argv.data());
      _exit(127);
    }
    close(ends[1]);
    out_ = ends[0];
  }
  ~Child() {
    if (pid_ > 0 && !reaped_) kill(pid_, SIGTERM), waitpid(pid_, nullptr, 0);
    if (out_ >= 0) close(out_);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// The next line, or "" when none came in time or the child closed its end.
  std::string line() {
    std::string text;
    for (char c = 0;;) {
      pollfd p{out_, POLLIN, 0};
      if (poll(&p, 1, kMostWait) <= 0 || read(out_, &c, 1) != 1) return text;
      if (c == '\n') return text;
      text += c;
    }
  }
  int wait() {
    int status = 0;
    waitpid(pid_, &status, 0);
    reaped_ = true;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
  int out_ = -1;
  bool reaped_ = false;
};

bool installed(const char* program) {
  return std::system((std::string("command -v ") + program + " >/dev/null 2>&1").c_str()) == 0;
}

/// The screen as XWD gives it would need another package: Xvfb's own framebuffer file is the screen.
struct Screen {
  std::vector<unsigned char> bytes;
  std::size_t header = 0, width = 0, height = 0, stride = 0;

  explicit Screen(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    bytes.resize(std::filesystem::file_size(file));
    in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    auto number = [&](std::size_t i) {
      std::size_t v = 0;
      for (std::size_t b = 0; b < 4; ++b) v = (v << 8) | bytes.at(i * 4 + b);
      return v;
    };
    header = number(0) + number(19) * 12;  // the header's own size and the colour map (X11/XWDFile.h)
    width = number(4), height = number(5), stride = number(12);
  }
  [[nodiscard]] int at(std::size_t x, std::size_t y) const {
    std::size_t i = header + y * stride + x * 4;
    const unsigned char* pixel = bytes.data() + i;
    return pixel[0] | (pixel[1] << 8) | (pixel[2] << 16);
  }
  [[nodiscard]] std::size_t colours(std::size_t x0, std::size_t y0, std::size_t x1, std::size_t y1) const {
    std::set<int> seen;
    for (std::size_t y = y0; y < y1; ++y)
      for (std::size_t x = x0; x < x1; ++x) seen.insert(at(x, y));
    return seen.size();
  }
  /// Column of the timeline with the most pixels in the colour of "now"; 0 when there is none.
  [[nodiscard]] std::size_t playhead() const {
    std::size_t best = 20, where = 0;
    for (std::size_t x = 120; x < 1430; ++x) {
      std::size_t n = 0;
      for (std::size_t y = 770; y < 865; ++y) {
        int c = at(x, y);
        n += ((c >> 16) & 255) > 225 && ((c >> 8) & 255) > 180 && (c & 255) > 70 && (c & 255) < 140 ? 1 : 0;
      }
      if (n > best) best = n, where = x;
    }
    return where;
  }
};

class GuiWindow : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* program : {"Xvfb", "xdotool"})
      if (!installed(program)) GTEST_SKIP() << program << " is not installed";
    folder = std::filesystem::path(testing::TempDir()) / ("gui_window_" + std::to_string(getpid()));
    std::filesystem::create_directories(folder);
    auto trace = test::make_ping_trace();
    trace::FileWriter(*trace, folder / "ping.wkp").close();
    // the server chooses its number and writes it to descriptor 3
    server.emplace(std::vector<std::string>{"Xvfb", "-displayfd", "3", "-screen", "0", "1440x900x24", "-nolisten",
                                            "tcp", "-fbdir", folder.string()},
                   3, "");
    std::string number = server->line();
    ASSERT_FALSE(number.empty()) << "Xvfb did not start";
    display = ":" + number;
  }
  void TearDown() override {
    server.reset();
    std::error_code ignored;
    if (!folder.empty()) std::filesystem::remove_all(folder, ignored);
  }

  int xdotool(const std::string& words) {
    return std::system(("DISPLAY=" + display + " xdotool " + words + " >/dev/null 2>&1").c_str());
  }
  [[nodiscard]] Screen screen() const { return Screen(folder / "Xvfb_screen0"); }

  /// Looks at the screen until `seen` likes it; each look asks the X server something, so that it gets to draw.
  template <class Seen>
  bool eventually(Seen seen) {
    for (int i = 0; i < 400; ++i) {
      if (seen(screen())) return true;
      xdotool("getmouselocation");
    }
    return false;
  }

  std::filesystem::path folder;
  std::optional<Child> server;
  std::string display;
};

TEST_F(GuiWindow, OpensDrawsAndAnswersKeyboardAndMouse) {
  Child program(
      {WAKEPATH_BINARY_DIR "/wakepath", "view", (folder / "ping.wkp").string(), "--step", "2", "--reduce-motion"}, 1,
      display);
  ASSERT_EQ(program.line(), "window ready");
  ASSERT_EQ(xdotool("search --sync --onlyvisible --name Wakepath windowmove 0 0 windowfocus"), 0);
  ASSERT_TRUE(eventually([](const Screen& s) { return s.playhead() > 0; }));
  Screen first = screen();
  EXPECT_GT(first.colours(0, 54, 214, 600), 20u);      // call stack
  EXPECT_GT(first.colours(320, 60, 1160, 660), 100u);  // stage
  EXPECT_GT(first.colours(1170, 60, 1440, 400), 20u);  // inspector
  EXPECT_GT(first.colours(120, 700, 1430, 870), 50u);  // timeline
  std::size_t before = first.playhead();

  xdotool("key Right");  // one step forward
  EXPECT_TRUE(eventually([&](const Screen& s) { return s.playhead() > before + 20; }));
  xdotool("key Left");  // and back
  EXPECT_TRUE(eventually([&](const Screen& s) { return s.playhead() + 3 > before && s.playhead() < before + 3; }));
  xdotool("mousemove 1200 800 click 1");  // seek by clicking the timeline
  EXPECT_TRUE(eventually([&](const Screen& s) { return s.playhead() > 1190 && s.playhead() < 1210; }));
}

TEST_F(GuiWindow, AShotOfTheWindowIsWrittenAndTheProgramEnds) {
  std::string shot = (folder / "shot.png").string();
  Child program({WAKEPATH_BINARY_DIR "/wakepath", (folder / "ping.wkp").string(), "--step", "6", "--shot", shot}, 1,
                display);
  EXPECT_EQ(program.wait(), 0);
  EXPECT_GT(std::filesystem::file_size(shot), 20000u);
}

TEST(GuiNoDisplay, WithoutADisplayTheProgramSaysSoAndEndsWith3) {
  auto trace = test::make_ping_trace();
  std::string file = testing::TempDir() + "gui_no_display.wkp";
  trace::FileWriter(*trace, file).close();
  Child program({"env", "-u", "DISPLAY", "-u", "WAYLAND_DISPLAY", WAKEPATH_BINARY_DIR "/wakepath", "view", file}, 2,
                "");
  EXPECT_NE(program.line().find("display"), std::string::npos);
  EXPECT_EQ(program.wait(), 3);
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace wakepath::gui
