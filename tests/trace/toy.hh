#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "sim/trace/trace.hh"

/// A toy producer: a small world of nodes, queues and tasks that changes at random (seeded) and records every change
/// with its own idea of old values. It shares no code with World, so that the two check each other.

namespace wakepath::trace::toy {

constexpr KindId kTaskKind = 0;
constexpr KindId kNodeKind = 1;
constexpr FieldId kComm = 0;   // of kTaskKind
constexpr FieldId kValue = 0;  // of kNodeKind, and the following
constexpr FieldId kNext = 1;
constexpr FieldId kQueue = 2;
constexpr FieldId kOtherQueue = 3;
constexpr FieldId kState = 4;

[[nodiscard]] inline Schema schema() {
  Schema s;
  s.producer = "toy";
  s.enums = {{"toy_state", {{0, "IDLE"}, {1, "BUSY"}, {2, "GONE"}}}};
  s.kinds = {{"task_struct",
              Layer::kUser,
              true,
              "toy.h",
              "A task.",
              {{"task_struct", "", 0, 0, 64}},
              {{"comm", 0, FieldType::kString, 0}}},
             {"node",
              Layer::kSocket,
              false,
              "toy.h",
              "A node.",
              {{"node", "", 0, 0, 64}, {"link", "part.link", 0, 16, 16}},
              {{"value", 0, FieldType::kSigned, 0},
               {"next", 0, FieldType::kPointer, 0},
               {"queue", 0, FieldType::kList, 0},
               {"other_queue", 1, FieldType::kList, 0},
               {"state", 0, FieldType::kEnum, 0}}}};
  s.functions = {{"outer", Layer::kSyscall, "toy.c", "Outer."},
                 {"inner", Layer::kTcp, "toy.c", "Inner."},
                 {"deep", Layer::kSoftirq, "toy.c", "Deep."}};
  s.symbols = {"NULL", "toy_symbol"};
  s.rules = {{"toy_1", "Toys follow rules"}};
  return s;
}

class Toy {
 public:
  explicit Toy(Trace& trace, std::uint32_t seed = 1) : trace_(trace), random_(seed) {}

  /// One random thing happens: one record, sometimes two.
  void happen() {
    switch (pick(16)) {
      case 0:
        create();
        break;
      case 1:
        destroy();
        break;
      case 2:
      case 3:
      case 4:
        set();
        break;
      case 5:
      case 6:
      case 7:
        insert();
        break;
      case 8:
      case 9:
        erase();
        break;
      case 10:
      case 11:
        call();
        break;
      case 12:
        leave();
        break;
      case 13:
        run();
        break;
      case 14:
        move_clock();
        break;
      default:
        say();
        break;
    }
  }
  void happen_until(Position records) {
    while (trace_.size() < records) happen();
  }

  ObjectId create() {
    ObjectId id = last_ += 1 + pick(2);  // now and then an id is not used
    nodes_[id] = {};
    add({.kind = RecordKind::kCreate, .field = kNodeKind, .object = id, .after = ++serial_});
    return id;
  }
  void spawn(const std::string& name) {
    ObjectId id = ++last_;
    auto task = static_cast<TaskId>(calls_.size());
    calls_.emplace_back();
    add({.kind = RecordKind::kCreate, .field = kTaskKind, .object = id, .after = task});
    add({.kind = RecordKind::kSet, .field = kComm, .object = id, .after = trace_.intern(name)});
    add({.kind = RecordKind::kSpawn, .object = id, .task = task});
  }

 private:
  struct Node {
    std::map<FieldId, std::uint64_t> values;
    std::map<FieldId, std::vector<std::uint64_t>> lists;
  };

