// A lesson on the stage: it stops at its questions, takes an answer by key, click or words, and keeps it; everything is
// said in both languages, and every sign of it can be drawn.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "gui/start.hh"
#include "gui/tongue.hh"
#include "sim/export/explain.hh"
#include "src/scenario/model_machine.hh"
#include "src/scenario/parser.hh"
#include "tests/gui/driving.hh"

namespace wakepath::gui {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

const char* const kLesson = R"yaml(wakepath: 1
title: Three questions
steps:
  - alice: a, b = socketpair(AF_UNIX, SOCK_STREAM, 0)
  - say: {en: Two sockets., zh: 两个套接字。}
  - ask:
      question: {en: What is there?, zh: 有什么？}
      choices: [{en: a pipe, zh: 管道}, {en: a pair, zh: 一对}]
      answer: 2
      why: {en: socketpair() makes two., zh: socketpair() 造两个。}
  - alice: send(a, "x")
  - ask: {question: Who sent?, pick: thread, answer: alice}
  - bob: p, q = socketpair(AF_UNIX, SOCK_STREAM, 0)
  - ask: {question: How many bytes?, answer: "1"}
)yaml";

std::shared_ptr<trace::Trace> lesson() {
  std::shared_ptr<trace::Trace> trace;
  const auto parsed = scenario::parse("lesson.yaml", kLesson);
  scenario::run_on_model(std::get<scenario::Scenario>(parsed), {}, &trace);
  return trace;
}

class StageLesson : public test::Driver {
 protected:
  StageLesson() : Driver(lesson()) {
    model.resume({}, [this](const Given& given) { kept = given; });
  }
  ~StageLesson() override { use_language("en"); }
  Given kept;
};

TEST_F(StageLesson, PlayingStopsAtAQuestionWithoutAnAnswer) {
  model.set_grain(Grain::kFunction);
  model.set_speed(16);
  model.play(true);
  for (int i = 0; i < 600 && model.playing(); ++i) frames(1);
  ASSERT_NE(model.question(), nullptr);
  EXPECT_EQ(model.question()->step, 3U);
  EXPECT_LT(model.position(), model.end());
  model.answer("1");
  model.play(true);
  for (int i = 0; i < 600 && model.playing(); ++i) frames(1);
  EXPECT_EQ(model.question()->step, 5U) << "an answered one is passed";
}

TEST_F(StageLesson, ADigitAnswersAnOpenQuestionAndTheFirstAnswerCounts) {
  model.seek_step(3);
  frames(2);
  press(compat::Key::kTwo);
  press(compat::Key::kOne);
  EXPECT_THAT(kept, ElementsAre(Pair(3, "2")));
  EXPECT_EQ(model.quiz().right(), 1U);
  EXPECT_EQ(model.grain(), Grain::kRecord) << "once it is answered, digits choose the grain again";
}

TEST_F(StageLesson, AClickOnAChoiceAnswers) {
  model.seek_step(3);
  frames(2);
  click("question/1");
  EXPECT_THAT(kept, ElementsAre(Pair(3, "1")));
  EXPECT_EQ(model.quiz().right(), 0U);
}

TEST_F(StageLesson, AClickOnTheThreadAnswersWhoItIs) {
  model.seek_step(5);
  frames(2);
  click("card/alice");
  EXPECT_THAT(kept, ElementsAre(Pair(5, "alice")));
  EXPECT_EQ(model.quiz().right(), 1U);
}

TEST_F(StageLesson, AnAnswerInWordsIsTyped) {
  model.seek_step(7);
  frames(2);
  click("question/field");
  ImGui::GetIO().AddInputCharacter('1');
  frames(2);
  press(compat::Key::kEnter);
  EXPECT_THAT(kept, ElementsAre(Pair(7, "1")));
}

TEST_F(StageLesson, WhatWasAnsweredEarlierIsThere) {
  model.resume({{3, "2"}}, [this](const Given& given) { kept = given; });
  model.seek_step(5);
  frames(2);
  click("question/1");
  EXPECT_THAT(kept, ElementsAre(Pair(3, "2"), Pair(5, "alice")));
}

TEST_F(StageLesson, F4SpeaksTheOtherLanguageAndF3ChangesTheColours) {
  EXPECT_EQ(tr("Keys"), "Keys");
  press(compat::Key::kF4);
  EXPECT_EQ(tr("Keys"), "按键");
  press(compat::Key::kF4);
  EXPECT_EQ(language(), "en");
  press(compat::Key::kF3);
  EXPECT_EQ(theme().name, "light");
  for (std::size_t i = 1; i < theme_names().size(); ++i) press(compat::Key::kF3);
  EXPECT_EQ(theme().name, "dark");
}

TEST(StageWords, ArePlacesForTheSameThingsInBothLanguages) {
  const auto places = [](std::string_view words) { return std::count(words.begin(), words.end(), '{'); };
  for (const Translation& one : chinese()) EXPECT_EQ(places(one.english), places(one.words)) << one.english;
}

TEST(StageWords, EverySignOfTheCourseAndTheInterfaceCanBeDrawn) {
  std::string letters;
  for (const Translation& one : chinese()) letters += one.words;
  for (const std::string& id : exports::explain_ids("zh")) letters += exports::explain("zh", id);
  for (const auto& entry : std::filesystem::directory_iterator(WAKEPATH_SOURCE_DIR "/scenarios")) {
    if (entry.path().extension() != ".yaml") continue;
    std::ifstream in(entry.path());
    letters.append(std::istreambuf_iterator<char>(in), {});
  }
  ASSERT_GT(letters.size(), 50000U);
  ImGui::CreateContext();
  EXPECT_THAT(load_fonts(1, letters), ElementsAre()) << "every font is here";
  compat::build_atlas();
  for (const Font* font : {&fonts().text, &fonts().bold, &fonts().small, &fonts().small_bold, &fonts().mono_small})
    EXPECT_EQ(without_glyph(*font, letters), "");
  ImGui::DestroyContext();
}

}  // namespace
}  // namespace wakepath::gui
