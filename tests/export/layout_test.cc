#include "sim/export/layout.hh"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/temporary_folder.hh"

namespace wakepath::exports {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
namespace fs = std::filesystem;

constexpr std::string_view kSmall =
    "digraph { a [label=<<TABLE><TR><TD PORT=\"x\">one</TD></TR></TABLE>>]; a:x -> b; }";

/// A graph with clusters and tables, the kind that makes libgvc leak.
std::string clustered(int seed) {
  std::string out = "digraph { node [shape=plain];\n";
  for (int c = 0; c < 4; ++c) {
    out += fmt::format("subgraph cluster_{} {{\n", c);
    for (int n = 0; n < 6; ++n)
      out += fmt::format("n{} [label=<<TABLE><TR><TD PORT=\"p\">{}</TD></TR></TABLE>>];\n", c * 6 + n, seed);
    out += "}\n";
  }
  for (int n = 1; n < 24; ++n) out += fmt::format("n{}:p -> n{}:p;\n", (n * 7 + seed) % n, n);
  return out + "}\n";
}

/// Resident memory of a process in kB.
long resident_kb(pid_t pid) {
  std::ifstream in(fmt::format("/proc/{}/statm", pid));
  long total = 0, resident = 0;
  in >> total >> resident;
  return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

/// A shell script that stands in for the helper.
class Impostor {
 public:
  explicit Impostor(std::string_view script) {
    std::ofstream(path()) << "#!/bin/sh\n" << script << "\n";
    chmod(path().c_str(), 0755);
  }
  [[nodiscard]] fs::path path() const { return folder_ / "helper"; }

 private:
  test::TemporaryFolder folder_;
};

TEST(LayoutHelper, DrawsSvgPngAndJson) {
  LayoutHelper helper;
  Picture svg = helper.layout(kSmall, LayoutFormat::kSvg);
  ASSERT_EQ(svg.error, "");
  EXPECT_THAT(svg.bytes, HasSubstr("<svg "));
  EXPECT_THAT(svg.bytes, HasSubstr(">one</text>"));
  Picture json = helper.layout(kSmall, LayoutFormat::kJson);
  ASSERT_EQ(json.error, "");
  auto graph = nlohmann::json::parse(json.bytes);
  EXPECT_EQ(graph.at("objects").size(), 2u);
  EXPECT_THAT(graph.at("edges").at(0).at("pos").get<std::string>(), StartsWith("e,"));
  EXPECT_EQ(helper.started(), 1) << "one process draws them all";
}

TEST(LayoutHelper, DrawsAPngOfASaneSizeWithSomethingOnIt) {
  LayoutHelper helper;
  Picture png = helper.layout(clustered(1), LayoutFormat::kPng);
  if (png.error.find("renderer for png is unavailable") != std::string::npos)
    GTEST_SKIP() << "Graphviz's cairo plugin is not installed";
  ASSERT_EQ(png.error, "");
  ASSERT_THAT(png.bytes, StartsWith("\x89PNG\r\n"));
  auto number = [&](std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(png.bytes[at + i]);
    return value;
  };
  EXPECT_GT(number(16), 100u);
  EXPECT_LT(number(16), 5000u);
  EXPECT_GT(number(20), 100u);
  EXPECT_LT(number(20), 5000u);
  // an empty picture of this size compresses to next to nothing
  EXPECT_GT(png.bytes.size(), 3000u);
}

TEST(LayoutHelper, SaysWhatIsWrongWithAGraphAndGoesOn) {
  LayoutHelper helper;
  Picture bad = helper.layout("digraph { a -> ", LayoutFormat::kSvg);
  EXPECT_THAT(bad.error, HasSubstr("syntax error"));
  EXPECT_TRUE(bad.bytes.empty());
  EXPECT_THAT(helper.layout("digraph { a [label=<<TABLE>]; }", LayoutFormat::kSvg).error, HasSubstr("Error"));
  EXPECT_THAT(helper.layout("", LayoutFormat::kSvg).error, HasSubstr("not a graph"));
  EXPECT_EQ(helper.layout(kSmall, LayoutFormat::kSvg).error, "");
  EXPECT_EQ(helper.started(), 1);
}

TEST(LayoutHelper, TakesALostEdgeForAnError) {
  // edges between fields of records on one rank: Graphviz 2.42 drops them with a message and no line
  std::string dot =
      "digraph { node [shape=record]; a [label=\"<x> 1 | <y> 2\"]; b [label=\"<x> 1 | <y> 2\"];"
      "{ rank=same; a:y -> b:x; a:x -> b:y [label=\"l\"]; b:x -> a:y [label=\"k\"]; a:x -> a:y; } }";
  LayoutHelper helper;
  Picture picture = helper.layout(dot, LayoutFormat::kSvg);
  if (picture.ok()) GTEST_SKIP() << "this Graphviz draws flat edges between fields of records";
  EXPECT_THAT(picture.error, HasSubstr("edge"));
}

TEST(LayoutHelper, IsStoppedAtItsLimitAndStartedAgain) {
  LayoutHelper helper({.executable = {}, .limit = std::chrono::milliseconds(300)});
  ASSERT_EQ(helper.layout(kSmall, LayoutFormat::kSvg).error, "");
  ASSERT_EQ(kill(helper.pid(), SIGSTOP), 0);
  EXPECT_EQ(helper.layout(kSmall, LayoutFormat::kSvg).error, "the layout took longer than 300 ms and was stopped");
  EXPECT_EQ(helper.pid(), 0);
}

TEST(LayoutHelper, ThatWasKilledIsStartedAgain) {
  LayoutHelper helper;
  ASSERT_EQ(helper.layout(kSmall, LayoutFormat::kSvg).error, "");
  pid_t first = helper.pid();
  ASSERT_EQ(kill(first, SIGKILL), 0);
  Picture next = helper.layout(kSmall, LayoutFormat::kSvg);
  if (!next.ok()) {  // its death was noticed only in the middle
    EXPECT_THAT(next.error, HasSubstr("died of signal 9"));
    next = helper.layout(kSmall, LayoutFormat::kSvg);
  }
  EXPECT_EQ(next.error, "");
  EXPECT_NE(helper.pid(), first);
}

TEST(LayoutHelper, ThatAbortsInALayoutIsAnError) {
  Impostor aborts("head -c 20 > /dev/null\nkill -ABRT $$");
  LayoutHelper helper({.executable = aborts.path()});
  EXPECT_THAT(helper.layout(kSmall, LayoutFormat::kSvg).error, HasSubstr("died of signal 6 (Aborted)"));
  EXPECT_EQ(helper.pid(), 0);
}

TEST(LayoutHelper, ThatEndsOrTalksNonsenseIsAnError) {
  Impostor ends("exit 3");
  LayoutHelper ended({.executable = ends.path()});
  EXPECT_THAT(ended.layout(kSmall, LayoutFormat::kSvg).error, HasSubstr("ended with status 3"));
  Impostor talks("echo nonsense and more nonsense\ncat > /dev/null");
  LayoutHelper talking({.executable = talks.path()});
  EXPECT_THAT(talking.layout(kSmall, LayoutFormat::kSvg).error, HasSubstr("nonsense"));
}

TEST(LayoutHelper, ThatIsNotThereIsAnErrorWithItsPlace) {
  LayoutHelper helper({.executable = "/nowhere/wakepath-layout"});
  EXPECT_THAT(helper.layout(kSmall, LayoutFormat::kSvg).error, HasSubstr("/nowhere/wakepath-layout: cannot be run"));
}

// Without its list of plugins, Graphviz has what is linked in: SVG works, PNG is a message.
TEST(LayoutHelper, WithoutPluginsDrawsSvgAndSaysWhatIsMissingForPng) {
  LayoutHelper probe;
  ASSERT_EQ(probe.layout(kSmall, LayoutFormat::kSvg).error, "");
  fs::path real = fs::read_symlink(fmt::format("/proc/{}/exe", probe.pid()));
  Impostor bare("GVBINDIR=/nowhere exec '" + real.string() + "' --serve");
  LayoutHelper helper({.executable = bare.path()});
  EXPECT_EQ(helper.layout(kSmall, LayoutFormat::kSvg).error, "");
  EXPECT_EQ(helper.layout(kSmall, LayoutFormat::kPng).error,
            "Graphviz cannot write png: Error: renderer for png is unavailable");
}

TEST(LayoutHelper, KeepsMemoryFlatOver450Layouts) {
  LayoutHelper helper;
  std::vector<long> at_end;  // of each process, after its last layout
  for (int i = 0; i < 450; ++i) {
    Picture picture = helper.layout(clustered(i), LayoutFormat::kJson);
    ASSERT_EQ(picture.error, "") << "layout " << i;
    if (i % 200 == 199) at_end.push_back(resident_kb(helper.pid()));
  }
  EXPECT_EQ(helper.started(), 3);
  ASSERT_EQ(at_end.size(), 2u);
  EXPECT_LT(at_end[1], at_end[0] + at_end[0] / 4) << "kB: what the first process leaked is gone with it";
}

}  // namespace
}  // namespace wakepath::exports
