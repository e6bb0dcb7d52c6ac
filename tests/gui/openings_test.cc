// Which chains are open where not all have room: one test a rule.
#include "gui/openings.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gui/stage.hh"
#include "tests/gui/synthetic.hh"
#include "tests/gui/synthetic_schema.hh"
#include "tests/gui/trace_writer.hh"

namespace wakepath::gui {
namespace {

using test::TraceSession;
using trace::ObjectId;

constexpr Rect kMiddle{214, 54, 950, 622};

std::map<ObjectId, float> card_places(const ViewModel& model) {
  std::map<ObjectId, float> places;
  for (const Card& card : build_stage(model, kMiddle, 1).cards) places[card.id] = card.rect.x;
  return places;
}

/// Forty connections of one client to one server, in a window with room for a few.
class GuiOpenings : public testing::Test {
 protected:
  std::vector<ObjectId> living(const std::string& kind) const {
    std::vector<ObjectId> found;
    for (const trace::Object& object : model.world().objects())
      if (object.alive && model.trace().schema().kinds[object.kind].name == kind) found.push_back(object.id);
    return found;
  }

  TraceSession session{test::make_crowd_trace(40)};
  ViewModel model{session};
};

TEST_F(GuiOpenings, BothEndsOfTheConnectionInPlayAreOpen) {
  for (const trace::StepEntry& step : model.index().steps()) {
    if (step.number < 4) continue;  // before the first client
    ASSERT_TRUE(model.seek_step(step.number));
    Stage stage = build_stage(model, kMiddle, 1);
    std::vector<ObjectId> socks = living("tcp_sock");
    EXPECT_NE(stage.find(socks[socks.size() - 1]), nullptr) << "server's end in step " << step.number;
    EXPECT_NE(stage.find(socks[socks.size() - 2]), nullptr) << "client's end in step " << step.number;
  }
}

TEST_F(GuiOpenings, ListenerEventpollAndTheWokenThreadStayOpen) {
  for (const trace::StepEntry& step : model.index().steps()) {
    if (step.number < 3) continue;
    model.seek_step(step.number);
    Stage stage = build_stage(model, kMiddle, 1);
    EXPECT_NE(stage.find(living("tcp_sock").front()), nullptr) << "listener in step " << step.number;
    EXPECT_NE(stage.find(living("eventpoll").front()), nullptr) << "in step " << step.number;
    EXPECT_NE(stage.find(living("task_struct").front()), nullptr) << "server in step " << step.number;
  }
}

TEST_F(GuiOpenings, CardsThatStayKeepTheirPlaces) {
  std::map<ObjectId, float> before;
  std::size_t compared = 0;
  for (trace::Position p = 0; p <= model.end(); p += 7) {
    model.seek(p);
    std::map<ObjectId, float> now = card_places(model);
    for (auto& [id, x] : now) {
      auto had = before.find(id);
      if (id >= kGroupCards || had == before.end()) continue;
      EXPECT_EQ(had->second, x) << id << " at " << p;
      ++compared;
    }
    before = std::move(now);
  }
  EXPECT_GT(compared, 1000u);
}

TEST_F(GuiOpenings, TheSameStepIsTheSamePictureWhicheverWayOneCame) {
  model.seek(model.end());
  for (std::uint64_t number : {30u, 9u, 22u}) {
    model.seek_step(number);
    auto after_the_end = card_places(model);
    ViewModel fresh(session);
    fresh.seek_step(number);
    EXPECT_EQ(after_the_end, card_places(fresh)) << "step " << number;
  }
}

TEST_F(GuiOpenings, WhatIsReplayedInPiecesIsTheSame) {
  Chains chains(model.trace());
  chains.update();
  Openings once(chains, {{1, 1, 2}, {2, 0, 1}}), again(chains, {{1, 1, 2}, {2, 0, 1}});
  ASSERT_TRUE(again.update());
  for (trace::Position p = 0; p < model.end(); p += 11) {
    auto a = once.at(p), b = again.at(p);
    for (std::size_t i = 0; i < a.size(); ++i) EXPECT_EQ(a[i].chain, b[i].chain) << p;
  }
}

/// A thread with files and sockets of its own making.
struct Desk {
  explicit Desk(trace::Trace& trace) : w(trace) {}
  test::TraceWriter w;

  ObjectId thread(trace::TaskId id) {
    ObjectId task = w.create("task_struct");
    w.spawn(id, task);
    return task;
  }
  ObjectId socket(std::uint64_t port) {
    ObjectId sock = w.create("tcp_sock");
    if (port != 0) w.set(sock, "skc_num", port);
    return sock;
  }
  void use(ObjectId sock, const std::string& words) {
    w.step(words);
    w.call("tcp_sendmsg_locked", sock);
    w.ret();
    w.step_end();
  }
};

class GuiSeats : public testing::Test {
 protected:
  std::vector<ObjectId> open(std::vector<Place> places) {
    Chains chains(trace);
    chains.update();
    std::vector<ObjectId> found;
    for (const Openings::Seat& seat : Openings(chains, std::move(places)).at(trace.size()))
      if (seat.chain != 0) found.push_back(seat.chain);
    return found;
  }

