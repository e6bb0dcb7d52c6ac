// Every button, key and panel of the window, driven in process.
#include "tests/gui/driving.hh"

namespace wakepath::gui {
namespace {

class GuiDriver : public test::Driver {
 protected:
  explicit GuiDriver(std::shared_ptr<trace::Trace> trace = test::make_ping_trace(), bool live = false)
      : Driver(std::move(trace), live) {}
};

class GuiDriverLive : public GuiDriver {
 protected:
  GuiDriverLive() : GuiDriver(test::make_ping_trace(), true) {}
};

class GuiDriverUnknown : public GuiDriver {
 protected:
  GuiDriverUnknown() : GuiDriver(test::make_unknown_trace()) {}
};

TEST_F(GuiDriver, TheTransportButtonsMoveThePlayhead) {
  click("grain/function");
  EXPECT_EQ(model.grain(), Grain::kFunction);
  click("transport/forward");
  trace::Position one = model.position();
  EXPECT_EQ(model.trace()[one - 1].kind, trace::RecordKind::kCall);
  click("transport/forward");
  EXPECT_GT(model.position(), one);
  click("transport/back");
  EXPECT_EQ(model.position(), one);
  click("grain/step");
  click("transport/forward");
  EXPECT_EQ(model.world().quiet_step(), 1u);
  click("transport/end");
  EXPECT_EQ(model.position(), model.end());
  click("transport/start");
  EXPECT_EQ(model.position(), 0u);
  click("grain/record");
  click("transport/forward");
  EXPECT_EQ(model.position(), 1u);
  click("grain/syscall");
  EXPECT_EQ(model.grain(), Grain::kSyscall);
}

TEST_F(GuiDriver, PlayRunsAndPauses) {
  click("grain/record");
  click("transport/play");
  EXPECT_TRUE(model.playing());
  frames(30);
  EXPECT_GT(model.position(), 2u);
  click("transport/play");
  EXPECT_FALSE(model.playing());
  click("speed/faster");
  EXPECT_EQ(model.speed(), 2);
  click("speed/slower");
  click("speed/slower");
  EXPECT_EQ(model.speed(), 0.5);
}

TEST_F(GuiDriver, KeysStepForwardAndBack) {
  click("grain/step");
  press(compat::Key::kRight);
  press(compat::Key::kRight);
  EXPECT_EQ(model.world().quiet_step(), 2u);
  press(compat::Key::kLeft);
  EXPECT_EQ(model.world().quiet_step(), 1u);
  press(compat::Key::kEnd);
  EXPECT_EQ(model.position(), model.end());
  press(compat::Key::kHome);
  EXPECT_EQ(model.position(), 0u);
  press(compat::Key::kF1);
  EXPECT_TRUE(app->ui().show_help);
  click("help/close");
  EXPECT_FALSE(app->ui().show_help);
}

TEST_F(GuiDriver, F2SaysWhyAtEveryStep) {
  press(compat::Key::kF2);
  EXPECT_TRUE(app->ui().show_why);
  std::size_t reasons = 0;
  for (const trace::StepEntry& step : model.index().steps()) {
    model.seek_step(step.number);
    frames(1);
    for (const exports::WhyAnswer& answer : app->ui().why) reasons += answer.lines.size();
  }
  EXPECT_GT(reasons, 0u);
  press(compat::Key::kEscape);
  EXPECT_FALSE(app->ui().show_why);
}

TEST_F(GuiDriverUnknown, WhySurvivesKindsThatItDoesNotKnow) {
  press(compat::Key::kF2);
  for (trace::Position at = 0; at <= model.end(); ++at) {
    model.seek(at);
    frames(1);
  }
  EXPECT_TRUE(app->ui().show_why);
}

TEST_F(GuiDriver, ClickingTheTimelineSeeks) {
  Rect timeline = marks::all().at("timeline");
  click_at({timeline.x + timeline.w * 0.5f, timeline.y + timeline.h * 0.6f});
  EXPECT_NEAR(static_cast<double>(model.position()), static_cast<double>(model.end()) / 2, 2);
  ASSERT_TRUE(marks::all().contains("timeline/playhead"));
  EXPECT_NEAR(marks::all().at("timeline/playhead").center().x, timeline.x + timeline.w * 0.5f, 4);
}

TEST_F(GuiDriver, DraggingOnTheTimelineKeepsSeeking) {
  Rect timeline = marks::all().at("timeline");
  float y = timeline.center().y;
  compat::send_mouse(timeline.x + 100, y, false);
  frames(2);
  compat::send_mouse(timeline.x + 100, y, true);
  frames(2);
  trace::Position first = model.position();
  compat::send_mouse(timeline.x + 400, y, true);
  frames(2);
  EXPECT_GT(model.position(), first);
  compat::send_mouse(timeline.x + 400, y, false);
  frames(2);
}

TEST_F(GuiDriver, TheWheelZoomsTheTimeline) {
  Rect timeline = marks::all().at("timeline");
  double span = model.view_end() - model.view_begin();
  compat::send_mouse(timeline.center().x, timeline.center().y, false);
  frames(2);
  compat::send_mouse(timeline.center().x, timeline.center().y, false, 3);
  frames(1);
  compat::send_mouse(timeline.center().x, timeline.center().y, false, 0);
  frames(2);
  EXPECT_LT(model.view_end() - model.view_begin(), span);
}

TEST_F(GuiDriver, ClickingACardSelectsItAndLinksLeadOn) {
  model.seek_step(6);
  frames(2);
  Rect card = marks::all().at("card/tcp_sock#2");
  click_at({card.x + 20, card.y + 10});
  EXPECT_EQ(trace::object_name(model.trace(), model.world(), model.selected()), "tcp_sock#2");
  trace::ObjectId before = model.selected();
  std::string link;
  for (const auto& [name, rect] : marks::all())
    if (name.starts_with("inspector/field/") && rect.bottom() < 400) link = name;
  ASSERT_FALSE(link.empty());
  click(link);
  EXPECT_NE(model.selected(), before);
  Rect stage = marks::all().at("stage");
  click_at({stage.x + 30, stage.y + 30});
  EXPECT_EQ(model.selected(), 0u);
}

TEST_F(GuiDriver, EveryButtonCanBeClickedAtEveryStep) {
  for (std::uint64_t step = 1; step <= model.index().steps().size(); ++step) {
    std::vector<std::string> names;
    for (const auto& [name, rect] : marks::all()) names.push_back(name);
    for (const std::string& name : names) {
      model.seek_step(step);
      frames(1);
      if (marks::all().contains(name)) click(name);
      EXPECT_GT(vertices, 1000) << name;
    }
  }
}

TEST_F(GuiDriver, AnIdleWindowNeedsNoFrames) {
  frames(5);
  EXPECT_FALSE(app->animating());
  model.play(true);
  EXPECT_TRUE(app->animating());
}

TEST_F(GuiDriver, OddWindowSizesAreSurvived) {
  model.seek_step(6);
  for (auto [w, h] :
       {std::pair{640.0f, 480.0f}, {1920.0f, 1080.0f}, {3000.0f, 700.0f}, {900.0f, 2000.0f}, {100.0f, 80.0f}}) {
    width = w, height = h;
    frames(3);
    EXPECT_GT(vertices, 100);
  }
}

TEST_F(GuiDriverLive, NowFollowsTheRunningProgram) {
  click("transport/now");
  EXPECT_TRUE(model.following());
  session.writer().append({.kind = trace::RecordKind::kClock, .before = 0, .after = 5});
  frames(1);
  EXPECT_EQ(model.position(), session.trace().size());
  click("transport/back");
  EXPECT_FALSE(model.following());
}

TEST_F(GuiDriverUnknown, UnknownKindsAreDrawnAtEveryRecord) {
  for (trace::Position p = 0; p <= model.end(); ++p) {
    model.seek(p);
    for (trace::ObjectId id = 0; id < model.world().objects().size(); ++id) {
      model.select(id);
      frames(1);
    }
  }
  EXPECT_GT(vertices, 500);
}

}  // namespace
}  // namespace wakepath::gui
