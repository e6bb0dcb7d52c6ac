#include "gui/stage.hh"

#include <fmt/format.h>

#include <algorithm>

#include "gui/columns.hh"
#include "gui/fields.hh"
#include "gui/tongue.hh"

namespace wakepath::gui {

using trace::Layer;
using trace::Object;
using trace::ObjectId;
using trace::TaskId;

int lane_of(Layer layer) {
  switch (layer) {
    case Layer::kUser:
    case Layer::kSyscall:
      return 0;
    case Layer::kVfs:
      return 1;
    case Layer::kSocket:
    case Layer::kEpoll:
      return 2;
    case Layer::kTcp:
    case Layer::kIp:
      return 3;
    case Layer::kSoftirq:
    case Layer::kScheduler:
      return 4;
  }
  return 4;
}

namespace {

constexpr float kLowStage = 520;     // less high, and lanes move together
constexpr float kNarrowStage = 900;  // less wide, and their names take less

void place_lanes(Stage& stage, const Metrics& m) {
  struct Wanted {
    std::string_view name, hint;
    Layer layer;
    float share;
  };
  static constexpr Wanted kWanted[kLaneCount] = {
      {"USER THREADS", "what the program asks", Layer::kUser, 0.165f},
      {"VFS / SOCKFS", "descriptors, struct file", Layer::kVfs, 0.140f},
      {"SOCKET + EPOLL", "struct socket, eventpoll", Layer::kSocket, 0.275f},
      {"TCP / IP", "struct sock, its queues", Layer::kTcp, 0.270f},
      {"SOFTIRQ / lo", "backlog, NET_RX", Layer::kSoftirq, 0.150f},
  };
  const bool low = stage.area.h < m.px(kLowStage);
  float boundary = m.px(low ? 34 : 42), channel = m.px(low ? 22 : 28);
  float room = stage.area.h - boundary - (kLaneCount - 2) * channel - m.px(8);
  float y = stage.area.y + m.px(4);
  for (const Wanted& wanted : kWanted) {
    Rect rect{stage.area.x + m.px(6), y, stage.area.w - m.px(12), room * wanted.share};
    y = rect.bottom() + (stage.lanes.empty() ? boundary : channel);
    stage.lanes.push_back({wanted.name, wanted.hint, wanted.layer, rect});
  }
  stage.boundary_y = (stage.lanes[0].rect.bottom() + stage.lanes[1].rect.y) / 2;
  stage.boundary_x = stage.area.x + m.px(stage.area.w < m.px(kNarrowStage) ? 84 : 108);
}

/// Puts several cards of one place below each other.
void stack_cards(std::vector<Card>& cards, Rect cell, const Metrics& m, Stage& stage) {
  constexpr std::size_t kMost = 2;
  if (cards.size() > kMost) {  // the living ones first, then the youngest
    std::stable_sort(cards.begin(), cards.end(), [](const Card& a, const Card& b) { return a.dead < b.dead; });
    cards.resize(kMost);
  }
  float gap = m.px(6);
  float h = (cell.h - gap * static_cast<float>(cards.size() - 1)) / static_cast<float>(cards.size());
  for (Card& card : cards) {
    card.rect = {cell.x, cell.y, cell.w, h};
    cell.y += h + gap;
    lay_out_card(card, m);
    stage.cards.push_back(std::move(card));
  }
}

struct Placer {
  Stage& stage;
  const ViewModel& model;
  const Moment& moment;
  Metrics m;
  std::vector<Column> columns;
  std::map<std::pair<int, std::size_t>, std::vector<Card>> cells = {};  // lane, column
  std::map<std::pair<int, std::size_t>, std::vector<ObjectId>> overflow = {};
  std::size_t groups = 0;
  std::vector<Card> beside_softirq = {};

  [[nodiscard]] Rect cell(int lane, const Column& c) const {
    const Rect& rect = stage.lanes[static_cast<std::size_t>(lane)].rect;
    return {c.x, rect.y + m.px(3), c.w, rect.h - m.px(6)};
  }

