// What a lesson says and asks: through a note and back, and what counts as right.
#include "sim/trace/lesson_words.hh"

#include <gtest/gtest.h>

namespace wakepath::trace {
namespace {

const Question kChoosing{.question = {{{"en", "What sleeps?"}, {"zh", "谁在睡？"}}},
                         .choices = {{{{"en", "a socket"}}}, {{{"en", "A thread"}, {"zh", "线程"}}}},
                         .choice = 2,
                         .why = {{{"en", "Sockets do not \"sleep\"."}}}};
const Question kPicking{
    .question = {{{"en", "Who wakes?"}}}, .pick = "thread", .names = {"a", "b"}, .answer = {{{"en", "b"}}}};

TEST(LessonWords, AQuestionComesBackFromItsNote) {
  const Question back = question_of_note(note_of(kChoosing));
  EXPECT_EQ(back.question.by_language, kChoosing.question.by_language);
  ASSERT_EQ(back.choices.size(), 2U);
  EXPECT_EQ(back.choices[1].in("zh"), "线程");
  EXPECT_EQ(back.choice, 2);
  EXPECT_EQ(back.why.in("en"), "Sockets do not \"sleep\".");
  const Question picked = question_of_note(note_of(kPicking));
  EXPECT_EQ(picked.pick, "thread");
  EXPECT_EQ(picked.names, kPicking.names);
  EXPECT_EQ(picked.answer.in("zh"), "b") << "English stands in for a language that is not there";
}

TEST(LessonWords, WhatIsNoNoteIsStillShown) {
  EXPECT_EQ(words_of_note("The server sleeps.").in("zh"), "The server sleeps.");
  EXPECT_EQ(question_of_note("Who wakes?").question.in("en"), "Who wakes?");
  EXPECT_EQ(question_of_note(R"({"question": 7, "choices": [1], "choice": "x", "names": 3})").choice, 0);
  EXPECT_EQ(words_of_note("[1").in("en"), "[1");
}

TEST(LessonWords, AChoiceIsRightByNumberOrWordsInAnyLanguage) {
  for (const char* given : {"2", " a THREAD ", "线程"}) EXPECT_TRUE(is_right(kChoosing, given)) << given;
  for (const char* given : {"1", "a socket", "", "3"}) EXPECT_FALSE(is_right(kChoosing, given)) << given;
  EXPECT_TRUE(is_right(kPicking, "b"));
  EXPECT_FALSE(is_right(kPicking, "2"));
}

TEST(LessonWords, AQuestionWithoutAnAnswerHasNoRightOne) {
  EXPECT_FALSE(is_right(question_of_note("Who wakes?"), ""));
  EXPECT_FALSE(is_right(question_of_note(R"({"question": "x", "choices": ["a"], "choice": 7})"), "7"));
}

}  // namespace
}  // namespace wakepath::trace
