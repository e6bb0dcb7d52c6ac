// The call path on the stage: which cards the functions since path_begin() were about, as numbered hops.
#include <algorithm>
#include <tuple>

#include "gui/stage.hh"
#include "sim/export/reading.hh"

namespace wakepath::gui {

using trace::Context;
using trace::Layer;
using trace::ObjectId;
using trace::Position;
using trace::Record;
using trace::RecordKind;

namespace {

constexpr std::size_t kMostHops = 16;

struct Open {
  Position call;
  ObjectId card;
};

struct PathFinder {
  const Stage& stage;
  const ViewModel& model;
  const Moment& moment;

  /// The card that shows an object or counts it; 0 for none.
  [[nodiscard]] ObjectId shown_as(ObjectId id) const {
    if (shown(id)) return id;
    auto counted = stage.hidden.find(id);
    return counted == stage.hidden.end() ? 0 : counted->second;
  }

  [[nodiscard]] bool shown(ObjectId id) const { return id != 0 && stage.find(id) != nullptr; }

  /// The card of an object's chain in a lane.
  [[nodiscard]] ObjectId in_chain(ObjectId id, int lane) const {
    const Chains::Chain* chain = model.chains().chain_of(id);
    if (chain == nullptr) return 0;
    for (const Card& card : stage.cards) {
      const Chains::Chain* other = card.id < kGroupCards ? model.chains().chain_of(card.id) : nullptr;
      if (other != nullptr && other->root == chain->root && card.lane == lane) return card.id;
    }
    return 0;
  }

  /// The backlog of the CPU that the task runs on.
  [[nodiscard]] ObjectId softnet(trace::TaskId id) const {
    exports::Reading reading(model.trace(), model.world());
    const trace::Task* task = model.world().task(id);
    const trace::Object* object = task != nullptr ? reading.find(task->object) : nullptr;
    std::uint64_t cpu = object != nullptr ? reading.value(*object, "thread_info.cpu") : 0;
    for (const trace::Object* softnet : reading.living("softnet_data"))
      if (reading.value(*softnet, "cpu") == cpu) return shown_as(softnet->id);
    return 0;
  }

  /// card_of, remembered: a path may have thousands of calls of the same few functions.
  [[nodiscard]] ObjectId card_of(const Record& call) {
    auto key = std::tuple(call.field, call.context, call.object);
    auto known = memory.find(key);
    return known != memory.end() ? known->second : memory.emplace(key, find_card(call)).first->second;
  }
  std::map<std::tuple<trace::FunctionId, Context, ObjectId>, ObjectId> memory = {};

  /// Where a function's work is shown; 0: nowhere of its own, it belongs to its caller.
  [[nodiscard]] ObjectId find_card(const Record& call) const {
    const auto& functions = model.trace().schema().functions;
    if (call.field >= functions.size()) return 0;
    const trace::FunctionInfo& function = functions[call.field];
    if (function.name == "loopback_xmit") return shown(kLoopbackCard) ? kLoopbackCard : 0;
    if (function.name.starts_with("netif_rx") || function.name.starts_with("__netif_rx") ||
        function.name == "enqueue_to_backlog")
      return softnet(call.task);
    Layer layer = function.layer;
    if (layer == Layer::kSoftirq && call.context == Context::kSoftirq) return shown(kSoftirqCard) ? kSoftirqCard : 0;
    if (layer == Layer::kScheduler || layer == Layer::kIp || layer == Layer::kSoftirq || layer == Layer::kSyscall)
      return 0;
    ObjectId subject = call.object;
    if (subject == 0) return 0;
    ObjectId home = model.chains().home(subject);
    if (layer == Layer::kEpoll) {  // a sleeper's wait entry belongs to the queue, not to its task
      const auto& objects = model.world().objects();
      bool epoll = home < objects.size() && model.chains().role(objects[home].kind) == Role::kEpoll;
      return epoll ? shown_as(home) : 0;
    }
    for (ObjectId id : {subject, home}) {
      if (ObjectId card = in_chain(id, lane_of(layer))) return card;
      if (ObjectId card = shown_as(id)) return card;
    }
    return 0;
  }