  void chain_cards() {
    for (const Object& object : model.world().objects()) {
      if (object.id == 0 || (!object.alive && !model.changes().freed.contains(object.id))) continue;
      const Chains::Chain* chain = model.chains().chain_of(object.id);
      if (chain == nullptr) continue;
      std::size_t column = column_of(columns, *chain);
      if (column == columns.size()) continue;
      int lane = lane_of(model.trace().schema().kinds[object.kind].layer);
      Role role = model.chains().role(object.kind);
      if (lane == 0 || lane == 4 || role == Role::kSocket || role == Role::kEpoll) lane = 2;
      if (columns[column].type == Column::Type::kCrowd) {
        overflow[{lane, column}].push_back(object.id);
        continue;
      }
      Card card = make_card(model, moment, object.id);
      card.lane = lane;
      cells[{lane, column}].push_back(std::move(card));
    }
    for (auto& [place, cards] : cells) stack_cards(cards, cell(place.first, columns[place.second]), m, stage);
    for (auto& [place, ids] : overflow) add_group(ids, place.first, cell(place.first, columns[place.second]));
  }

  /// "+97 more": what has no column of its own, counted by state.
  void add_group(const std::vector<ObjectId>& ids, int lane, Rect rect) {
    const trace::Kind& kind = model.trace().schema().kinds[model.world().objects()[ids.front()].kind];
    Card group{.id = kGroupCards + static_cast<unsigned>(groups++), .layer = kind.layer, .lane = lane, .rect = rect};
    group.title = said("+{} more", ids.size());
    std::map<std::string, std::size_t> states;
    for (ObjectId id : ids) {
      stage.hidden[id] = group.id;
      const Object& object = model.world().objects()[id];
      Reader read(model.trace(), model.world(), object);
      std::string state = read.text(model.chains().role(object.kind) == Role::kTask ? "comm" : "skc_state");
      if (state.starts_with("TCP_")) state.erase(0, 4);
      ++states[state.empty() ? model.trace().schema().kinds[object.kind].name : state];
    }
    for (auto& [state, count] : states)
      group.items.push_back({.type = Item::Type::kText, .key = fmt::format("{}", count), .value = state});
    lay_out_card(group, m);
    stage.cards.push_back(std::move(group));
  }

  void task_cards() {
    std::vector<ObjectId> crowd;
    for (const trace::Task& task : model.world().tasks()) {
      if (task.object == 0 || task.object >= model.world().objects().size()) continue;
      float left = 0, right = 0;
      for (const Column& c : columns) {
        if (c.task != task.id || c.type != Column::Type::kChain) continue;
        if (right == 0) left = c.x;
        right = c.x + c.w;
      }
      if (right == 0) {
        crowd.push_back(task.object);
        continue;
      }
      Card card = make_card(model, moment, task.object);
      const Rect& lane = stage.lanes[0].rect;
      card.rect = {left, lane.y + m.px(3), std::min(right - left, m.px(340)), lane.h - m.px(6)};
      lay_out_card(card, m);
      if (task.syscall != 0) {
        std::string text(model.trace().string(model.trace()[task.syscall - 1].object));
        std::string name = text.substr(0, text.find('('));
        float width = std::min(m.mono_width(name.size()) + m.px(18), card.rect.w * 0.48f);
        stage.syscalls.push_back({card.id,
                                  name,
                                  card.pill == "SLEEPING",
                                  {card.rect.x + m.px(8), stage.boundary_y - m.px(10), width, m.px(20)}});
      }
      stage.cards.push_back(std::move(card));
    }
    auto column = std::find_if(columns.begin(), columns.end(), [](auto& c) { return c.type == Column::Type::kCrowd; });
    if (!crowd.empty() && column != columns.end()) add_group(crowd, 0, cell(0, *column));
  }

