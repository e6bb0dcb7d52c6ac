#include "gui/columns.hh"

#include <algorithm>

namespace wakepath::gui {

using trace::TaskId;

namespace {

constexpr float kEpollWeight = 1.6f;
constexpr float kTightEpollWeight = 1.3f;
constexpr float kOverflowWeight = 0.7f;
constexpr float kSharedWeight = 0.75f;
constexpr float kNarrowest = 124;  // a column of weight 1, unscaled
constexpr float kRoomy = 156;      // as wide as this, columns leave room for the shared tables
constexpr float kWidest = 330;

bool is_plain(const Column& c) { return c.type == Column::Type::kChain && c.weight == 1; }

/// The task with the most columns gives up its last one that is no epoll: its chains are counted in an overflow column.
bool drop_one(std::vector<Column>& columns) {
  std::map<TaskId, std::size_t> plain;
  for (const Column& c : columns)
    if (is_plain(c)) ++plain[c.owner];
  auto largest = std::max_element(plain.begin(), plain.end(), [](auto& a, auto& b) { return a.second < b.second; });
  if (largest == plain.end() || largest->second <= 1) return false;
  auto last = columns.end();
  for (auto it = columns.begin(); it != columns.end(); ++it)
    if (it->owner == largest->first && is_plain(*it)) last = it;
  auto after = columns.erase(last);
  while (after != columns.end() && after->owner == largest->first && after->type == Column::Type::kChain) ++after;
  bool known = after != columns.end() && after->owner == largest->first && after->type == Column::Type::kOverflow;
  if (!known) columns.insert(after, {largest->first, 0, Column::Type::kOverflow, kOverflowWeight});
  return true;
}

/// The last task gives up all its columns; it and its chains are counted at the right end.
bool drop_task(std::vector<Column>& columns) {
  TaskId first = columns.front().owner, last = first;
  for (const Column& c : columns)
    if (c.owner != kCrowd && c.type != Column::Type::kShared) last = std::max(last, c.owner);
  if (last == first) return false;
  std::erase_if(columns, [&](const Column& c) { return c.owner == last && c.type != Column::Type::kShared; });
  if (columns.back().owner != kCrowd) columns.push_back({kCrowd, 0, Column::Type::kOverflow, kOverflowWeight});
  return true;
}

}  // namespace

std::vector<Column> choose_columns(const ViewModel& model, float room, float scale) {
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
  auto tight = [&](float narrowest) {
    float sum = 0;
    for (const Column& c : columns) sum += c.weight;
    return sum * narrowest * scale + static_cast<float>(columns.size()) * kColumnGap * scale > room;
  };
  if (tight(kRoomy)) std::erase_if(columns, [](const Column& c) { return c.type == Column::Type::kShared; });
  if (tight(kNarrowest))
    for (Column& c : columns)
      if (c.weight == kEpollWeight) c.weight = kTightEpollWeight;
  while (tight(kNarrowest) && (drop_one(columns) || drop_task(columns))) {
  }
  return columns;
}

void place_columns(std::vector<Column>& columns, float x, float room, float scale) {
  float gap = kColumnGap * scale, sum = 0;
  for (const Column& c : columns) sum += c.weight;
  float unit = (room - gap * static_cast<float>(columns.size())) / std::max(1.0f, sum);
  unit = std::clamp(unit, 1.0f, kWidest * scale);
  for (Column& c : columns) {
    c.x = x;
    c.w = unit * c.weight;
    x += c.w + gap;
  }
}

std::size_t column_of(const std::vector<Column>& columns, const ViewModel& model, const Chains::Chain& chain) {
  const std::size_t none = columns.size();
  std::size_t own = none, overflow = none, last = none, crowd = none;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const Column& c = columns[i];
    if (c.owner == kCrowd) crowd = i;
    if (c.owner != chain.owner) continue;
    if (c.type == Column::Type::kOverflow) overflow = i;
    if (c.type == Column::Type::kChain && c.slot == chain.slot) own = i;
    if (is_plain(c)) last = i;
  }
  if (overflow == none) return own != none ? own : crowd;
  // the selected chain is shown all the same: it takes the last plain column, whose own chain is counted meanwhile
  const Chains::Chain* chosen = model.chains().chain_of(model.selected());
  bool guest = chosen != nullptr && chosen->owner == chain.owner && last != none &&
               std::none_of(columns.begin(), columns.end(), [&](const Column& c) {
                 return c.owner == chosen->owner && c.type == Column::Type::kChain && c.slot == chosen->slot;
               });
  if (guest && chosen->root == chain.root) return last;
  if (guest && own == last) return overflow;
  return own != none ? own : overflow;
}

}  // namespace wakepath::gui