  [[nodiscard]] ObjectId task_card(trace::TaskId id) const {
    const trace::Task* task = model.world().task(id);
    return task != nullptr ? shown_as(task->object) : 0;
  }
};

/// Keeps the hops that are on the stack, wake-ups, and the first of the others, and numbers them in order.
void thin_out(std::vector<Edge>& hops) {
  while (hops.size() > kMostHops) {
    auto victim = std::find_if(hops.rbegin(), hops.rend(), [](const Edge& e) { return !e.active && !e.wake; });
    if (victim == hops.rend()) victim = hops.rbegin();
    hops.erase(std::next(victim).base());
  }
  int number = 0;
  for (Edge& hop : hops) hop.number = ++number;
}

}  // namespace

void add_path(Stage& stage, const ViewModel& model, const Moment& moment) {
  PathFinder finder{stage, model, moment};
  std::map<trace::TaskId, std::vector<Open>> stacks;
  std::vector<Edge> hops;
  std::vector<Position> calls;  // of each hop
  auto add = [&](ObjectId from, ObjectId to, Edge edge, Position call) {
    if (from == 0 || to == 0 || from == to) return;
    for (std::size_t i = 0; i < hops.size(); ++i)
      if (hops[i].from == from && hops[i].to == to && hops[i].wake == edge.wake) {
        if (calls[i] < call) calls[i] = call;
        return;
      }
    edge.from = from, edge.to = to, edge.hop = true;
    hops.push_back(std::move(edge));
    calls.push_back(call);
  };
  const trace::Trace& trace = model.trace();
  for (Position p = model.path_begin(); p < model.position(); ++p) {
    const Record& r = trace[p];
    auto& stack = stacks[r.task];
    if (r.kind == RecordKind::kCall) {
      ObjectId from = stack.empty() ? finder.task_card(r.task) : stack.back().card;
      ObjectId to = finder.card_of(r);
      if (to == 0) to = from;
      if (r.field < trace.schema().functions.size())
        add(from, to,
            {.layer = trace.schema().functions[r.field].layer,
             .in_softirq = r.context != Context::kProcess,
             .label = trace.schema().functions[r.field].name},
            p);
      stack.push_back({p, to});
    } else if (r.kind == RecordKind::kReturn && !stack.empty()) {
      stack.pop_back();
    } else if (r.kind == RecordKind::kWake) {
      ObjectId from = stack.empty() ? finder.task_card(r.task) : stack.back().card;
      add(from, finder.task_card(static_cast<trace::TaskId>(r.before)),
          {.layer = Layer::kUser, .wake = true, .label = "try_to_wake_up"}, p);
    }
  }
  // still on a stack?
  for (std::size_t i = 0; i < hops.size(); ++i)
    for (const trace::Task& task : model.world().tasks())
      for (const trace::Frame& frame : task.stack)
        if (frame.call == calls[i] && task.id == model.world().running()) hops[i].active = true;
  auto last = std::find_if(hops.rbegin(), hops.rend(), [](const Edge& e) { return e.active; });
  if (last != hops.rend()) last->innermost = true;
  stage.path_hops = hops.size();
  thin_out(hops);
  for (Card& card : stage.cards)
    card.lit =
        std::any_of(hops.begin(), hops.end(), [&](const Edge& e) { return e.from == card.id || e.to == card.id; });
  // a hop says more than the pointer it runs along
  std::erase_if(stage.edges, [&](const Edge& pointer) {
    return std::any_of(hops.begin(), hops.end(), [&](const Edge& h) {
      return !h.wake &&
             ((h.from == pointer.from && h.to == pointer.to) || (h.from == pointer.to && h.to == pointer.from));
    });
  });
  stage.edges.insert(stage.edges.end(), hops.begin(), hops.end());
}

}  // namespace wakepath::gui
