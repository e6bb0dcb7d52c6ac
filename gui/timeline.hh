#pragma once

#include <map>
#include <string>
#include <vector>

#include "gui/geometry.hh"
#include "gui/view_model.hh"

namespace wakepath::gui {

/// The timeline's rows, ready for quick cutting: grows with the trace, `update()` reads only what is new.
///
/// A row's level is not the depth of the call but the number of layers crossed (system call, socket, TCP, …): a call
/// within its caller's layer adds nothing that can be seen at this size. What runs in softirq has a row of its own.
class TimelineRows {
 public:
  struct Bar {
    trace::Position begin = 0;
    trace::Position end = 0;  ///< 0 while open
    trace::FunctionId function = 0;
    trace::ObjectId subject = 0;
    bool syscall = false;
  };
  struct Sleep {
    trace::Position begin = 0;
    trace::Position end = 0;  ///< 0 while asleep
  };
  struct Row {
    trace::TaskId task = 0;
    bool softirq = false;
    std::string name = {};                      ///< the last one that the trace gives the task
    std::vector<std::vector<Bar>> levels = {};  ///< each in order and without overlap
    std::vector<Sleep> sleeps = {};
  };
  explicit TimelineRows(const trace::Trace& trace) : trace_(&trace) {}
  void update();
  /// Tasks in order of their ids, then the softirq row.
  [[nodiscard]] const std::vector<Row>& rows() const { return rows_; }

 private:
  struct Open {
    trace::Layer layer{};
    std::size_t row = 0;
    std::size_t level = 0;
    std::size_t bar = 0;
    bool drawn = false;
  };
  std::size_t row_of(trace::TaskId task, bool softirq);
  void enter(const trace::Record& record, trace::Layer layer, bool syscall);
  void leave(const trace::Record& record);
  void run(const trace::Record& record);
  void learn_name(const trace::Record& record);

  const trace::Trace* trace_;
  trace::Position seen_ = 0;
  std::vector<Row> rows_;
  std::vector<std::vector<Open>> open_;  // by task
  std::vector<trace::KindId> kind_of_;   // by object
  std::map<trace::ObjectId, trace::TaskId> task_of_;
  std::map<trace::ObjectId, std::string> names_;  // of task objects
};

/// What is drawn of one row: bars cut to the visible part; those too small to see are folded into one with a count.
struct TimelinePiece {
  float x = 0;
  float w = 0;
  const TimelineRows::Bar* bar = nullptr;  ///< nullptr: folded
  std::size_t folded = 0;
};

/// Pieces of one level between `view_begin` and `view_end` on `width` pixels. Costs the pixels, not the records.
[[nodiscard]] std::vector<TimelinePiece> cut_level(const std::vector<TimelineRows::Bar>& level, double view_begin,
                                                   double view_end, trace::Position end, float width);

}  // namespace wakepath::gui
