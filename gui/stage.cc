#include "gui/stage.hh"

#include <fmt/format.h>

#include <algorithm>

#include "gui/fields.hh"

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

constexpr float kEpollWeight = 1.6f;
constexpr float kOverflowWeight = 0.7f;
constexpr float kSharedWeight = 0.75f;
constexpr float kNarrowest = 146;  // a column of weight 1, unscaled
constexpr float kWidest = 330;
constexpr float kGap = 18;

/// One column of the lanes between user and softirq.
struct Column {
  TaskId owner = 0;
  unsigned slot = 0;
  enum class Type : std::uint8_t { kChain, kTaskOnly, kOverflow, kShared } type = Type::kChain;
  float weight = 1;
  float x = 0;
  float w = 0;
};

void place_lanes(Stage& stage, const Metrics& m) {
  struct Wanted {
    std::string_view name, hint;
    Layer layer;
    float share;
  };
  static constexpr Wanted kWanted[kLaneCount] = {
      {"USER THREADS", "what the program asks", Layer::kUser, 0.150f},
      {"VFS / SOCKFS", "descriptors, struct file", Layer::kVfs, 0.150f},
      {"SOCKET + EPOLL", "struct socket, eventpoll", Layer::kSocket, 0.270f},
      {"TCP / IP", "struct sock, its queues", Layer::kTcp, 0.270f},
      {"SOFTIRQ / lo", "per-CPU backlog, NET_RX", Layer::kSoftirq, 0.160f},
  };
  float boundary = m.px(40), channel = m.px(25);
  float room = stage.area.h - boundary - (kLaneCount - 2) * channel - m.px(8);
  float y = stage.area.y + m.px(4);
  for (const Wanted& wanted : kWanted) {
    Rect rect{stage.area.x + m.px(6), y, stage.area.w - m.px(12), room * wanted.share};
    y = rect.bottom() + (stage.lanes.empty() ? boundary : channel);
    stage.lanes.push_back({wanted.name, wanted.hint, wanted.layer, rect});
  }
  stage.boundary_y = (stage.lanes[0].rect.bottom() + stage.lanes[1].rect.y) / 2;
  stage.boundary_x = stage.area.x + m.px(108);
}

/// The task with the most columns gives up its last one that is no epoll: its chains are counted in an overflow column.
bool drop_one(std::vector<Column>& columns) {
  std::map<TaskId, std::size_t> plain;
  for (const Column& c : columns)
    if (c.type == Column::Type::kChain && c.weight == 1) ++plain[c.owner];
  auto largest = std::max_element(plain.begin(), plain.end(), [](auto& a, auto& b) { return a.second < b.second; });
  if (largest == plain.end() || largest->second <= 1) return false;
  auto last = columns.end();
  for (auto it = columns.begin(); it != columns.end(); ++it)
    if (it->owner == largest->first && it->type == Column::Type::kChain && it->weight == 1) last = it;
  auto after = columns.erase(last);
  while (after != columns.end() && after->owner == largest->first && after->type == Column::Type::kChain) ++after;
  bool known = after != columns.end() && after->owner == largest->first && after->type == Column::Type::kOverflow;
  if (!known) columns.insert(after, {largest->first, 0, Column::Type::kOverflow, kOverflowWeight});
  return true;
}

std::vector<Column> choose_columns(const ViewModel& model, float room, const Metrics& m) {
  std::map<TaskId, std::vector<bool>> groups = model.chains().slots();
  for (const trace::Task& task : model.world().tasks())
    if (task.object != 0) groups.try_emplace(task.id);
  for (std::size_t task = 1; task < model.index().task_count(); ++task)
    if (!model.index().spans(static_cast<TaskId>(task)).empty()) groups.try_emplace(static_cast<TaskId>(task));
  std::vector<Column> columns;
  for (auto& [task, slots] : groups) {
    for (unsigned i = 0; i < slots.size(); ++i)
      columns.push_back({task, i, Column::Type::kChain, slots[i] ? kEpollWeight : 1});
    if (slots.empty()) columns.push_back({task, 0, Column::Type::kTaskOnly, 1});
  }
  if (model.chains().has_shared()) columns.push_back({0, 0, Column::Type::kShared, kSharedWeight});
  auto tight = [&] {
    float sum = 0;
    for (const Column& c : columns) sum += c.weight;
    return sum * m.px(kNarrowest) + static_cast<float>(columns.size()) * m.px(kGap) > room;
  };
  if (tight()) std::erase_if(columns, [](const Column& c) { return c.type == Column::Type::kShared; });
  while (tight() && drop_one(columns)) {
  }
  return columns;
}