  std::uint32_t pick(std::size_t below) { return static_cast<std::uint32_t>(random_() % below); }
  void add(Record record) {
    if (record.task == 0) record.task = running_;
    record.site = trace_.intern_site("toy.cc:" + std::to_string(pick(40)));
    trace_.append(record);
  }
  std::pair<const ObjectId, Node>* some_node() {
    if (nodes_.empty()) return nullptr;
    return &*std::next(nodes_.begin(), pick(nodes_.size()));
  }
  void destroy() {
    if (nodes_.size() < 4) return;
    auto* node = some_node();
    add({.kind = RecordKind::kDestroy, .field = kNodeKind, .object = node->first});
    nodes_.erase(node->first);
  }
  void set() {
    auto* node = some_node();
    if (node == nullptr) return create(), void();
    FieldId field = std::vector<FieldId>{kValue, kNext, kState}[pick(3)];
    std::uint64_t after = field == kNext ? some_node()->first : pick(field == kState ? 3 : 1000);
    std::uint64_t& value = node->second.values[field];
    add({.kind = RecordKind::kSet, .field = field, .object = node->first, .before = value, .after = after});
    value = after;
  }
  void insert() {
    auto* node = some_node();
    if (node == nullptr) return;
    FieldId field = pick(2) == 0 ? kQueue : kOtherQueue;
    auto& list = node->second.lists[field];
    std::uint64_t element = Ref{++element_, static_cast<std::uint16_t>(pick(2))}.packed();
    std::size_t place = pick(list.size() + 1);
    list.insert(list.begin() + place, element);
    add({.kind = RecordKind::kListInsert,
         .field = field,
         .object = node->first,
         .before = place == 0 ? 0 : list[place - 1],
         .after = element});
  }
  void erase() {
    auto* node = some_node();
    if (node == nullptr) return;
    FieldId field = pick(2) == 0 ? kQueue : kOtherQueue;
    auto& list = node->second.lists[field];
    if (list.empty()) return;
    std::size_t place = pick(list.size());
    add({.kind = RecordKind::kListErase,
         .field = field,
         .object = node->first,
         .before = place == 0 ? 0 : list[place - 1],
         .after = list[place]});
    list.erase(list.begin() + place);
  }
  void call() {
    auto& open = calls_[running_];
    if (open.size() > 12) return leave();
    Record record{.kind = RecordKind::kCall,
                  .context = static_cast<Context>(pick(3)),
                  .field = static_cast<std::uint16_t>(pick(3)),
                  .object = pick(last_ + 1)};
    if (open.empty())
      record.kind = RecordKind::kSyscall, record.context = Context::kProcess, record.object = trace_.intern("toy()");
    open.emplace_back(trace_.size(), record);
    add(record);
  }
  void leave() {
    auto& open = calls_[running_];
    if (open.empty()) return;
    auto [position, record] = open.back();
    open.pop_back();
    if (record.kind == RecordKind::kSyscall)
      record.kind = RecordKind::kSyscallReturn, record.object = trace_.intern("0");
    else
      record.kind = RecordKind::kReturn;
    record.before = position;
    record.after = static_cast<std::uint64_t>(-static_cast<std::int64_t>(pick(3)));
    add(record);
  }
  void run() {
    auto next = static_cast<TaskId>(pick(calls_.size()));
    add({.kind = RecordKind::kRun, .before = running_, .after = next});
    running_ = next;
  }
  void move_clock() {
    std::uint64_t after = now_ + 1 + pick(1000);
    add({.kind = RecordKind::kClock, .before = now_, .after = after});
    now_ = after;
  }
  void say() {
    switch (pick(5)) {
      case 0:
        add({.kind = RecordKind::kPeer, .object = trace_.intern("peer said " + std::to_string(pick(9)))});
        break;
      case 1:
        add({.kind = RecordKind::kDivergence, .object = trace_.intern("errno"), .before = 1, .after = 2});
        break;
      case 2:
        add({.kind = RecordKind::kStep, .object = trace_.intern("step"), .before = step_, .after = step_ + 1});
        ++step_;
        break;
      case 3:
        if (ended_ == step_) return;
        add({.kind = RecordKind::kStepEnd, .before = ended_, .after = step_});
        ended_ = step_;
        break;
      default:
        add({.kind = RecordKind::kNote, .field = 1, .object = trace_.intern("mark " + std::to_string(pick(99)))});
    }
  }

  Trace& trace_;
  std::mt19937 random_;
  std::map<ObjectId, Node> nodes_;
  std::vector<std::vector<std::pair<Position, Record>>> calls_ =
      std::vector<std::vector<std::pair<Position, Record>>>(1);
  ObjectId last_ = 0;
  std::uint64_t serial_ = 0;
  std::uint32_t element_ = 1000;
  TaskId running_ = 0;
  std::uint64_t now_ = 0;
  std::uint64_t step_ = 0;
  std::uint64_t ended_ = 0;
};

/// A trace of `records` random records (or a few more) by three tasks.
inline void fill(Trace& trace, Position records, std::uint32_t seed = 1) {
  Toy toy(trace, seed);
  toy.spawn("server");
  toy.spawn("client");
  toy.happen_until(records);
}

}  // namespace wakepath::trace::toy
