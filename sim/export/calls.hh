#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "sim/trace/cursor.hh"

namespace wakepath::exports {

/// A call, or an event inside one. The text tree and the path picture draw these.
struct CallNode {
  enum class Kind : std::uint8_t { kSyscall, kFunction, kEvent };
  Kind kind{};
  trace::Position at = 0;  ///< The record that began it.
  trace::RecordKind record{};
  trace::Context context{};
  trace::Layer layer{};
  std::string text;    ///< Of a system call: the call; of a function: its name; of an event: its words.
  std::string object;  ///< Name of what it is about; empty when nothing or the same as its caller's.
  trace::ObjectId subject = 0;
  bool resumed = false;   ///< Entered before this block began.
  bool returned = false;  ///< Within this block.
  std::string result;     ///< Of a system call that returned: its result; of a function: a negative one.
  std::vector<CallNode*> children;

  /// Entered before, and nothing happened in it since.
  [[nodiscard]] bool is_idle() const;
};

/// What one task did until another took over or a step began.
struct CallBlock {
  trace::TaskId task = 0;
  std::string task_name;
  std::string step;  ///< Words of the step that begins with this block; empty when none does.
  std::vector<CallNode*> roots;
};

/// All calls and events between two positions.
struct CallForest {
  std::deque<CallNode> nodes;
  std::vector<CallBlock> blocks;
};

/// `wants(record, world)`: whether this record becomes an event; the world is the one before it. Steps begin blocks.
template <class Wants>
CallForest collect_calls(const trace::Trace& trace, trace::Position from, trace::Position to, Wants wants);

namespace detail {

/// Builds a forest record by record. Use collect_calls().
class CallCollector {
 public:
  CallCollector(const trace::Trace& trace, CallForest& forest) : trace_(trace), cursor_(trace), forest_(forest) {}
  void start(trace::Position from) { cursor_.seek(from); }
  [[nodiscard]] const trace::World& world() const { return cursor_.world(); }
  /// `event` is whether the record becomes an event of its own.
  void take(trace::Position at, bool event);

 private:
  CallNode* add(CallNode node);
  void open_block(trace::TaskId task);
  void resume(const trace::Task& task);
  void enter_syscall(const trace::Record& record, trace::Position at, bool resumed);
  void enter(trace::FunctionId function, trace::Context context, trace::ObjectId subject, trace::Position at,
             trace::RecordKind record, bool resumed);
  void leave(const trace::Record& record);
  void leave_syscall(const trace::Record& record);

  const trace::Trace& trace_;
  trace::Cursor cursor_;
  CallForest& forest_;
  std::vector<CallNode*> open_;  // of the current block, outermost first
  std::string step_;             // words of a step that no block has taken yet
  bool fresh_ = true;            // the next record begins a block
};

}  // namespace detail

template <class Wants>
CallForest collect_calls(const trace::Trace& trace, trace::Position from, trace::Position to, Wants wants) {
  CallForest forest;
  detail::CallCollector collector(trace, forest);
  to = std::min(to, trace.size());
  collector.start(std::min(from, to));
  for (trace::Position at = from; at < to; ++at) collector.take(at, wants(trace[at], collector.world()));
  return forest;
}

}  // namespace wakepath::exports
