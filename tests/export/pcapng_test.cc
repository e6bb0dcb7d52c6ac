// Captures of the model's packets, read by tshark: every header is one that it understands, and every checksum right.
#include "sim/export/pcapng.hh"

#include <gmock/gmock.h>
#include <stdlib.h>

#include <array>
#include <filesystem>
#include <memory>

#include "src/cli/commands.hh"
#include "tests/temporary_folder.hh"

namespace wakepath::exports {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Pcapng, IsBlocksOfWholeWordsThatSayTheirLengthTwice) {
  Pcapng capture("three words");
  capture.add(1'000'000'001, "odd", "why");
  const std::string& bytes = capture.bytes();
  const auto word = [&](std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value |= std::uint32_t{static_cast<unsigned char>(bytes.at(at + i))} << (8 * i);
    return value;
  };
  std::vector<std::uint32_t> types;
  for (std::size_t at = 0; at < bytes.size(); at += word(at + 4)) {
    types.push_back(word(at));
    EXPECT_EQ(word(at + 4) % 4, 0U);
    EXPECT_EQ(word(at + word(at + 4) - 4), word(at + 4));
  }
  EXPECT_THAT(types, ElementsAre(0x0A0D0D0AU, 1U, 6U));
}

/// A line for each packet of a story, as tshark sees it.
class Capture : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::system("command -v tshark > /dev/null 2>&1") != 0) GTEST_SKIP() << "tshark is not installed";
  }
  std::vector<std::string> shown(const std::string& story, const std::string& fields) {
    const std::string file = (folder_ / "x.pcapng").string();
    EXPECT_EQ(cli::export_packets(std::string(WAKEPATH_SOURCE_DIR "/") + story, file), 0);
    const std::string command = "HOME=" + folder_.path().string() +
                                " timeout 50 tshark -n -o tcp.check_checksum:TRUE -o udp.check_checksum:TRUE " +
                                "-o ip.check_checksum:TRUE -r " + file + " -T fields -E separator='|' " + fields +
                                " 2>" + file + ".err";
    std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "re"), pclose);
    std::string text;
    std::array<char, 4096> block;
    while (const std::size_t got = fread(block.data(), 1, block.size(), pipe.get())) text.append(block.data(), got);
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1)
      lines.push_back(text.substr(at, text.find('\n', at) - at));
    return lines;
  }
  test::TemporaryFolder folder_;
};

TEST_F(Capture, AHandshakeReadsAsOne) {
  const auto lines = shown("scenarios/wake-on-connect.yaml",
                           "-e ip.src -e ip.dst -e tcp.flags.str -e tcp.seq -e tcp.len -e frame.comment");
  ASSERT_GE(lines.size(), 3U);
  EXPECT_THAT(lines[0], HasSubstr("127.0.0.1|127.0.0.1|··········S·|0|0|step "));
  EXPECT_THAT(lines[1], HasSubstr("·······A··S·"));
  EXPECT_THAT(lines[2], HasSubstr("·······A····|1|0"));
}

TEST_F(Capture, NothingInAnyStoryIsMalformedOrHasAWrongChecksum) {
  for (const char* story :
       {"scenarios/wake-on-connect.yaml", "scenarios/udp-datagrams.yaml", "tests/scenario/stories/ipv6-names.yaml",
        "tests/scenario/stories/ipv6-dual-stack-accept.yaml", "tests/scenario/stories/tcp_urgent.yaml"}) {
    SCOPED_TRACE(story);
    const auto lines = shown(story,
                             "-e frame.protocols -e _ws.malformed -e ip.checksum.status -e tcp.checksum.status "
                             "-e udp.checksum.status -e icmp.checksum.status");
    EXPECT_FALSE(lines.empty());
    for (const std::string& line : lines) {
      EXPECT_THAT(line, ::testing::Not(HasSubstr("_ws.malformed")));
      const std::string after = line.substr(line.find('|'));
      EXPECT_EQ(after.find('0'), std::string::npos) << line << ": a status of 0 is a bad checksum";
      EXPECT_NE(after.find('1'), std::string::npos) << line;
    }
  }
}

}  // namespace
}  // namespace wakepath::exports