  trace::Trace trace{test::linux_schema()};
  Desk desk{trace};
};

TEST_F(GuiSeats, ASocketWithoutAPortGivesWayFirst) {
  desk.thread(1);
  desk.w.run(1);
  ObjectId bound = desk.socket(8080), spare = desk.socket(0);
  desk.use(bound, "used long ago");
  desk.use(spare, "used last");
  ObjectId third = desk.socket(8081);
  desk.use(third, "comes into play");
  EXPECT_THAT(open({{1, 0, 2}}), testing::UnorderedElementsAre(bound, third));
}

TEST_F(GuiSeats, OfEqualsTheOneUsedLastStays) {
  desk.thread(1);
  desk.w.run(1);
  ObjectId first = desk.socket(8080), second = desk.socket(8081), third = desk.socket(8082);
  desk.use(second, "second");
  desk.use(first, "first");
  desk.use(third, "third");
  EXPECT_THAT(open({{1, 0, 2}}), testing::UnorderedElementsAre(first, third));
}

TEST_F(GuiSeats, AListenerStaysThoughItWasUsedLongAgo) {
  desk.thread(1);
  desk.w.run(1);
  ObjectId listener = desk.socket(8080);
  desk.w.set(listener, "skc_state", 10);
  ObjectId second = desk.socket(8081), third = desk.socket(8082);
  desk.use(second, "second");
  desk.use(third, "third");
  EXPECT_THAT(open({{1, 0, 2}}), testing::UnorderedElementsAre(listener, third));
}

TEST_F(GuiSeats, AThreadThatRunsTakesThePlaceOfAnIdleOne) {
  desk.thread(1), desk.thread(2), desk.thread(3);
  desk.w.run(1);
  desk.use(desk.socket(8080), "first");
  desk.w.run(2);
  desk.use(desk.socket(8081), "second");
  desk.w.step("third runs");
  desk.w.run(3);
  Chains chains(trace);
  chains.update();
  std::vector<trace::TaskId> threads;
  for (const Openings::Seat& seat : Openings(chains, {{1, 0, 1}, {2, 0, 1}}).at(trace.size()))
    threads.push_back(seat.task);
  EXPECT_THAT(threads, testing::ElementsAre(3, 2));
}

TEST_F(GuiSeats, AThreadOwnsWhatItUsesMostThoughAnotherMadeIt) {
  desk.thread(1), desk.thread(2);
  desk.w.task = 1;
  ObjectId listener = desk.socket(8080);
  desk.w.task = 2;
  desk.use(listener, "the server's thread accepts");
  Chains chains(trace);
  chains.update();
  EXPECT_EQ(chains.chain_of(listener)->owner, 2);
}

TEST_F(GuiSeats, AListenerBelongsToTheThreadThatAccepts) {
  desk.thread(1), desk.thread(2);
  desk.w.task = 1;
  ObjectId listener = desk.socket(8080);
  for (int i = 0; i < 9; ++i) desk.use(listener, "main makes it ready");
  desk.w.set(listener, "skc_state", 10);
  desk.w.task = 2;
  desk.use(listener, "the server's thread accepts");
  Chains chains(trace);
  chains.update();
  EXPECT_EQ(chains.chain_of(listener)->owner, 2);
}

TEST_F(GuiSeats, AChildThatStartsAsACopyOfItsListenerIsNone) {
  desk.thread(1);
  desk.w.run(1);
  ObjectId child = desk.socket(8080);
  desk.w.set(child, "skc_state", 10);
  desk.w.set(child, "skc_state", 3);
  Chains chains(trace);
  chains.update();
  EXPECT_EQ(chains.chain_of(child)->rank(trace.size()), 1);
}

TEST_F(GuiSeats, APeerThatIsGoneDoesNotComeBack) {
  desk.thread(1);
  desk.w.run(1);
  ObjectId gone = desk.socket(8080), stays = desk.socket(51000), other = desk.socket(9000);
  desk.w.set(gone, "skc_dport", 51000);
  desk.w.set(stays, "skc_dport", 8080);
  desk.use(gone, "closes");
  desk.w.destroy(gone);
  desk.use(other, "another one");
  desk.use(stays, "the end that is left");
  EXPECT_THAT(open({{1, 0, 2}}), testing::UnorderedElementsAre(other, stays));
}

TEST(GuiVerdict, SaysWhetherAndWithWhatTheTraceWasCompared) {
  TraceSession alone(test::make_ping_trace());
  EXPECT_EQ(ViewModel(alone).verdict().badge, "model alone");
  trace::Schema schema = test::linux_schema();
  schema.compared_with = "Linux 6.18.44 on real loopback sockets";
  auto mirrored = std::make_shared<trace::Trace>(schema);
  TraceSession session(mirrored);
  EXPECT_EQ(ViewModel(session).verdict().badge, "kernel agrees");
  EXPECT_THAT(ViewModel(session).verdict().about, testing::HasSubstr(schema.compared_with));
  trace::Record divergence;
  divergence.kind = trace::RecordKind::kDivergence;
  mirrored->append(divergence);
  ViewModel model(session);
  model.seek(model.end());
  EXPECT_EQ(model.verdict().badge, "1 divergence");
}

}  // namespace
}  // namespace wakepath::gui
