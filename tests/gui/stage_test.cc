// The picture as data: nothing overlaps, nothing moves while stepping, the call path says what happened.
#include "gui/stage.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/gui/synthetic.hh"

namespace wakepath::gui {
namespace {

using test::TraceSession;
using testing::Contains;
using testing::ElementsAre;

constexpr Rect kSmall{214, 54, 950, 622};   // the middle of a window of 1440x900
constexpr Rect kLarge{286, 54, 1268, 765};  // and of 1920x1080

const Card* card_titled(const Stage& stage, const std::string& title) {
  for (const Card& card : stage.cards)
    if (card.title == title) return &card;
  return nullptr;
}

const Item* item_keyed(const Card& card, const std::string& key) {
  for (const Item& item : card.items)
    if (item.key == key) return &item;
  return nullptr;
}

void expect_tidy(const Stage& stage, trace::Position at) {
  for (std::size_t i = 0; i < stage.cards.size(); ++i) {
    const Card& a = stage.cards[i];
    EXPECT_GE(a.rect.x, stage.area.x) << a.title << " at " << at;
    EXPECT_LE(a.rect.right(), stage.area.right()) << a.title << " at " << at;
    EXPECT_LE(a.rect.bottom(), stage.area.bottom()) << a.title << " at " << at;
    for (std::size_t j = i + 1; j < stage.cards.size(); ++j)
      EXPECT_FALSE(a.rect.overlaps(stage.cards[j].rect)) << a.title << " and " << stage.cards[j].title << " at " << at;
    for (const Item& item : a.items) {
      EXPECT_LE(item.rect.right(), a.rect.right()) << a.title << "." << item.key << " at " << at;
      for (const Token& token : item.tokens)
        EXPECT_LE(token.rect.right(), a.rect.right() + 1) << a.title << "." << item.key << " at " << at;
    }
  }
}

class GuiStage : public testing::Test {
 protected:
  TraceSession session{test::make_ping_trace()};
  ViewModel model{session};
};

TEST_F(GuiStage, NothingOverlapsAtAnyPlaceOfTheTrace) {
  for (trace::Position p = 0; p <= model.end(); p += 3) {
    model.seek(p);
    expect_tidy(build_stage(model, kSmall, 1), p);
    expect_tidy(build_stage(model, kLarge, 1), p);
  }
}

TEST_F(GuiStage, NothingMovesWhileStepping) {
  std::map<trace::ObjectId, float> places;
  for (trace::Position p = 0; p <= model.end(); ++p) {
    model.seek(p);
    for (const Card& card : build_stage(model, kLarge, 1).cards) {
      auto [known, fresh] = places.try_emplace(card.id, card.rect.x);
      EXPECT_EQ(known->second, card.rect.x) << card.title << " at " << p;
    }
  }
  EXPECT_GT(places.size(), 12u);
}

TEST_F(GuiStage, EdgesRunAroundTheCards) {
  model.seek_step(6);
  Stage stage = build_stage(model, kSmall, 1);
  ASSERT_GT(stage.edges.size(), 8u);
  for (const Edge& edge : stage.edges)
    for (std::size_t i = 0; i + 1 < edge.points.size(); ++i) {
      Point a = edge.points[i], b = edge.points[i + 1];
      Rect run{std::min(a.x, b.x), std::min(a.y, b.y), std::abs(a.x - b.x), std::abs(a.y - b.y)};
      for (const Card& card : stage.cards)
        EXPECT_FALSE(run.overlaps(card.rect.inset(2))) << edge.label << " crosses " << card.title;
    }
}

TEST_F(GuiStage, SendingWakesTheServerAlongANumberedPath) {
  model.seek_step(6);
  Stage stage = build_stage(model, kLarge, 1);
  std::vector<std::string> path;
  std::vector<int> numbers;
  for (const Edge& edge : stage.edges)
    if (edge.hop) path.push_back(edge.label), numbers.push_back(edge.number);
  EXPECT_THAT(path,
              ElementsAre("sock_sendmsg", "tcp_sendmsg_locked", "loopback_xmit", "enqueue_to_backlog", "net_rx_action",
                          "tcp_v4_rcv", "sock_def_readable", "ep_poll_callback", "try_to_wake_up"));
  for (std::size_t i = 0; i < numbers.size(); ++i) EXPECT_EQ(numbers[i], static_cast<int>(i) + 1);
  EXPECT_TRUE(stage.edges.back().wake);
}

TEST_F(GuiStage, InsideSoftirqThePathIsMarkedAndItsInnermostHopPulses) {
  for (trace::Position p = 0; p < model.end(); ++p)
    if (model.trace()[p].kind == trace::RecordKind::kWake) model.seek(p);  // the last wake: the call is still open
  model.set_grain(Grain::kFunction);
  Stage stage = build_stage(model, kLarge, 1);
  int innermost = 0;
  for (const Edge& edge : stage.edges) {
    if (!edge.hop) continue;
    if (edge.label == "tcp_v4_rcv" || edge.label == "ep_poll_callback") {
      EXPECT_TRUE(edge.in_softirq && edge.active);
    }
    if (edge.label == "sock_sendmsg") {
      EXPECT_FALSE(edge.in_softirq);
    }
    innermost += edge.innermost ? 1 : 0;
  }
  EXPECT_EQ(innermost, 1);
  const Card* softirq = stage.find(kSoftirqCard);
  ASSERT_NE(softirq, nullptr);
  EXPECT_EQ(softirq->pill, "RUNNING");
  EXPECT_EQ(softirq->items.front().value, "on client's stack");
}

TEST_F(GuiStage, WaitEntriesHangOnTheirQueueWithTheNameOfTheirCallback) {
  model.seek_step(3);  // the server sleeps in epoll_wait
  Stage stage = build_stage(model, kLarge, 1);
  const Card* listener = card_titled(stage, "socket_alloc#1");
  ASSERT_NE(listener, nullptr);
  const Item* queue = item_keyed(*listener, "wq.wait");
  ASSERT_NE(queue, nullptr);
  ASSERT_EQ(queue->tokens.size(), 1u);
  EXPECT_EQ(queue->tokens[0].text, "ep_poll_callback→fd4");
  const Card* epoll = card_titled(stage, "eventpoll#1");
  ASSERT_NE(epoll, nullptr);
  EXPECT_EQ(epoll->pill, "1 waiting");
  ASSERT_NE(item_keyed(*epoll, "wq"), nullptr);
  EXPECT_EQ(item_keyed(*epoll, "wq")->tokens.at(0).text, "server excl: ep_autoremove_wake_function");
  ASSERT_EQ(stage.syscalls.size(), 1u);
  EXPECT_TRUE(stage.syscalls[0].sleeping);
}

TEST_F(GuiStage, WhatJustChangedIsMarkedWithItsValueBefore) {
  model.seek_step(6);
  Stage stage = build_stage(model, kLarge, 1);
  const Card* receiver = card_titled(stage, "tcp_sock#3");
  ASSERT_NE(receiver, nullptr);
  const Item* field = item_keyed(*receiver, "rcv_nxt");
  ASSERT_NE(field, nullptr);
  EXPECT_TRUE(field->changed);
  EXPECT_EQ(field->was, "0");
  const Item* queue = item_keyed(*receiver, "sk_receive_queue");
  ASSERT_NE(queue, nullptr);
  ASSERT_EQ(queue->tokens.size(), 1u);
  EXPECT_TRUE(queue->tokens[0].fresh);
  EXPECT_EQ(queue->tokens[0].text, "4 B");
}

TEST_F(GuiStage, ClickingATokenFindsItsObject) {
  model.seek_step(6);
  Stage stage = build_stage(model, kLarge, 1);
  const Token& packet = item_keyed(*card_titled(stage, "tcp_sock#3"), "sk_receive_queue")->tokens[0];
  EXPECT_EQ(stage.object_at(packet.rect.center()), packet.object);
  EXPECT_EQ(stage.object_at({stage.area.x + 1, stage.area.y + 1}), 0u);
}

TEST(GuiCrowd, ManyConnectionsAreCountedAndTheSelectedOneIsShown) {
  TraceSession session(test::make_crowd_trace(40));
  ViewModel model(session);
  model.seek(model.end());
  Stage stage = build_stage(model, kSmall, 1);
  expect_tidy(stage, model.position());
  EXPECT_LT(stage.cards.size(), 30u);
  const Card* counted = nullptr;
  for (const Card& card : stage.cards)
    if (card.title.starts_with("+") && card.lane == 3) counted = &card;
  ASSERT_NE(counted, nullptr);
  EXPECT_EQ(counted->items[0].value, "ESTABLISHED");
  trace::ObjectId hidden = 0;
  for (auto& [object, group] : stage.hidden)
    if (group == counted->id) hidden = object;
  ASSERT_EQ(stage.find(hidden), nullptr);
  model.select(hidden);
  stage = build_stage(model, kSmall, 1);
  expect_tidy(stage, model.position());
  EXPECT_NE(stage.find(hidden), nullptr);
}

TEST(GuiUnknown, KindsThatNobodyKnowsArePlainLinesInTheLaneOfTheirLayer) {
  TraceSession session(test::make_unknown_trace());
  ViewModel model(session);
  for (trace::Position p = 0; p <= model.end(); ++p) {
    model.seek(p);
    expect_tidy(build_stage(model, kSmall, 1), p);
  }
  Stage stage = build_stage(model, kSmall, 1);
  std::vector<std::string> lines;
  for (const Card& card : stage.cards)
    for (const Item& item : card.items) lines.push_back(item.key);
  EXPECT_THAT(lines, Contains("strange_5#1"));
  EXPECT_THAT(lines, Contains("strange_2#1"));
}

}  // namespace
}  // namespace wakepath::gui
