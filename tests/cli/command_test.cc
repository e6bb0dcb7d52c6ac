// The program from outside: what it prints, and the status with which it ends.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/temporary_folder.hh"

namespace wakepath::cli {
namespace {

namespace fs = std::filesystem;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

struct Ended {
  int status = -1;
  std::string said;  ///< on stderr, and on stdout where that was not led elsewhere
};

/// `wakepath` with these words, run by a shell in the folder of the sources; `by`: what it is run by.
Ended wakepath(const std::string& words, const char* output = "2>&1", const char* by = "") {
  FILE* pipe = popen(fmt::format("cd '{}' && {} '{}/wakepath' {} < /dev/null {}", WAKEPATH_SOURCE_DIR, by,
                                 WAKEPATH_BINARY_DIR, words, output)
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

std::string text_of(const fs::path& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

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

TEST(Views, OfSeveralFilesHaveFoldersOfTheirOwn) {
  test::TemporaryFolder folder;
  const std::string story =
      "wakepath: 1\ntitle: t\nsteps:\n  - a: s = socket(AF_INET, SOCK_DGRAM, 0)\n"
      "  - a: bind(s, 127.0.0.1:{})\n  - mark: bound\n";
  fs::create_directory(folder / "in");
  std::ofstream(folder / "one.yaml") << fmt::format(fmt::runtime(story), 4001);
  std::ofstream(folder / "two.yaml") << fmt::format(fmt::runtime(story), 4002);
  std::ofstream(folder.path() / "in" / "one.yaml") << fmt::format(fmt::runtime(story), 4003);
  const std::string in = folder.path().string();
  ASSERT_EQ(wakepath(fmt::format("run --views {0}/out {0}/one.yaml {0}/two.yaml", in)).status, 0);
  EXPECT_THAT(text_of(folder.path() / "out/one/model/bound/proc-net-udp"), HasSubstr("0100007F:0FA1"));
  EXPECT_THAT(text_of(folder.path() / "out/two/model/bound/proc-net-udp"), HasSubstr("0100007F:0FA2"));

  ASSERT_EQ(wakepath(fmt::format("run --views {0}/alone {0}/one.yaml", in)).status, 0);
  EXPECT_TRUE(fs::exists(folder.path() / "alone/model/bound/ss")) << "a file alone needs no name";

  ASSERT_EQ(wakepath(fmt::format("run --views {0}/same {0}/one.yaml {0}/in/one.yaml", in)).status, 0);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path() / "same"), {}), 2) << "files of one name";
}

TEST(View, SaysWhatThereIsToSelect) {
  const Ended nothing = wakepath("view " + kFile + " --step 3 --select nonsense");
  EXPECT_EQ(nothing.status, 2);
  EXPECT_THAT(nothing.said, HasSubstr("--select: found 'nonsense', expected one of "));
  EXPECT_THAT(nothing.said, HasSubstr("tcp_sock#1"));
  EXPECT_THAT(nothing.said, HasSubstr("after step 3"));
  EXPECT_THAT(wakepath("view " + kFile + " --select tcp_sock#1").said, HasSubstr("expected a step or a position"));
}

TEST(Why, WarnsOfWhatStandsBehindTheEndOfARecording) {
  test::TemporaryFolder folder;
  const std::string file = folder / "x.wkp";
  ASSERT_EQ(wakepath(fmt::format("record {} -o {}", kFile, file)).status, 0);
  std::ofstream(file, std::ios::app) << "junk";
  for (const std::string& command : {"why " + file, "export --step 3 --view tree " + file, "step " + file})
    EXPECT_THAT(wakepath(command).said, HasSubstr("found 4 bytes behind the end of the recording, expected none"));
}

TEST(Why, NamesTheRangeThatThereIs) {
  const Ended step = wakepath("why " + kFile + " --step 999");
  EXPECT_EQ(step.status, 2);
  EXPECT_THAT(step.said, HasSubstr("--step: found '999', expected a step from 1 to "));
  EXPECT_THAT(wakepath("why " + kFile + " --step nothing").said, HasSubstr("or a mark of "));
  EXPECT_THAT(wakepath("why " + kFile + " --record 99999999").said, HasSubstr("expected a number from 0 to "));
}

TEST(Run, SaysInWhatACallIsBlocked) {
  test::TemporaryFolder folder;
  const std::string file = folder / "blocks.yaml";
  std::ofstream(file) << "wakepath: 1\ntitle: t\nsteps:\n  - a: r, w = pipe2(0)\n  - a: read(r, 9) = 3\n";
  const Ended ended = wakepath("run " + file);
  EXPECT_EQ(ended.status, 1);
  EXPECT_THAT(ended.said, HasSubstr(file + ":5:5: found read blocked in ksys_read > vfs_read > pipe_read, expected 3"));
}

TEST(Run, SaysWhatAStatementFound) {
  test::TemporaryFolder folder;
  const std::string file = folder / "states.yaml";
  std::ofstream(file) << "wakepath: 1\ntitle: t\nsteps:\n  - a: s = socket(AF_INET, SOCK_STREAM, 0)\n"
                         "  - a: ep = epoll_create1(0)\n  - expect: s.state == LISTEN\n"
                         "  - expect: a.blocked_in == recv\n  - expect: s in ep.items\n"
                         "  - expect: len(ep.items) > s.error\n";
  const Ended ended = wakepath("run " + file);
  EXPECT_EQ(ended.status, 1);
  EXPECT_THAT(ended.said, HasSubstr(file + ":6:5: found s.state is CLOSE, expected s.state == LISTEN"));
  EXPECT_THAT(ended.said, HasSubstr("found a.blocked_in is none, expected a.blocked_in == recv"));
  EXPECT_THAT(ended.said, HasSubstr("found s is not in ep.items, expected s in ep.items"));
  EXPECT_THAT(ended.said, HasSubstr("found len(ep.items) is 0, s.error is 0, expected len(ep.items) > s.error"));
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
  EXPECT_THAT(wakepath("explore --most 5 --sample 0 " + kFile).said, HasSubstr("no `mark: explore` in it"));
  EXPECT_THAT(wakepath("explore scenarios/museum-lost-wake-up.yaml").said, Not(HasSubstr("no `mark: explore`")));
}

TEST(Fuzz, SaysWhatIsWrongWithItsNumbersAndItsFolderBeforeItBegins) {
  for (const char* words : {"--seed -3", "--seed 18446744073709551616", "--first 1x"}) {
    const Ended ended = wakepath(std::string("fuzz ") + words);
    EXPECT_EQ(ended.status, 2) << words;
    EXPECT_THAT(ended.said, HasSubstr("expected a whole number from 0 to 18446744073709551615")) << words;
  }
  EXPECT_THAT(wakepath("fuzz --first 18446744073709551615 --count 2").said, HasSubstr("no 2 programs are left"));
  const Ended nowhere = wakepath("fuzz --count 1 --out /proc/nope");
  EXPECT_EQ(nowhere.status, 2);
  EXPECT_THAT(nowhere.said, HasSubstr("--out: /proc/nope is no folder to write to"));
}

TEST(Fuzz, CountsWhatItHasRunWhenItIsStopped) {
  const Ended ended =
      wakepath("fuzz --count 100000 --shrink 0 --focus numbers", "2>&1", "timeout --preserve-status -s INT 2");
  EXPECT_EQ(ended.status, 130) << ended.said;
  EXPECT_THAT(ended.said, HasSubstr("stopped: "));
  EXPECT_THAT(ended.said, HasSubstr("of 100000 programs were run"));
}

TEST(Views, OfAFileWithoutMarksAreNone) {
  const test::TemporaryFolder folder;
  const Ended ended = wakepath(
      fmt::format("run --views '{}' {}", (folder / "views").string(), "scenarios/time-wait-keeps-the-port.yaml"));
  EXPECT_THAT(ended.said, HasSubstr("has no mark"));
}

// --- record -- COMMAND: any program on the running kernel -----------------------------------------------------------

class RecordedCommand : public testing::Test {
 protected:
  void SetUp() override {
    if (wakepath("record -o '" + recording() + "' -- true").status != 0)
      GTEST_SKIP() << "programs may not be followed with ptrace here";
  }
  [[nodiscard]] std::string recording() const { return (folder_.path() / "x.wkp").string(); }

