// The stage without a display as a series of pictures and as a film: the same pixels every time.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>

#include "src/cli/commands.hh"
#include "tests/temporary_folder.hh"

namespace wakepath::cli {
namespace {

const std::string kStory = WAKEPATH_SOURCE_DIR "/scenarios/wake-on-connect.yaml";

std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class Render : public ::testing::Test {
 protected:
  int render_range(const std::string& range, const std::string& name, const std::string& grain = "step") {
    return render({.file = kStory,
                   .range = range,
                   .output = (folder_ / name).string(),
                   .look = {.width = 800, .height = 501},
                   .grain = grain,
                   .rate = 4});
  }
  test::TemporaryFolder folder_;
};

TEST_F(Render, ARangeIsAPictureForEachStep) {
  ASSERT_EQ(render_range("6:8", "slide.png"), 0);
  std::set<std::string> pictures;
  for (const char* name : {"slide-6.png", "slide-7.png", "slide-8.png"}) {
    const std::string bytes = bytes_of(folder_ / name);
    EXPECT_EQ(bytes.substr(1, 3), "PNG") << name;
    pictures.insert(bytes);
  }
  EXPECT_EQ(pictures.size(), 3U) << "each step looks different";
  ASSERT_EQ(render_range("6:8", "again.png"), 0);
  EXPECT_EQ(bytes_of(folder_ / "slide-7.png"), bytes_of(folder_ / "again-7.png"));
}

TEST_F(Render, AFilmPlaysTheSteps) {
  if (std::system("command -v ffmpeg > /dev/null 2>&1") != 0) GTEST_SKIP() << "ffmpeg is not installed";
  for (const char* name : {"film.mp4", "film.gif", "film.webm"}) {
    ASSERT_EQ(render_range("6:7", name, "call"), 0) << name;
    const std::string file = (folder_ / name).string();
    const std::string count =
        "ffprobe -v error -count_frames -select_streams v -show_entries stream=nb_read_frames -of "
        "csv=p=0 " +
        file + " > " + file + ".frames";
    ASSERT_EQ(std::system(count.c_str()), 0);
    EXPECT_GE(std::stoi(bytes_of(file + ".frames")), 8) << name;  // two steps of a second each
  }
}

TEST_F(Render, SaysWhatIsWrongAndWritesNothing) {
  EXPECT_EQ(render_range("7:99", "x.png"), 2);
  EXPECT_EQ(render_range("8:7", "x.png"), 2);
  EXPECT_EQ(render_range("seven", "x.png"), 2);
  EXPECT_EQ(render_range("6:7", "x.avi"), 2);
  EXPECT_EQ(render_range("6:7", "no-such-folder/x.png"), 2);
  EXPECT_EQ(render_range("6:7", "no-such-folder/x.gif"), 2);
  EXPECT_EQ(render({.file = kStory, .step = "6", .output = (folder_ / "no-such-folder/x.png").string()}), 2);
  EXPECT_EQ(render({.file = kStory, .output = (folder_ / "x.mp4").string()}), 2) << "a film of nothing";
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(Render, AFilmThatFailsLeavesWhatWasThere) {
  if (std::system("command -v ffmpeg > /dev/null 2>&1") != 0) GTEST_SKIP() << "ffmpeg is not installed";
  std::ofstream(folder_ / "film.gif") << "an earlier film";
  EXPECT_EQ(render_range("8:7", "film.gif"), 2);
  EXPECT_EQ(bytes_of(folder_ / "film.gif"), "an earlier film");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "film.gif.part"));
}

}  // namespace
}  // namespace wakepath::cli
