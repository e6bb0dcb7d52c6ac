// Fork here: a step's call is changed in its field, and both futures stand side by side.
#include <gmock/gmock.h>

#include "gui/tongue.hh"
#include "src/scenario/fork.hh"
#include "src/scenario/model_machine.hh"
#include "src/scenario/parser.hh"
#include "tests/gui/driving.hh"

namespace wakepath::gui {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::Not;

const std::string kLevelOrEdge = R"yaml(wakepath: 1
title: Level or edge
steps:
  - server: a, b = socketpair(AF_UNIX, SOCK_STREAM, 0)
  - server: ep = epoll_create1(0)
  - server: epoll_ctl(ep, EPOLL_CTL_ADD, b, EPOLLIN) = 0
  - server: send(a, "x") = 1
  - server: epoll_wait(ep, 8, 0) = 1 [{EPOLLIN, b}]
  - server: epoll_wait(ep, 8, 0) = 1 [{EPOLLIN, b}]
)yaml";

std::shared_ptr<trace::Trace> level_or_edge() {
  std::shared_ptr<trace::Trace> trace;
  const auto parsed = scenario::parse("story.yaml", kLevelOrEdge);
  scenario::run_on_model(std::get<scenario::Scenario>(parsed), {}, &trace);
  return trace;
}

class StageFork : public test::Driver {
 protected:
  StageFork() : Driver(level_or_edge()) {
    WindowOptions options;
    options.workshop.step_text = [](std::uint64_t step) -> StepText {
      const auto source = scenario::step_source("story.yaml", kLevelOrEdge, static_cast<int>(step));
      if (const auto* problem = std::get_if<scenario::Problem>(&source)) return {"", problem->text()};
      return {std::get<std::string>(source), ""};
    };
    options.workshop.fork = [](std::uint64_t step, const std::string& words) -> Fork {
      scenario::Fork made = scenario::run_fork("story.yaml", kLevelOrEdge, static_cast<int>(step), words);
      if (made.trace == nullptr) return {nullptr, made.message};
      return {std::make_shared<test::TraceSession>(std::move(made.trace)), made.message};
    };
    app->offer(options);
  }
  ~StageFork() override { use_language("en"); }

  void fork_with(const std::string& words) {
    model.seek_step(3);
    frames(2);
    press(compat::Key::kE);
    app->ui().fork.words = words;
    ASSERT_TRUE(app->ui().fork.open);
    open_and_enter();
  }
  void open_and_enter() {
    app->ui().fork.open = false;
    frames(2);
    press(compat::Key::kE);  // takes what stands there
    press(compat::Key::kEnter);
    frames(2);
  }
};

const char* const kEdge = "epoll_ctl(ep, EPOLL_CTL_ADD, b, EPOLLIN|EPOLLET) = 0";

TEST_F(StageFork, TheFieldHasTheStepAsItStandsInTheFile) {
  model.seek_step(3);
  frames(2);
  click("fork/open");
  EXPECT_TRUE(app->ui().fork.open);
  EXPECT_EQ(app->ui().fork.words, "epoll_ctl(ep, EPOLL_CTL_ADD, b, EPOLLIN) = 0");
  press(compat::Key::kEscape);
  EXPECT_FALSE(app->ui().fork.open);
  EXPECT_EQ(app->ui().twin, nullptr);
}

TEST_F(StageFork, WhatIsTypedIsRunAndBothFuturesStandSideBySide) {
  fork_with(kEdge);
  ASSERT_NE(app->ui().twin, nullptr) << app->ui().fork.message;
  EXPECT_THAT(marks::all(), Contains(Key("stage")));
  EXPECT_THAT(marks::all(), Contains(Key("twin")));
  EXPECT_THAT(marks::all(), Contains(Key("twin/card/eventpoll#1")));
  EXPECT_FLOAT_EQ(marks::all().at("stage").w, width / 2);
  EXPECT_THAT(marks::all(), Contains(Key("twin/same")));
  press(compat::Key::kD);
  EXPECT_EQ(model.world().quiet_step(), 6U) << "the second epoll_wait() gives nothing with EPOLLET";
  EXPECT_EQ(app->ui().twin->model().world().quiet_step(), 6U);
  EXPECT_THAT(marks::all(), Contains(Key("twin/differs")));
  press(compat::Key::kEscape);
  EXPECT_EQ(app->ui().twin, nullptr);
  EXPECT_THAT(marks::all(), Not(Contains(Key("twin"))));
}

TEST_F(StageFork, BothStandAtTheSameStepWhereverThePlayheadGoes) {
  fork_with(kEdge);
  ASSERT_NE(app->ui().twin, nullptr);
  for (trace::Position at = 0; at <= model.end(); at += 7) {
    model.seek(at);
    frames(1);
    EXPECT_EQ(app->ui().twin->model().world().step(), model.world().step()) << at;
  }
  use_language("zh");
  frames(2);
}

TEST_F(StageFork, AWrongCallIsToldAndNothingIsLost) {
  fork_with("epoll_ctl(ep, EPOLL_CTL_ADD, b, EPOLLOOPS)");
  EXPECT_EQ(app->ui().twin, nullptr);
  EXPECT_TRUE(app->ui().fork.open);
  EXPECT_THAT(app->ui().fork.message, HasSubstr("story.yaml:6:"));
  EXPECT_THAT(app->ui().fork.message, HasSubstr("EPOLLOOPS"));
  EXPECT_EQ(app->ui().fork.words, "epoll_ctl(ep, EPOLL_CTL_ADD, b, EPOLLOOPS)");
}

TEST_F(StageFork, WithoutAScenarioItSaysSo) {
  app->offer({});
  model.seek_step(3);
  frames(2);
  press(compat::Key::kE);
  EXPECT_FALSE(app->ui().fork.open);
  EXPECT_EQ(app->ui().note, "Only a scenario can be forked.");
}

}  // namespace
}  // namespace wakepath::gui
