// Reference pictures of the stage, drawn by the software renderer without a display and compared with a tolerance:
// other versions of Mesa or FreeType round edges in another way. WAKEPATH_REGOLD=1 writes them anew: look at the
// pictures, and say why they changed.
#include <gtest/gtest.h>
#include <stb/stb_image.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

#include "gui/gui.hh"
#include "tests/gui/synthetic.hh"

namespace wakepath::gui {
namespace {

constexpr int kWidth = 800, kHeight = 500;

/// How far two pictures of one size are from each other.
struct Distance {
  double mean = 0;      ///< of all channels, 0 to 255
  double striking = 0;  ///< per cent of the pixels with a channel that is off by more than 48
};

Distance distance(const std::vector<unsigned char>& a, const std::vector<unsigned char>& b) {
  double sum = 0;
  std::size_t striking = 0;
  for (std::size_t i = 0; i < a.size(); i += 3) {
    int most = 0;
    for (std::size_t c = 0; c < 3; ++c) {
      const int off = std::abs(static_cast<int>(a[i + c]) - static_cast<int>(b[i + c]));
      sum += off;
      most = std::max(most, off);
    }
    striking += most > 48 ? 1 : 0;
  }
  return {sum / static_cast<double>(a.size()), 300.0 * static_cast<double>(striking) / static_cast<double>(a.size())};
}

class GoldenPicture : public testing::Test {
 protected:
  void SetUp() override {
    setenv("LIBGL_ALWAYS_SOFTWARE", "1", 1);
    options.width = kWidth, options.height = kHeight;
  }

  void expect_golden(const std::string& name) {
    const std::filesystem::path path =
        std::filesystem::path(WAKEPATH_SOURCE_DIR) / "tests/golden/gui" / (name + ".png");
    std::string why;
    const std::optional<Picture> picture = render_picture(session, options, why);
    if (!picture && why.starts_with("EGL")) GTEST_SKIP() << "no off-screen OpenGL here: " << why;
    ASSERT_TRUE(picture) << why;
    const Picture& drawn = *picture;
    if (const char* again = std::getenv("WAKEPATH_REGOLD"); again != nullptr && *again == '1') {
      std::filesystem::create_directories(path.parent_path());
      ASSERT_EQ(write_png(path, drawn), "");
    }
    int w = 0, h = 0, channels = 0;
    unsigned char* bytes = stbi_load(path.c_str(), &w, &h, &channels, 3);
    ASSERT_NE(bytes, nullptr) << path << " cannot be read; WAKEPATH_REGOLD=1 writes it";
    const std::vector<unsigned char> golden(bytes, bytes + static_cast<std::ptrdiff_t>(w) * h * 3);
    stbi_image_free(bytes);
    ASSERT_EQ(golden.size(), drawn.rgb.size());
    const Distance off = distance(golden, drawn.rgb);
    const std::string seen = testing::TempDir() + "golden-" + name + ".png";
    if (off.mean > 1.5 || off.striking > 0.5) {
      EXPECT_EQ(write_png(seen, drawn), "");
    }
    EXPECT_LE(off.mean, 1.5) << "drawn: " << seen << ", expected: " << path;
    EXPECT_LE(off.striking, 0.5) << "per cent; drawn: " << seen << ", expected: " << path;
  }

  test::TraceSession session{test::make_ping_trace()};
  WindowOptions options;
};

TEST_F(GoldenPicture, AfterAStep) {
  options.step = 6;
  expect_golden("step");
}

TEST_F(GoldenPicture, WithinSoftirq) {
  const trace::Trace& trace = session.trace();
  trace::Position at = 0;
  while (at < trace.size() && trace[at].kind != trace::RecordKind::kWake) ++at;
  options.position = at + 1;
  expect_golden("wake");
}

TEST_F(GoldenPicture, InLightAndChinese) {
  options.step = 6;
  options.theme = "light";
  options.language = "zh";
  expect_golden("light-zh");
}

TEST_F(GoldenPicture, OnAProjector) {
  options.step = 4;
  options.theme = "projector";
  options.width = 1024, options.height = 640;
  expect_golden("projector");
}

TEST_F(GoldenPicture, ASelectedObject) {
  options.step = 6;
  options.select = "eventpoll#1";
  expect_golden("selected");
}

TEST_F(GoldenPicture, TheToleranceTellsNeighbouringStepsApart) {
  options.step = 5;
  std::string why;
  const std::optional<Picture> one = render_picture(session, options, why);
  if (!one && why.starts_with("EGL")) GTEST_SKIP() << "no off-screen OpenGL here: " << why;
  options.step = 6;
  const std::optional<Picture> other = render_picture(session, options, why);
  ASSERT_TRUE(one && other) << why;
  const Distance off = distance(one->rgb, other->rgb);
  EXPECT_TRUE(off.mean > 1.5 || off.striking > 0.5) << off.mean << ", " << off.striking << " per cent";
}

}  // namespace
}  // namespace wakepath::gui
