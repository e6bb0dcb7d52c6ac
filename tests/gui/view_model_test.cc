// The logic of the stage without a window: where stepping stops, what counts as just changed, what the timeline cuts.
#include "gui/view_model.hh"

#include <gtest/gtest.h>

#include "gui/fields.hh"
#include "gui/timeline.hh"
#include "tests/gui/synthetic.hh"
#include "tests/gui/trace_writer.hh"

namespace wakepath::gui {
namespace {

using test::TraceSession;
using trace::Position;
using trace::RecordKind;

class GuiViewModel : public testing::Test {
 protected:
  TraceSession session{test::make_ping_trace()};
  ViewModel model{session};
};

TEST_F(GuiViewModel, SteppingBackMeetsTheStopsOfSteppingForward) {
  for (Grain grain : {Grain::kRecord, Grain::kFunction, Grain::kSyscall, Grain::kStep}) {
    std::vector<Position> forward{0};
    model.seek(0);
    while (model.position() < model.end()) {
      model.step(grain, 1);
      forward.push_back(model.position());
    }
    std::vector<Position> back{model.position()};
    while (model.position() > 0) {
      model.step(grain, -1);
      back.push_back(model.position());
    }
    std::reverse(back.begin(), back.end());
    EXPECT_EQ(forward, back);
    EXPECT_GT(forward.size(), 5u);
  }
}

TEST_F(GuiViewModel, SteppingBackShowsTheSameWorld) {
  model.seek_step(4);
  trace::World there = model.world();
  model.step(Grain::kFunction, 1);
  model.step(Grain::kFunction, 1);
  model.step(Grain::kFunction, -1);
  model.step(Grain::kFunction, -1);
  model.seek_step(4);
  EXPECT_EQ(there, model.world());
}

TEST_F(GuiViewModel, ASystemCallStopsAtItsEntryAndAtItsReturn) {
  model.step(Grain::kSyscall, 1);
  EXPECT_EQ(model.trace()[model.position() - 1].kind, RecordKind::kSyscall);
  model.step(Grain::kSyscall, 1);
  EXPECT_EQ(model.trace()[model.position() - 1].kind, RecordKind::kSyscallReturn);
}

TEST_F(GuiViewModel, AnUnknownStepIsRefusedAndNothingMoves) {
  model.seek(17);
  EXPECT_FALSE(model.seek_step(99));
  EXPECT_EQ(model.position(), 17u);
}

TEST_F(GuiViewModel, WhatAStepChangedIsKnownWithTheValuesBefore) {
  ASSERT_TRUE(model.seek_step(6));  // the client sends 4 bytes
  const trace::Kind& kind = *model.trace().schema().find_kind("tcp_sock");
  auto rcv_nxt = *field_named(kind, "rcv_nxt");
  auto queue = *field_named(kind, "sk_receive_queue");
  int receivers = 0;
  for (const trace::Object& object : model.world().objects()) {
    if (!model.changes().lists.contains({object.id, queue})) continue;
    ++receivers;
    ASSERT_TRUE(model.changes().before.contains({object.id, rcv_nxt}));
    EXPECT_EQ(model.changes().before.at({object.id, rcv_nxt}), 0u);
    EXPECT_EQ(object.values[rcv_nxt], 5u);
  }
  EXPECT_EQ(receivers, 1);
}

TEST_F(GuiViewModel, AValueThatWentBackIsNoChange) {
  ASSERT_TRUE(model.seek_step(4));  // sk_ack_backlog 0 to 1; the backlog of step 5 goes back to 0
  model.seek_step(5);
  for (const auto& [key, before] : model.changes().before)
    EXPECT_NE(model.world().objects()[key.first].values[key.second], before);
}

TEST_F(GuiViewModel, ThePathBeginsWhereTheSystemCallBegan) {
  model.set_grain(Grain::kFunction);
  model.seek(200);  // inside connect()
  Position begin = model.path_begin();
  EXPECT_EQ(model.trace()[begin].kind, RecordKind::kSyscall);
  EXPECT_LT(begin, 200u);
}

TEST_F(GuiViewModel, PlayingRunsToTheEndAndStops) {
  model.set_grain(Grain::kStep);
  model.play(true);
  for (int i = 0; i < 1000 && model.playing(); ++i) model.tick(0.1);
  EXPECT_EQ(model.position(), model.end());
  EXPECT_FALSE(model.playing());
}

TEST_F(GuiViewModel, ZoomKeepsThePlaceUnderTheMouse) {
  model.set_view(0, 300);
  model.zoom(120, 0.5);
  EXPECT_NEAR((120 - model.view_begin()) / (model.view_end() - model.view_begin()), 120.0 / 300, 1e-9);
  model.pan(1e9);
  EXPECT_LE(model.view_end(), static_cast<double>(model.end()));
}

TEST_F(GuiViewModel, SearchFindsTheNextObjectOfThatName) {
  model.seek_step(6);
  trace::ObjectId first = model.search("TCP_sock");
  trace::ObjectId second = model.search("TCP_sock");
  EXPECT_NE(first, 0u);
  EXPECT_NE(first, second);
  EXPECT_EQ(model.search("no such thing"), 0u);
}

TEST(GuiLive, FollowingStaysAtTheEndWhileTheTraceGrows) {
  TraceSession session(test::make_ping_trace(), true);
  ViewModel model(session);
  model.follow(true);
  Position before = model.end();
  session.writer().append({.kind = RecordKind::kClock, .before = 0, .after = 5});
  EXPECT_TRUE(model.poll());
  EXPECT_EQ(model.end(), before + 1);
  EXPECT_EQ(model.position(), model.end());
  model.step(Grain::kRecord, -1);
  session.writer().append({.kind = RecordKind::kClock, .before = 5, .after = 6});
  model.poll();
  EXPECT_FALSE(model.following());
  EXPECT_EQ(model.position(), before);
}

TEST(GuiChains, FileSocketAndSockOfOneConnectionShareAColumn) {
  TraceSession session(test::make_ping_trace());
  ViewModel model(session);
  model.seek(model.end());
  std::map<std::string, std::map<trace::ObjectId, int>> roots;
  std::map<trace::ObjectId, int> members;
  for (const trace::Object& object : model.world().objects())
    if (const auto* chain = model.chains().chain_of(object.id)) ++members[chain->root];
  EXPECT_EQ(members.size(), 4u);  // listener, epoll, client's end, accepted end
  std::multiset<int> sizes;
  for (auto& [root, count] : members) sizes.insert(count);
  EXPECT_EQ(sizes, (std::multiset<int>{2, 3, 3, 3}));
}

TEST(GuiTimeline, AMillionRecordsAreCutToAsManyPiecesAsThereArePixels) {
  TraceSession session(test::make_long_trace(1000000));
  TimelineRows rows(session.trace());
  rows.update();
  ASSERT_EQ(rows.rows().size(), 2u);
  const auto& level = rows.rows()[0].levels[0];
  ASSERT_GT(level.size(), 30000u);
  auto end = session.trace().size();
  auto whole = cut_level(level, 0, static_cast<double>(end), end, 1300);
  EXPECT_LE(whole.size(), 1300u);
  std::size_t counted = 0;
  for (const TimelinePiece& piece : whole) counted += piece.bar != nullptr ? 1 : piece.folded;
  EXPECT_EQ(counted, level.size());
  auto near = cut_level(level, 500000, 500100, end, 1300);
  ASSERT_FALSE(near.empty());
  for (const TimelinePiece& piece : near) {
    ASSERT_NE(piece.bar, nullptr);
    EXPECT_LE(piece.x + piece.w, 1300.5f);
  }
}

TEST(GuiTimeline, ASleeperIsHatchedFromLosingTheCpuToItsWake) {
  TraceSession session(test::make_ping_trace());
  TimelineRows rows(session.trace());
  rows.update();
  ASSERT_EQ(rows.rows().size(), 3u);
  EXPECT_TRUE(rows.rows().back().softirq);
  const auto& sleeps = rows.rows()[0].sleeps;
  ASSERT_EQ(sleeps.size(), 2u);
  for (const auto& sleep : sleeps) {
    EXPECT_EQ(session.trace()[sleep.begin].kind, RecordKind::kRun);
    EXPECT_EQ(session.trace()[sleep.end].kind, RecordKind::kWake);
  }
}

}  // namespace
}  // namespace wakepath::gui