void place_columns(std::vector<Column>& columns, float x, float room, const Metrics& m) {
  float gap = m.px(kGap), sum = 0;
  for (const Column& c : columns) sum += c.weight;
  float unit = (room - gap * static_cast<float>(columns.size())) / std::max(1.0f, sum);
  unit = std::min(unit, m.px(kWidest));
  for (Column& c : columns) {
    c.x = x;
    c.w = unit * c.weight;
    x += c.w + gap;
  }
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

/// "+97 tcp_sock": what has no column of its own, counted by state.
Card group_card(const std::vector<Card>& members, int lane, unsigned number) {
  Card group{.id = kGroupCards + number, .layer = members.front().layer, .lane = lane};
  group.title = fmt::format("+{} more", members.size());
  std::map<std::string, std::size_t> states;
  for (const Card& c : members) ++states[c.pill.empty() ? c.title.substr(0, c.title.find('#')) : c.pill];
  if (lane == 1) states = {{"files", members.size()}};
  for (auto& [state, count] : states)
    group.items.push_back({.type = Item::Type::kText, .key = fmt::format("{}", count), .value = state});
  return group;
}

struct Placer {
  Stage& stage;
  const ViewModel& model;
  const Moment& moment;
  Metrics m;
  std::vector<Column> columns;
  std::map<std::pair<int, std::size_t>, std::vector<Card>> cells = {};  // lane, column
  std::map<std::pair<int, std::size_t>, std::vector<Card>> overflow = {};

  [[nodiscard]] Rect cell(int lane, const Column& c) const {
    const Rect& rect = stage.lanes[static_cast<std::size_t>(lane)].rect;
    return {c.x, rect.y + m.px(5), c.w, rect.h - m.px(10)};
  }

  /// Index of a chain's column; columns.size() when its owner has none.
  std::size_t column_of(const Chains::Chain& chain) const {
    std::size_t own = columns.size(), overflow_at = columns.size(), last = columns.size();
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const Column& c = columns[i];
      if (c.owner != chain.owner) continue;
      if (c.type == Column::Type::kOverflow) overflow_at = i;
      if (c.type == Column::Type::kChain && c.slot == chain.slot) own = i;
      if (c.type == Column::Type::kChain && c.weight == 1) last = i;
    }
    if (overflow_at == columns.size()) return own;
    // the selected chain is shown all the same: it takes the last plain column, whose own chain is counted meanwhile
    const Chains::Chain* chosen = model.chains().chain_of(model.selected());
    bool guest = chosen != nullptr && chosen->owner == chain.owner && last != columns.size() &&
                 std::none_of(columns.begin(), columns.end(), [&](const Column& c) {
                   return c.owner == chosen->owner && c.type == Column::Type::kChain && c.slot == chosen->slot;
                 });
    if (guest && chosen->root == chain.root) return last;
    if (guest && own == last) return overflow_at;
    return own != columns.size() ? own : overflow_at;
  }

  void chain_cards() {
    for (const Object& object : model.world().objects()) {
      if (object.id == 0 || (!object.alive && !model.changes().freed.contains(object.id))) continue;
      const Chains::Chain* chain = model.chains().chain_of(object.id);
      if (chain == nullptr) continue;
      std::size_t column = column_of(*chain);
      if (column == columns.size()) continue;
      int lane = lane_of(model.trace().schema().kinds[object.kind].layer);
      if (lane == 0 || lane == 4) lane = 2;
      auto& where = columns[column].type == Column::Type::kOverflow ? overflow : cells;
      Card card = make_card(model, moment, object.id);
      card.lane = lane;
      where[{lane, column}].push_back(std::move(card));
    }
    for (auto& [place, cards] : cells) stack_cards(cards, cell(place.first, columns[place.second]), m, stage);
    unsigned number = 0;
    for (auto& [place, cards] : overflow) {
      Card group = group_card(cards, place.first, number++);
      group.rect = cell(place.first, columns[place.second]);
      lay_out_card(group, m);
      stage.cards.push_back(std::move(group));
    }
  }

  void task_cards() {
    for (const trace::Task& task : model.world().tasks()) {
      if (task.object == 0 || task.object >= model.world().objects().size()) continue;
      float left = 0, right = 0;
      for (const Column& c : columns) {
        if (c.owner != task.id || c.type == Column::Type::kShared) continue;
        if (right == 0) left = c.x;
        right = c.x + c.w;
      }
      if (right == 0) continue;
      Card card = make_card(model, moment, task.object);
      const Rect& lane = stage.lanes[0].rect;
      card.rect = {left, lane.y + m.px(5), std::min(right - left, m.px(340)), lane.h - m.px(10)};
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
  }

  /// Tables that belong to nobody: one card a lane, one line an object.
  void shared_cards() {
    std::map<int, Card> tables;
    for (const Object& object : model.world().objects()) {
      if (!object.alive || model.chains().role(object.kind) != Role::kShared) continue;
      const trace::Kind& kind = model.trace().schema().kinds[object.kind];
      int lane = lane_of(kind.layer);
      if (lane == 0 || lane == 4) lane = 3;
      Card& card = tables[lane];
      if (card.items.empty()) card = {.layer = kind.layer, .title = "tables", .lane = lane};
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
    if (column == columns.end()) return;
    for (auto& [lane, card] : tables) {
      card.id = kGroupCards + 0x80 + static_cast<unsigned>(lane);
      card.pill = fmt::format("{}", card.items.size());
      card.rect = cell(lane, *column);
      lay_out_card(card, m);
      stage.cards.push_back(std::move(card));
    }
  }

  void softirq_cards() {
    std::vector<Card> cards;
    if (!model.trace().schema().functions.empty()) cards.push_back(make_virtual_card(model, moment, kLoopbackCard));
    for (const Object& object : model.world().objects()) {
      bool here = object.alive && (model.chains().role(object.kind) == Role::kSoftnet);
      if (here && cards.size() < 4) cards.push_back(make_card(model, moment, object.id));
    }
    if (!model.trace().schema().functions.empty()) cards.push_back(make_virtual_card(model, moment, kSoftirqCard));
    if (cards.empty()) return;
    const Rect& lane = stage.lanes[4].rect;
    float gap = m.px(74), x = stage.boundary_x;
    float room = lane.right() - m.px(10) - x - gap * static_cast<float>(cards.size() - 1);
    float unit = std::min(room / static_cast<float>(cards.size()), m.px(330));
    gap = cards.size() > 1
              ? std::min(m.px(150), (lane.right() - m.px(10) - x - unit * static_cast<float>(cards.size())) /
                                        static_cast<float>(cards.size() - 1))
              : gap;
    for (Card& card : cards) {
      card.lane = 4;
      card.rect = {x, lane.y + m.px(5), unit, lane.h - m.px(10)};
      x += unit + gap;
      lay_out_card(card, m);
      stage.cards.push_back(std::move(card));
    }
  }
};

}  // namespace

void place_cards(Stage& stage, const ViewModel& model, const Moment& moment) {
  Metrics m(stage.scale);
  place_lanes(stage, m);
  float room = stage.lanes[0].rect.right() - m.px(4) - stage.boundary_x;
  Placer placer{stage, model, moment, m, choose_columns(model, room, m)};
  place_columns(placer.columns, stage.boundary_x, room, m);
  stage.gaps.push_back(stage.boundary_x - m.px(kGap / 2));
  for (const Column& c : placer.columns) stage.gaps.push_back(c.x + c.w + m.px(kGap / 2));
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
