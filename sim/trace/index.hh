#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "sim/trace/trace.hh"

namespace wakepath::trace {

/// From a task that was asleep to the one that woke it.
struct WakeEdge {
  Position at = 0;  ///< Position of the kWake.
  TaskId waker = 0;
  TaskId woken = 0;
};

struct StepEntry {
  std::uint64_t number = 0;
  StringId text = 0;
  Position begin = 0;
  Position end = 0;  ///< Position of the kStepEnd; 0 while it is not quiet.
};

/// What a lesson says or asks (NoteKind::kSay, kAsk).
struct LessonNote {
  NoteKind kind{};
  std::uint64_t step = 0;
  Position at = 0;
  StringId text = 0;  ///< lesson_words.hh reads it
};

/// Where things are in a trace: steps, marks, wake-ups, and who calls how much. Grows with the trace: `update()` reads
/// only what is new. One reader's own.
class Index {
 public:
  explicit Index(const Trace& trace) : trace_(&trace) {}
  void update();
  [[nodiscard]] Position seen() const { return seen_; }

  [[nodiscard]] const std::vector<StepEntry>& steps() const { return steps_; }
  /// How many functions and system calls a task has entered.
  [[nodiscard]] std::uint64_t calls(TaskId task) const { return task < calls_.size() ? calls_[task] : 0; }
  /// Tasks above the last one that did anything have not called.
  [[nodiscard]] std::size_t task_count() const { return calls_.size(); }
  [[nodiscard]] const std::vector<WakeEdge>& wakes() const { return wakes_; }
  [[nodiscard]] const std::vector<Position>& divergences() const { return divergences_; }
  [[nodiscard]] const std::vector<LessonNote>& lesson() const { return lesson_; }
  [[nodiscard]] const std::vector<Position>& clock_changes() const { return clocks_; }

  /// The position after step `number` is quiet; nothing when the trace has no such step. Step 0 is the start.
  [[nodiscard]] std::optional<Position> after_step(std::uint64_t number) const;
  /// The position of a mark's note.
  [[nodiscard]] std::optional<Position> mark(std::string_view name) const;
  /// Virtual time at a position, in ns.
  [[nodiscard]] std::uint64_t time_at(Position position) const;

 private:
  void note(const Record& record);

  const Trace* trace_;
  Position seen_ = 0;
  std::vector<StepEntry> steps_;
  std::vector<std::uint64_t> calls_;  // by task
  std::vector<WakeEdge> wakes_;
  std::vector<Position> divergences_;
  // what they say stands here, too: in a ring the records themselves go
  std::vector<Position> clocks_;
  std::vector<std::uint64_t> times_;  // ns, of each of clocks_
  std::vector<std::pair<Position, StringId>> marks_;
  std::vector<LessonNote> lesson_;
};

}  // namespace wakepath::trace
