// A scenario as a page: which stops it has, and that what its author wrote stays text.
#include "src/lesson/lesson.hh"

#include <gmock/gmock.h>

#include <regex>

#include "src/scenario/parser.hh"

namespace wakepath::lesson {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

scenario::Scenario story(const std::string& text) {
  return std::get<scenario::Scenario>(scenario::parse("story.yaml", text));
}

const std::string kPair = R"yaml(wakepath: 1
title: {en: "A pair </script><script>alert(1)", zh: 一对}
steps:
  - say: Before anything happens.
  - alice: a, b = socketpair(AF_UNIX, SOCK_STREAM, 0)
  - mark: made
  - say: {en: Two sockets., zh: 两个套接字。}
  - ask:
      question: Who reads?
      pick: object
      answer: b
  - alice: send(a, "x")
  - ask:
      question: Who wakes?
      pick: thread
      answer: bob
  - bob: c, d = socketpair(AF_UNIX, SOCK_STREAM, 0)
)yaml";

TEST(Slides, GatherTheWordsBehindTheStepTheyFollow) {
  const scenario::Scenario pair = story(kPair);
  const std::vector<Slide> slides = slides_of(pair);
  ASSERT_EQ(slides.size(), 4U);
  EXPECT_EQ(slides[0].step, nullptr);
  ASSERT_EQ(slides[0].notes.size(), 1U);
  EXPECT_EQ(slides[0].notes[0].say->in("en"), "Before anything happens.");
  EXPECT_EQ(slides[1].step->number, 2);
  ASSERT_EQ(slides[1].notes.size(), 3U);
  EXPECT_EQ(slides[1].notes[0].mark, "made");
  EXPECT_EQ(slides[1].notes[1].say->in("zh"), "两个套接字。");
}

TEST(Slides, OfferToPickFromWhatIsThereByThen) {
  const scenario::Scenario pair = story(kPair);
  const std::vector<Slide> slides = slides_of(pair);
  EXPECT_THAT(slides[1].notes[2].ask->names, ElementsAre("a", "b"));
  EXPECT_THAT(slides[2].notes[0].ask->names, ElementsAre("alice", "bob"))
      << "all of the file: who comes later is no hint";
}

TEST(Page, KeepsTheAuthorsWordsFromBeingMarkup) {
  const scenario::Scenario pair = story(kPair);
  const std::vector<Slide> slides = slides_of(pair);
  const std::string html = page(pair, slides, std::vector<Pictures>(slides.size()));
  EXPECT_THAT(html, Not(HasSubstr("<script>alert")));
  EXPECT_THAT(html, HasSubstr("<title>A pair &lt;/script>"));
  EXPECT_THAT(html, HasSubstr("\\u003c/script>\\u003cscript>alert(1)"));
}

TEST(Page, LoadsNothing) {
  const scenario::Scenario pair = story(kPair);
  const std::vector<Slide> slides = slides_of(pair);
  const std::string html = page(pair, slides, std::vector<Pictures>(slides.size()));
  EXPECT_FALSE(std::regex_search(html, std::regex(R"((<link|<img|<iframe|\bsrc\s*=|\bfetch\(|@import|url\())")));
}

}  // namespace
}  // namespace wakepath::lesson
