// What a class sees from its seats: small windows show every thread and object, nothing is in another language than the
// rest, and what is not known yet has its name all the same.
#include <gmock/gmock.h>

#include "gui/fields.hh"
#include "gui/tongue.hh"
#include "src/scenario/model_machine.hh"
#include "src/scenario/parser.hh"
#include "tests/gui/driving.hh"

namespace wakepath::gui {
namespace {

using ::testing::Contains;
using ::testing::Key;
using ::testing::Not;
using ::testing::StartsWith;

const char* const kStory = R"yaml(wakepath: 1
title: A server and a client
steps:
  - server: l = socket(AF_INET, SOCK_STREAM, 0)
  - server: bind(l, 127.0.0.1:0) = 0
  - server: listen(l, 8) = 0
  - server: ep = epoll_create1(0)
  - server: epoll_ctl(ep, EPOLL_CTL_ADD, l, EPOLLIN) = 0
  - server: epoll_wait(ep, 8, -1) = blocks
  - say: {en: It sleeps., zh: 它睡着了。}
  - client: k = socket(AF_INET, SOCK_STREAM, 0)
  - client: connect(k, addr(l)) = 0
  - server: 'returns 1 [{EPOLLIN, l}]'
  - server: c = accept4(l, SOCK_NONBLOCK)
  - server: recv(c, 9) = -1 EAGAIN
)yaml";

std::shared_ptr<trace::Trace> story() {
  std::shared_ptr<trace::Trace> trace;
  const auto parsed = scenario::parse("story.yaml", kStory);
  scenario::run_on_model(std::get<scenario::Scenario>(parsed), {}, &trace);
  return trace;
}

class StageManners : public test::Driver {
 protected:
  StageManners() : Driver(story()) {}
  ~StageManners() override { use_language("en"); }

  void size(float w, float h) {
    width = w, height = h;
    frames(3);
  }
  const Stage& stage() { return app->ui().stage.stage; }
};

TEST_F(StageManners, SmallWindowsShowEveryThreadAndObject) {
  model.seek_step(12);
  for (auto [w, h] : {std::pair{1024.0f, 640.0f}, {1152.0f, 720.0f}, {1440.0f, 900.0f}}) {
    size(w, h);
    for (const char* card : {"server", "client", "eventpoll#1", "tcp_sock#1", "tcp_sock#2", "tcp_sock#3"})
      EXPECT_THAT(marks::all(), Contains(Key(std::string("card/") + card))) << w << " x " << h;
    EXPECT_THAT(marks::all(), Not(Contains(Key(StartsWith("card/+"))))) << w << " x " << h;
    for (const Card& card : stage().cards)
      for (const Item& item : card.items)
        EXPECT_LE(item.rect.bottom(), card.rect.bottom() + 5) << card.title << ": " << item.key << item.value;
  }
}

TEST_F(StageManners, PanelsFoldWhereThereIsNoRoomAndByTheirKeys) {
  size(1440, 900);
  const float beside = marks::all().at("stage").w;
  press(compat::Key::kF6);
  EXPECT_FLOAT_EQ(marks::all().at("stage").w, beside + 214);
  press(compat::Key::kF7);
  EXPECT_FLOAT_EQ(marks::all().at("stage").w, 1440);
  const float above = marks::all().at("stage").h;
  press(compat::Key::kF8);
  EXPECT_GT(marks::all().at("stage").h, above + 100);
  for (compat::Key key : {compat::Key::kF6, compat::Key::kF7, compat::Key::kF8}) press(key);
  EXPECT_FLOAT_EQ(marks::all().at("stage").w, beside);
  press(compat::Key::kF6);
  press(compat::Key::kF6);
  size(1024, 640);
  EXPECT_FLOAT_EQ(marks::all().at("stage").w, 1024 - 214 - 276) << "who asks for a panel has it in a small window, too";
}

TEST_F(StageManners, EverythingIsSaidInTheLanguageOfTheRest) {
  const trace::StepEntry say = model.index().steps()[6];
  EXPECT_EQ(model.step_words(say), "It sleeps.");
  use_language("zh");
  EXPECT_EQ(model.step_words(say), "它睡着了。");
  EXPECT_EQ(record_words(model.trace(), model.world(), say.end), "第 7 步已安静");
  EXPECT_EQ(said("was {}", 3), "原为 3");
  EXPECT_EQ(model.verdict().about, "制作时没有与内核比较。");
  model.seek_step(12);
  size(420, 900);
  EXPECT_THAT(marks::all(), Contains(Key(StartsWith("card/还有 ")))) << "what has no place is counted in words, too";
  use_language("en");
  frames(2);
  EXPECT_THAT(marks::all(), Contains(Key(StartsWith("card/+")))) << "the picture is made anew";
}

TEST_F(StageManners, ARowOfTheTimelineHasItsNameBeforeItsThreadComes) {
  model.seek(0);
  frames(1);
  std::vector<std::string> names;
  for (const TimelineRows::Row& row : app->ui().rows.rows())
    if (!row.softirq) names.push_back(row.name);
  EXPECT_THAT(names, ::testing::ElementsAre("server", "client"));
}

TEST_F(StageManners, TheCallsShowWhatTheyGave) {
  model.seek_step(12);
  frames(2);
  trace::Position back = 0;
  for (trace::Position at = model.index().steps()[11].begin; at < model.end(); ++at)
    if (model.trace()[at].kind == trace::RecordKind::kSyscallReturn) back = at;
  ASSERT_NE(back, 0U);
  click("calls/" + std::to_string(back));
  EXPECT_EQ(model.position(), back + 1);
}

}  // namespace
}  // namespace wakepath::gui