 private:
  test::TemporaryFolder folder_;
};

TEST_F(RecordedCommand, RunsAsEverAndTheModelAgreesWithEachOfItsCalls) {
  const Ended ended = wakepath("record -o '" + recording() + "' -- python3 -I tests/cli/echo.py");
  EXPECT_EQ(ended.status, 0);
  EXPECT_THAT(ended.said, HasSubstr("HELLO\n"));
  // what the interpreter does for itself (asking who owns $HOME, say) may be more, and not followed
  EXPECT_THAT(ended.said, ContainsRegex("checked 30 unchecked [0-9]+ injected 0 divergences 0\n"));
  const Ended shown = wakepath("export '" + recording() + "' --view timeline");
  EXPECT_EQ(shown.status, 0);
  EXPECT_THAT(shown.said, HasSubstr("ep_poll_callback"));
}

TEST_F(RecordedCommand, MayBeginWithoutStandardInput) {
  const Ended ended = wakepath("record -o '" + recording() + "' -- python3 -I tests/cli/echo.py", "2>&1 <&-");
  EXPECT_THAT(ended.said, ContainsRegex("checked 30 unchecked [0-9]+ injected [0-9]+ divergences 0\n"));
}

TEST_F(RecordedCommand, GivesItsExitStatus) {
  EXPECT_EQ(wakepath("record -o '" + recording() + "' -- sh -c 'exit 7'").status, 7);
  EXPECT_EQ(wakepath("record -o '" + recording() + "' -- sh -c 'kill -9 $$'").status, 128 + 9);
}

TEST_F(RecordedCommand, IsTheOneThatASignalToUsIsFor) {
  const Ended ended =
      wakepath("record -o '" + recording() + "' -- sh -c 'trap \"exit 5\" TERM; while :; do sleep 0.1; done'", "2>&1",
               "timeout --foreground --preserve-status 2");
  EXPECT_EQ(ended.status, 5);
  EXPECT_TRUE(fs::exists(recording()));
}

TEST_F(RecordedCommand, ThatIsNotThereLeavesNoRecording) {
  fs::remove(recording());
  const Ended ended = wakepath("record -o '" + recording() + "' -- /nowhere/program");
  EXPECT_EQ(ended.status, 1);
  EXPECT_THAT(ended.said, HasSubstr("record: nothing was run, and no recording written"));
  EXPECT_FALSE(fs::exists(recording()));
}

TEST(RecordWithoutAFileOrCommand, SaysWhatIsExpected) {
  const Ended ended = wakepath("record");
  EXPECT_EQ(ended.status, 2);
  EXPECT_THAT(ended.said, HasSubstr("expected a FILE or -- COMMAND"));
}

}  // namespace
}  // namespace wakepath::cli
