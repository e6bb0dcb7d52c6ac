#include "src/bench/long_trace.hh"

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace wakepath::bench {

using trace::FieldId;
using trace::ObjectId;
using trace::Position;
using trace::Record;
using trace::RecordKind;

namespace {

constexpr FieldId kMembers = 24;  ///< of each object; the last one is a list, the one before a pointer
constexpr FieldId kPointer = kMembers - 2;
constexpr FieldId kList = kMembers - 1;
constexpr std::size_t kFunctions = 60;
constexpr std::size_t kTalkers = 16;
constexpr Position kConversation = 1000;
constexpr Position kStep = 10'000;

class Teller {
 public:
  Teller(trace::Trace& trace, std::size_t objects) : trace_(trace), objects_(objects + 1) {
    for (std::size_t i = 0; i < 300; ++i) trace_.intern_site("bench.cc:" + std::to_string(i));
    for (ObjectId id = 1; id <= objects; ++id)
      add({.kind = RecordKind::kCreate, .field = 0, .object = id, .after = id});
  }

  void tell(Position records) {
    while (trace_.size() < records) {
      if (trace_.size() >= next_step_) step();
      if (trace_.size() >= next_conversation_) meet();
      something();
    }
  }

 private:
  struct Member {
    std::array<std::uint64_t, kMembers> values{};
    std::vector<ObjectId> list;
  };

  std::uint32_t pick(std::size_t below) { return static_cast<std::uint32_t>(random_() % below); }
  ObjectId talker() { return talkers_[pick(kTalkers)]; }
  void add(Record record) {
    if (!open_.empty()) record.cause = static_cast<std::uint32_t>(open_.back().position);
    record.task = 1;
    record.site = static_cast<std::uint16_t>(1 + (record.field * 7 + static_cast<unsigned>(record.kind)) % 290);
    trace_.append(record);
  }
  void step() {
    if (number_ > 0) add({.kind = RecordKind::kStepEnd, .before = number_ - 1, .after = number_});
    add({.kind = RecordKind::kStep, .before = number_, .after = number_ + 1});
    ++number_;
    next_step_ += kStep;
  }
  void meet() {
    for (ObjectId& id : talkers_) id = 1 + pick(objects_.size() - 1);
    next_conversation_ += kConversation;
  }
  /// The shares are those of the echo work on the modelled kernel.
  void something() {
    std::uint32_t dice = pick(100);
    if (dice < 56)
      open_.size() > 2 + pick(12) ? leave() : enter();
    else if (dice < 92)
      set();
    else if (dice < 98)
      change_list();
    else if (dice < 99)
      add({.kind = RecordKind::kWake, .object = talker(), .before = 1});
    else
      add({.kind = RecordKind::kClock, .before = std::exchange(now_, now_ + 1000), .after = now_ + 1000});
  }
  void enter() {
    Open open{trace_.size(), static_cast<std::uint16_t>(pick(kFunctions)), talker()};
    add({.kind = RecordKind::kCall, .field = open.function, .object = open.subject});
    open_.push_back(open);
  }
  void leave() {
    Open open = open_.back();
    add({.kind = RecordKind::kReturn, .field = open.function, .object = open.subject, .before = open.position});
    open_.pop_back();
  }
  void set() {
    ObjectId id = talker();
    auto field = static_cast<FieldId>(pick(kList));
    std::uint64_t& value = objects_[id].values[field];
    std::uint64_t after = field == kPointer ? talker() : value + 1 + pick(64);
    if (after == value) return;
    add({.kind = RecordKind::kSet, .field = field, .object = id, .before = value, .after = after});
    value = after;
  }
  void change_list() {
    ObjectId id = talker();
    auto& list = objects_[id].list;
    if (list.size() < 4 && pick(2) == 0) {
      ObjectId element = talker();
      if (std::find(list.begin(), list.end(), element) != list.end()) return;
      add({.kind = RecordKind::kListInsert,
           .field = kList,
           .object = id,
           .before = list.empty() ? 0 : list.back(),
           .after = element});
      list.push_back(element);
    } else if (!list.empty()) {
      add({.kind = RecordKind::kListErase,
           .field = kList,
           .object = id,
           .before = list.size() > 1 ? list[list.size() - 2] : 0,
           .after = list.back()});
      list.pop_back();
    }
  }

  struct Open {
    Position position;
    std::uint16_t function;
    ObjectId subject;
  };
  trace::Trace& trace_;
  std::mt19937 random_{2024};
  std::vector<Member> objects_;
  std::array<ObjectId, kTalkers> talkers_{};
  std::vector<Open> open_;
  std::uint64_t now_ = 0;
  std::uint64_t number_ = 0;
  Position next_step_ = 0;
  Position next_conversation_ = 0;
};

}  // namespace

trace::Schema long_trace_schema() {
  trace::Schema schema;
  schema.producer = "benchmark";
  schema.symbols = {"NULL"};
  trace::Kind kind;
  kind.name = "thing";
  kind.layer = trace::Layer::kTcp;
  kind.parts = {{"thing", "", 0, 0, 512}};
  for (FieldId f = 0; f < kMembers; ++f)
    kind.fields.push_back({"member_" + std::to_string(f), 0,
                           f == kList      ? trace::FieldType::kList
                           : f == kPointer ? trace::FieldType::kPointer
                                           : trace::FieldType::kUnsigned,
                           0});
  schema.kinds.push_back(kind);
  for (std::size_t i = 0; i < kFunctions; ++i)
    schema.functions.push_back(
        {"function_" + std::to_string(i), static_cast<trace::Layer>(i % trace::kLayers), "bench.cc", ""});
  return schema;
}

void fill_long_trace(trace::Trace& trace, Position records, std::size_t objects) {
  Teller(trace, objects).tell(records);
}

}  // namespace wakepath::bench
