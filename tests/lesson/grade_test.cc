// What students answered, judged.
#include "src/lesson/grade.hh"

#include <gmock/gmock.h>

#include "src/scenario/parser.hh"

namespace wakepath::lesson {
namespace {

using ::testing::HasSubstr;

const scenario::Scenario& story() {
  static const scenario::Scenario kStory = std::get<scenario::Scenario>(scenario::parse("story.yaml", R"yaml(wakepath: 1
title: Two questions
steps:
  - alice: ep = epoll_create1(0)
  - ask:
      question: What sleeps?
      choices: [{en: a socket, zh: 套接字}, {en: a thread, zh: 线程}]
      answer: 2
  - ask:
      question: Who made it?
      answer: {en: Alice, zh: 爱丽丝}
)yaml"));
  return kStory;
}

std::vector<bool> judged(const std::string& first, const std::string& second) {
  std::vector<bool> out;
  for (const Mark& mark : grade(story(), {.by_step = {{2, first}, {3, second}}})) out.push_back(mark.right);
  return out;
}

TEST(Grade, TakesAChoiceByNumberOrByItsWordsInAnyLanguage) {
  EXPECT_EQ(judged("2", "alice"), (std::vector<bool>{true, true}));
  EXPECT_EQ(judged("线程", " ALICE "), (std::vector<bool>{true, true}));
  EXPECT_EQ(judged("1", "爱丽丝"), (std::vector<bool>{false, true}));
  EXPECT_EQ(judged("a socket", "bob"), (std::vector<bool>{false, false}));
}

TEST(Grade, AQuestionWithoutAnAnswerIsNotRight) {
  const std::vector<Mark> marks = grade(story(), {});
  ASSERT_EQ(marks.size(), 2U);
  EXPECT_FALSE(marks[0].right);
  EXPECT_EQ(marks[0].given, "");
  EXPECT_EQ(marks[0].expected, "2) a thread");
}

TEST(Grade, RefusesAnswersToAnotherStoryOrToNoQuestion) {
  EXPECT_EQ(misfit(story(), {.story = "story.yaml", .by_step = {{2, "2"}}}), "");
  EXPECT_EQ(misfit(story(), {.story = "other.yaml"}), "found answers to other.yaml, expected some to story.yaml");
  EXPECT_EQ(misfit(story(), {.by_step = {{1, "x"}}}),
            "found an answer to step 1, expected the number of a step of story.yaml that asks");
}

TEST(Answers, AreReadAsThePageSavesThem) {
  const auto read = read_answers(
      "a.json", R"({"wakepath": 1, "story": "story.yaml", "student": "one", "answers": {"2": "2", "3": "alice"}})");
  ASSERT_TRUE(std::holds_alternative<Answers>(read));
  EXPECT_EQ(std::get<Answers>(read).student, "one");
  EXPECT_EQ(std::get<Answers>(read).by_step.at(3), "alice");
}

TEST(Answers, SayWhatIsWrongWithThem) {
  auto error = [](const std::string& text) { return std::get<std::string>(read_answers("a.json", text)); };
  EXPECT_THAT(error("nonsense"), HasSubstr("a.json: found no JSON, expected"));
  EXPECT_THAT(error("{}"), HasSubstr("a.json: found no \"answers\", expected"));
  EXPECT_THAT(error(R"({"answers": {"x": "1"}})"),
              HasSubstr("found answer \"x\": \"1\", expected the number of a step"));
  EXPECT_THAT(error(R"({"answers": {"2": [1]}})"), HasSubstr("found answer \"2\": [1], expected"));
}

}  // namespace
}  // namespace wakepath::lesson