  /// Tables that belong to nobody: one card a lane, one line an object.
  void shared_cards() {
    std::map<int, Card> tables;
    for (const Object& object : model.world().objects()) {
      if (!object.alive || model.chains().role(object.kind) != Role::kShared) continue;
      const trace::Kind& kind = model.trace().schema().kinds[object.kind];
      int lane = lane_of(kind.layer);
      Card& card = tables[lane];
      if (card.items.empty()) card = {.layer = kind.layer, .title = kind.name, .lane = lane};
      if (card.title != kind.name) card.title = tr("others");
      Reader read(model.trace(), model.world(), object);
      Item item{.type = Item::Type::kText, .key = trace::object_name(model.trace(), model.world(), object.id)};
      if (item.key.starts_with("inet_")) item.key.erase(0, 5);
      if (std::uint64_t port = read.value("port"); port != 0) item.value = fmt::format(":{}", port);
      for (trace::FieldId f = 0; f < kind.fields.size(); ++f)
        if (!object.list(f).empty()) item.value += fmt::format(" [{}]", object.list(f).size());
      item.link = object.id;
      item.changed = model.changes().created.contains(object.id);
      card.items.push_back(std::move(item));
    }
    auto column = std::find_if(columns.begin(), columns.end(), [](auto& c) { return c.type == Column::Type::kShared; });
    for (auto& [lane, card] : tables) {
      card.id = kGroupCards + 0x80 + static_cast<unsigned>(lane);
      card.pill = fmt::format("{}", card.items.size());
      if (lane == 4) {  // that lane has no columns
        beside_softirq.push_back(std::move(card));
        continue;
      }
      if (column == columns.end()) continue;
      card.rect = cell(lane, *column);
      lay_out_card(card, m);
      stage.cards.push_back(std::move(card));
    }
  }

  /// lo, the per-CPU queues, NET_RX: from left to right as a packet goes. Each keeps its place while others are
  /// missing.
  void softirq_cards() {
    std::vector<Card> queues;
    for (const Object& object : model.world().objects())
      if (object.alive && model.chains().role(object.kind) == Role::kSoftnet && queues.size() < 2)
        queues.push_back(make_card(model, moment, object.id));
    for (Card& card : beside_softirq) queues.push_back(std::move(card));
    std::size_t places = std::max<std::size_t>(1, queues.size()) + 2;
    const Rect& lane = stage.lanes[4].rect;
    float room = lane.right() - m.px(10) - stage.boundary_x, count = static_cast<float>(places);
    const float least = m.px(room < m.px(700) ? 26 : 74);  // between two
    float width = std::min((room - least * (count - 1)) / count, m.px(330));
    float pitch = width + std::min(m.px(150), (room - width * count) / (count - 1));
    auto place = [&](Card card, std::size_t index) {
      card.lane = 4;
      card.rect = {stage.boundary_x + pitch * static_cast<float>(index), lane.y + m.px(3), width, lane.h - m.px(6)};
      lay_out_card(card, m);
      stage.cards.push_back(std::move(card));
    };
    bool functions = !model.trace().schema().functions.empty();
    if (functions) place(make_virtual_card(model, moment, kLoopbackCard), 0);
    for (std::size_t i = 0; i < queues.size(); ++i) place(std::move(queues[i]), i + 1);
    if (functions) place(make_virtual_card(model, moment, kSoftirqCard), places - 1);
  }
};

}  // namespace

void place_cards(Stage& stage, const ViewModel& model, const Moment& moment) {
  Metrics m(stage.scale);
  place_lanes(stage, m);
  float room = stage.lanes[0].rect.right() - m.px(4) - stage.boundary_x;
  Placer placer{stage, model, moment, m, choose_columns(model, room, stage.scale)};
  place_columns(placer.columns, stage.boundary_x, room, stage.scale);
  stage.gaps.push_back(stage.boundary_x - m.px(kColumnGap / 2));
  for (const Column& c : placer.columns) stage.gaps.push_back(c.x + c.w + m.px(kColumnGap / 2));
  placer.task_cards();
  placer.chain_cards();
  placer.shared_cards();
  placer.softirq_cards();
}

Stage build_stage(const ViewModel& model, Rect area, float scale) {
  Stage stage{.area = area, .scale = scale};
  Moment moment = look_around(model);
  place_cards(stage, model, moment);
  add_pointers(stage, model);
  add_path(stage, model, moment);
  route_edges(stage);
  return stage;
}

}  // namespace wakepath::gui
