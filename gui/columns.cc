#include "gui/columns.hh"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

namespace wakepath::gui {

using trace::TaskId;

namespace {

constexpr float kEpollWeight = 1.6f;
constexpr float kTightEpollWeight = 1.3f;
constexpr float kCrowdWeight = 0.7f;
constexpr float kSharedWeight = 0.75f;
constexpr float kNarrowest = 124;  // a column of weight 1, unscaled
constexpr float kTight = 104;      // before anything is left out
constexpr float kRoomy = 156;      // as wide as this, columns leave room for the shared tables
constexpr float kWidest = 330;

/// The choice of columns while it is being made smaller.
struct Choice {
  struct Thread {
    TaskId task = 0;
    Chains::Needs needs;
    unsigned plain = 1;
    std::size_t calls = 0;

    [[nodiscard]] bool idle() const { return needs.epolls + needs.important == 0; }
    [[nodiscard]] unsigned spare() const { return plain - (needs.listens ? 1 : 0); }
  };
  std::vector<Thread> threads;
  bool shared = false;
  bool crowd = false;
  float epoll_weight = kEpollWeight;

  [[nodiscard]] bool fits(float narrowest, float room, float scale) const {
    float sum = (shared ? kSharedWeight : 0) + (crowd ? kCrowdWeight : 0);
    unsigned count = (shared ? 1 : 0) + (crowd ? 1 : 0);
    for (const Thread& t : threads) {
      sum += epoll_weight * static_cast<float>(t.needs.epolls) + static_cast<float>(t.plain);
      count += t.needs.epolls + t.plain;
    }
    return sum * narrowest * scale + static_cast<float>(count) * kColumnGap * scale <= room;
  }

  /// One column or thread less. False when there is nothing left to give up.
  bool shrink() {
    crowd = true;
    auto fewer = [&](auto enough) {
      Thread* most = nullptr;
      for (Thread& t : threads)
        if (t.plain > enough(t) && (most == nullptr || t.spare() >= most->spare())) most = &t;
      if (most != nullptr) --most->plain;
      return most != nullptr;
    };
    auto lowest = [](const Thread& t) { return t.needs.epolls != 0 ? 0u : 1u; };
    if (fewer([&](const Thread& t) { return std::max(lowest(t), t.needs.important); })) return true;
    auto least = std::min_element(threads.begin(), threads.end(), [](const Thread& a, const Thread& b) {
      return std::tuple(!a.idle(), a.needs.listens, a.needs.epolls, a.calls) <
             std::tuple(!b.idle(), b.needs.listens, b.needs.epolls, b.calls);
    });
    if (threads.size() > 1 && least->idle()) return threads.erase(least), true;
    if (fewer([](const Thread& t) { return t.needs.listens ? 2u : 1u; })) return true;
    if (threads.size() > 2) return threads.erase(least), true;
    if (fewer([](const Thread&) { return 1u; })) return true;
    if (threads.size() > 1) return threads.erase(least), true;
    return false;
  }
};

Choice everything(const ViewModel& model) {
  Choice choice;
  std::map<TaskId, Choice::Thread> threads;
  auto add = [&](TaskId task) {
    if (task != 0) threads[task].task = task;
  };
  for (auto& [task, needs] : model.chains().needs()) {
    add(task);
    if (task == 0) choice.crowd = true;  // chains of nobody
    if (task == 0) continue;
    threads[task].needs = needs;
    threads[task].plain = needs.plain + needs.epolls == 0 ? 1 : needs.plain;
  }
  for (TaskId task : model.chains().tasks()) add(task);
  for (std::size_t task = 1; task < model.index().task_count(); ++task)
    if (model.index().calls(static_cast<TaskId>(task)) > 0) add(static_cast<TaskId>(task));
  for (auto& [task, thread] : threads) {
    thread.calls = model.index().calls(task);
    choice.threads.push_back(thread);
  }
  choice.shared = model.chains().has_shared();
  return choice;
}

/// The selected chain is shown all the same: it takes the seat of one that matters little, best of its own thread.
void show_selected(const ViewModel& model, std::vector<Column>& columns) {
  const Chains::Chain* chosen = model.chains().chain_of(model.selected());
  if (chosen == nullptr) return;
  Column* seat = nullptr;
  std::optional<std::tuple<bool, int>> lowest;
  for (Column& c : columns) {
    if (c.chain == chosen->root) return;
    if (c.type != Column::Type::kChain) continue;
    const Chains::Chain* sitting = model.chains().chain_of(c.chain);
    std::tuple cost(c.task != chosen->owner, sitting == nullptr ? -1 : sitting->rank(model.position()));
    if (!lowest || cost <= *lowest) lowest = cost, seat = &c;
  }
  if (seat != nullptr) seat->chain = chosen->root;
}

}  // namespace

std::vector<Column> choose_columns(const ViewModel& model, float room, float scale) {
  Choice choice = everything(model);
  if (!choice.fits(kRoomy, room, scale)) choice.shared = false;
  if (!choice.fits(kNarrowest, room, scale)) choice.epoll_weight = kTightEpollWeight;
  while (!choice.fits(kTight, room, scale) && choice.shrink()) {
  }
  std::vector<Place> places;
  for (const Choice::Thread& t : choice.threads) places.push_back({t.task, t.needs.epolls, t.plain});
  std::vector<Column> columns;
  for (const Openings::Seat& seat : model.openings(places).at(model.position()))
    columns.push_back({Column::Type::kChain, seat.task, seat.chain, seat.epoll ? choice.epoll_weight : 1});
  if (choice.crowd) columns.push_back({Column::Type::kCrowd, 0, 0, kCrowdWeight});
  if (choice.shared) columns.push_back({Column::Type::kShared, 0, 0, kSharedWeight});
  show_selected(model, columns);
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

std::size_t column_of(const std::vector<Column>& columns, const Chains::Chain& chain) {
  std::size_t counted = columns.size();
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].chain == chain.root) return i;
    if (columns[i].type == Column::Type::kCrowd) counted = i;
  }
  return counted;
}

}  // namespace wakepath::gui
