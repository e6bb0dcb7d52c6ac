// The program from outside: what it prints, and the status with which it ends.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "tests/temporary_folder.hh"

namespace wakepath::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Ended {
  int status = -1;
  std::string said;  ///< on stderr, and on stdout where that was not led elsewhere
};

/// `wakepath` with these words, run by a shell in the folder of the sources.
Ended wakepath(const std::string& words, const char* output = "2>&1") {
  FILE* pipe = popen(
      fmt::format("cd '{}' && '{}/wakepath' {} < /dev/null {}", WAKEPATH_SOURCE_DIR, WAKEPATH_BINARY_DIR, words, output)
          .c_str(),
      "re");
  Ended out;
  std::array<char, 512> piece{};
  while (const size_t got = fread(piece.data(), 1, piece.size(), pipe)) out.said.append(piece.data(), got);
  const int status = pclose(pipe);
  out.status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  return out;
}

/// With standard output on a disk that is full.
Ended on_a_full_disk(const std::string& words) { return wakepath(words, "2>&1 > /dev/full"); }

const std::string kFile = "scenarios/wake-on-connect.yaml";

TEST(FullDisk, IsStatusTwoForEveryCommandThatPrints) {
  for (const std::string& command :
       {"run " + kFile, "run --format json " + kFile, "why " + kFile, "step " + kFile, "export --format dot " + kFile,
        std::string("explore scenarios/museum-lost-wake-up.yaml"), std::string("doctor"), std::string("--help")}) {
    const Ended ended = on_a_full_disk(command);
    EXPECT_EQ(ended.status, 2) << command;
    EXPECT_THAT(ended.said, HasSubstr("wakepath: standard output cannot be written: ")) << command;
  }
}

TEST(FullDisk, DoesNotHideThatSomethingDiffers) {
  EXPECT_EQ(on_a_full_disk("explore scenarios/museum-lost-wake-up.yaml --mutant no_second_look").status, 1);
}

TEST(Views, AFolderThatCannotBeMadeIsStatusTwo) {
  const Ended ended = wakepath("run --on both --views /proc/x " + kFile);
  EXPECT_EQ(ended.status, 2);
  EXPECT_THAT(ended.said, HasSubstr("--views: /proc/x is no folder to write to: No such file or directory"));
}

TEST(Views, AFileIsNoFolder) {
  test::TemporaryFolder folder;
  std::ofstream(folder / "taken") << "text";
  const Ended ended = wakepath(fmt::format("run --views {} {}", (folder / "taken").string(), kFile));
  EXPECT_EQ(ended.status, 2);
  EXPECT_THAT(ended.said, HasSubstr("is no folder to write to: Not a directory"));
}

TEST(Views, AFileInTheWayOfAMachineIsAnErrorOfTheRun) {
  test::TemporaryFolder folder;
  std::ofstream(folder / "model") << "text";
  const Ended ended = wakepath(fmt::format("run --views {} {}", folder.path().string(), kFile));
  EXPECT_EQ(ended.status, 2);
  EXPECT_THAT(ended.said, HasSubstr("cannot be written: Not a directory"));
}

TEST(Explore, SaysThatTheMarkIsMissing) {
  EXPECT_THAT(wakepath("explore --most 5 " + kFile).said, HasSubstr("no `mark: explore` in it"));
  EXPECT_THAT(wakepath("explore scenarios/museum-lost-wake-up.yaml").said, Not(HasSubstr("no `mark: explore`")));
}

}  // namespace
}  // namespace wakepath::cli
