// Scenarios as sheets: what is to be predicted is blank, and filled in for the teacher.
#include "src/lesson/worksheet.hh"

#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

#include "src/cli/commands.hh"
#include "src/scenario/parser.hh"
#include "tests/scenario_files.hh"
#include "tests/temporary_folder.hh"

namespace wakepath::lesson {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

scenario::Scenario worksheet_story() {
  return std::get<scenario::Scenario>(scenario::parse("story.yaml", R"yaml(wakepath: 1
title: {en: A pipe, zh: 管道}
about: {en: Bytes in a row., zh: 一串字节。}
steps:
  - say: {en: A pipe., zh: 一个管道。}
  - a: r, w = pipe2(O_NONBLOCK)
  - a: fcntl(r, F_SETFD, 0) = 0
  - a: read(r, 8) = -1 EAGAIN
    label: {en: empty, zh: 空的}
  - say: {en: Somebody writes., zh: 有人写。}
  - ask:
      question: {en: What does read() give?, zh: read() 得到什么？}
      choices: [{en: nothing, zh: 什么也没有}, {en: two bytes, zh: 两个字节}]
      answer: 2
      why: {en: They are there., zh: 已经在了。}
  - expect: a.blocked_in == none
  - signal: {to: a, name: SIGUSR1}
  - a: 'write(w, "ab") = 2'
  - a: close(w) = 0
  - say: {en: Two bytes are there., zh: 有两个字节。}
)yaml"));
}

TEST(Worksheet, LeavesBlankWhatIsToBePredicted) {
  const std::string sheet = worksheet({worksheet_story()}, {});
  EXPECT_THAT(sheet, HasSubstr("# A pipe\n\n`story.yaml`\n\n\n> A pipe.\n"));
  EXPECT_THAT(sheet, HasSubstr("- **2** `a: r, w = pipe2(O_NONBLOCK)`\n"));
  EXPECT_THAT(sheet, HasSubstr("- **3** `a: fcntl(r, F_SETFD, 0) = 0`\n")) << "that a call went well is no riddle";
  EXPECT_THAT(sheet, HasSubstr("- **4** `a: read(r, 8) = __________`\n"));
  EXPECT_THAT(sheet,
              HasSubstr("**Question 1.** What does read() give?\n\n   - [ ] 1) nothing\n   - [ ] 2) two bytes\n"));
  EXPECT_THAT(sheet, HasSubstr("- **7** `a.blocked_in == __________`\n"));
  EXPECT_THAT(sheet, HasSubstr("- **8** `signal SIGUSR1 to a`\n"));
}

TEST(Worksheet, GivesNothingAwayThatIsAsked) {
  const std::string sheet = worksheet({worksheet_story()}, {});
  EXPECT_THAT(sheet, Not(HasSubstr("Bytes in a row."))) << "what the file is about";
  EXPECT_THAT(sheet, Not(HasSubstr("(empty)"))) << "a label";
  EXPECT_THAT(sheet, Not(HasSubstr("Somebody writes."))) << "narration below a blank";
  EXPECT_THAT(sheet, Not(HasSubstr("They are there."))) << "why an answer is right";
  EXPECT_THAT(sheet, HasSubstr("- **10** `a: close(w) = __________`\n")) << "below a question, 0 may be its answer";
  EXPECT_THAT(sheet, Not(HasSubstr("Two bytes are there.")));
}

TEST(Worksheet, GivesNothingAwayInTheWholeCourse) {
  std::size_t questions = 0;
  for (const auto& file : test::scenario_files({"/scenarios"})) {
    const auto parsed = scenario::parse_file(file.string());
    const auto& scenario = std::get<scenario::Scenario>(parsed);
    const std::string sheet = worksheet({scenario}, {});
    std::size_t asked = 0;
    for (const scenario::Step& step : scenario.steps) {
      const bool ask = step.kind == scenario::Step::Kind::ask;
      asked += ask ? 1 : 0;
      if (ask || (asked > 0 && step.kind == scenario::Step::Kind::say)) {
        const std::string told = (ask ? step.ask.why : step.say).in("en");
        EXPECT_THAT(sheet, Not(HasSubstr(told.substr(0, 40)))) << file;
      }
    }
    questions += asked;
  }
  EXPECT_GT(questions, 80u);
}

TEST(Worksheet, TellsTheTeacherEverything) {
  const std::string sheet = worksheet({worksheet_story()}, {.answers = true});
  EXPECT_THAT(sheet, HasSubstr("# A pipe\n\n`story.yaml`\n\nBytes in a row.\n"));
  EXPECT_THAT(sheet, HasSubstr("- **4** `a: read(r, 8) = -1 EAGAIN` (empty)\n"));
  EXPECT_THAT(sheet, HasSubstr("> Somebody writes.\n"));
  EXPECT_THAT(sheet, HasSubstr("   - [x] 2) two bytes\n\nWhy: They are there.\n"));
  EXPECT_THAT(sheet, HasSubstr("- **7** `a.blocked_in == none`\n"));
  EXPECT_THAT(sheet, HasSubstr("- **10** `a: close(w) = 0`\n"));
  EXPECT_THAT(sheet, Not(HasSubstr("___")));
}

TEST(Worksheet, SpeaksChinese) {
  const std::string sheet = worksheet({worksheet_story()}, {.language = "zh"});
  EXPECT_THAT(sheet, HasSubstr("# 管道\n"));
  EXPECT_THAT(sheet, HasSubstr("**问题 1.** read() 得到什么？\n"));
  EXPECT_THAT(sheet, Not(HasSubstr("Question")));
}

TEST(Worksheet, PrintsTheFilesOfALessonInItsOrder) {
  const test::TemporaryFolder folder;
  const std::string output = folder / "sheet.md";
  ASSERT_EQ(cli::worksheet({.what = {"3"}, .folder = WAKEPATH_SOURCE_DIR "/scenarios", .output = output}), 0);
  std::stringstream text;
  text << std::ifstream(output).rdbuf();
  const std::size_t handshake = text.str().find("handshake-and-two-queues.yaml`");
  const std::size_t accept = text.str().find("accept-step-by-step.yaml`");
  ASSERT_NE(accept, std::string::npos);
  EXPECT_LT(handshake, accept);
  EXPECT_THAT(text.str(), Not(HasSubstr("layers.yaml`")));
  EXPECT_EQ(cli::worksheet({.what = {"99"}, .folder = WAKEPATH_SOURCE_DIR "/scenarios", .output = output}), 2);
  EXPECT_EQ(cli::worksheet({.what = {"no-such-file.yaml"}, .output = output}), 2);
}

}  // namespace
}  // namespace wakepath::lesson
