// Looking for something in time: by function, by field, by who is woken; and playing that stops there.
#include <gtest/gtest.h>

#include "tests/gui/driving.hh"

namespace wakepath::gui {
namespace {

class Hunt : public test::Driver {
 protected:
  Hunt() : Driver(test::make_ping_trace()) {}
  const trace::Record here() const { return model.trace()[model.position() - 1]; }
  void type(const char* text) {
    press(compat::Key::kSlash);
    for (const char* c = text; *c != '\0'; ++c) ImGui::GetIO().AddInputCharacter(static_cast<unsigned char>(*c));
    frames(2);
  }
};

TEST_F(Hunt, GoesToWhereAFunctionIsEnteredNextAndLast) {
  ASSERT_EQ(model.hunt("ep_poll_callback", 1), "");
  const trace::Position first = model.position();
  EXPECT_EQ(here().kind, trace::RecordKind::kCall);
  EXPECT_EQ(model.trace().schema().functions[here().field].name, "ep_poll_callback");
  ASSERT_EQ(model.hunt("ep_poll_callback", 1), "");
  EXPECT_GT(model.position(), first);
  ASSERT_EQ(model.hunt("ep_poll_callback", -1), "");
  EXPECT_EQ(model.position(), first);
  EXPECT_EQ(model.hunt("ep_poll_callback", -1), "not before this");
  EXPECT_EQ(model.position(), first);
}

TEST_F(Hunt, GoesToWhereAFieldChangesOfAnybodyOrOfOne) {
  ASSERT_EQ(model.hunt("skc_state", 1), "");
  EXPECT_EQ(here().kind, trace::RecordKind::kSet);
  EXPECT_EQ(trace::object_name(model.trace(), model.world(), here().object), "tcp_sock#1");
  ASSERT_EQ(model.hunt("tcp_sock#2.skc_state", 1), "");
  EXPECT_EQ(trace::object_name(model.trace(), model.world(), here().object), "tcp_sock#2");
  ASSERT_EQ(model.hunt("eventpoll#1.rdllist", 1), "");
  EXPECT_EQ(here().kind, trace::RecordKind::kListInsert);
}

TEST_F(Hunt, GoesToWhereAThreadIsWoken) {
  ASSERT_EQ(model.hunt("wake server", 1), "");
  EXPECT_EQ(here().kind, trace::RecordKind::kWake);
  EXPECT_EQ(trace::task_name(model.trace(), model.world(), static_cast<trace::TaskId>(here().before)), "server");
  EXPECT_EQ(model.hunt("wake nobody", 1), "no object, function or field of that name");
  EXPECT_EQ(model.hunt("divergence", 1), "not again after this");
}

TEST_F(Hunt, PlayingStopsAtABreakpointUntilItIsTakenAway) {
  ASSERT_EQ(model.toggle_breakpoint("ep_poll_callback"), "");
  EXPECT_EQ(model.toggle_breakpoint("no_such_function"), "no function or field of that name");
  model.set_grain(Grain::kStep);
  model.play(true);
  for (int i = 0; i < 600 && model.playing(); ++i) frames(1);
  EXPECT_EQ(model.trace().schema().functions[here().field].name, "ep_poll_callback");
  EXPECT_LT(model.position(), model.end());
  click("status/breakpoint/0");
  EXPECT_TRUE(model.breakpoints().empty());
  model.play(true);
  for (int i = 0; i < 1200 && model.playing(); ++i) frames(1);
  EXPECT_EQ(model.position(), model.end());
}

TEST_F(Hunt, TheSearchFieldTakesAllOfIt) {
  type("ep_poll_callback");
  press(compat::Key::kEnter);
  EXPECT_EQ(model.trace().schema().functions[here().field].name, "ep_poll_callback");
  type("eventpoll");
  press(compat::Key::kEnter);
  EXPECT_EQ(trace::object_name(model.trace(), model.world(), model.selected()), "eventpoll#1");
  type("nothing_of_the_kind");
  press(compat::Key::kEnter);
  EXPECT_EQ(app->ui().found, "no object, function or field of that name");
  type("wake server");
  ImGui::GetIO().KeyCtrl = true;
  press(compat::Key::kEnter);
  ImGui::GetIO().KeyCtrl = false;
  ASSERT_EQ(model.breakpoints().size(), 1U);
  EXPECT_EQ(model.breakpoints()[0].text, "wake server");
}

}  // namespace
}  // namespace wakepath::gui
