#include "sim/export/sequence.hh"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "sim/export/dot.hh"
#include "sim/export/reading.hh"
#include "sim/trace/cursor.hh"
#include "sim/trace/hand_over.hh"

namespace wakepath::exports {

using trace::Position;
using trace::Record;
using trace::RecordKind;
using trace::TaskId;

namespace {

struct Row {
  enum class Kind { kMark, kCall, kSleep, kReturn, kArrow };
  Kind kind{};
  TaskId task = 0;
  TaskId to = 0;  ///< of an arrow
  std::string text;
};

/// What a diagram shows, without how.
struct Sequence {
  std::vector<Row> rows;
  std::vector<TaskId> columns;  ///< in the order in which the threads come in
  std::map<TaskId, std::string> names;
  std::size_t omitted = 0;
};

class Reader {
 public:
  Reader(const trace::Trace& trace, std::size_t most) : trace_(trace), cursor_(trace), most_(most) {}

  Sequence read(Position from, Position to) {
    cursor_.seek(std::min(from, trace_.size()));  // a step may end a call that another one began
    for (const trace::Task& task : cursor_.world().tasks())
      if (task.syscall != 0) open_[task.id] = trace_.string(trace_[task.syscall - 1].object);
    for (Position at = from; at < std::min(to, trace_.size()); ++at) take(at);
    cursor_.seek(std::min(to, trace_.size()));
    for (TaskId task : out_.columns) out_.names[task] = trace::task_name(trace_, cursor_.world(), task);
    return std::move(out_);
  }

 private:
  void take(Position at) {
    const Record& record = trace_[at];
    switch (record.kind) {
      case RecordKind::kStep:
        step_ = fmt::format("{}  ", record.after);
        return;
      case RecordKind::kSyscall:
        open_[record.task] = trace_.string(record.object);
        return add({Row::Kind::kCall, record.task, 0, std::exchange(step_, "") + open_[record.task]});
      case RecordKind::kSyscallReturn:
        return returned(record);
      case RecordKind::kRun:
        return stopped(at, static_cast<TaskId>(record.before));
      case RecordKind::kWake: {
        const bool softirq = record.context == trace::Context::kSoftirq;
        return add({Row::Kind::kArrow, record.task, static_cast<TaskId>(record.before),
                    softirq ? "wakes, in softirq" : "wakes"});
      }
      case RecordKind::kNote:
        if (record.field == static_cast<std::uint16_t>(trace::NoteKind::kLog)) handed(record);
        if (record.field == static_cast<std::uint16_t>(trace::NoteKind::kMark))
          add({Row::Kind::kMark, record.task, 0, std::string(trace_.string(record.object))});
        return;
      default:
        return;
    }
  }

  /// A call that nothing has come between has its result beside it.
  void returned(const Record& record) {
    const std::string result(trace_.string(record.object));
    if (!out_.rows.empty() && out_.rows.back().kind == Row::Kind::kCall && out_.rows.back().task == record.task)
      out_.rows.back().text += " = " + result;
    else
      add({Row::Kind::kReturn, record.task, 0, open_[record.task] + " = " + result});
  }

  /// A task that leaves the CPU in the middle of a call and is not running any more sleeps.
  void stopped(Position at, TaskId task) {
    cursor_.seek(at);
    const trace::Task* known = cursor_.world().task(task);
    if (known == nullptr || known->syscall == 0 || !sleeps(trace_, cursor_.world(), task)) return;
    add({Row::Kind::kSleep, task, 0, "sleeps in " + open_[task].substr(0, open_[task].find('('))});
  }

  void handed(const Record& record) {
    const auto hand_over = trace::hand_over_of(trace_.string(record.object));
    if (!hand_over) return;
    if (hand_over->given) {
      givers_[hand_over->what] = record.task;
    } else if (const auto from = givers_.find(hand_over->what); from != givers_.end()) {
      if (from->second != record.task) add({Row::Kind::kArrow, from->second, record.task, hand_over->what});
      givers_.erase(from);
    }
  }

  void add(Row row) {
    if (out_.rows.size() >= most_) {
      ++out_.omitted;
      return;
    }
    if (row.kind != Row::Kind::kMark) column(row.task);
    if (row.kind == Row::Kind::kArrow) column(row.to);
    out_.rows.push_back(std::move(row));
  }
  void column(TaskId task) {
    if (std::find(out_.columns.begin(), out_.columns.end(), task) == out_.columns.end()) out_.columns.push_back(task);
  }

  const trace::Trace& trace_;
  trace::Cursor cursor_;
  std::size_t most_;
  Sequence out_;
  std::string step_;                    // number of the step whose first call is still to come
  std::map<TaskId, std::string> open_;  // the call that a task is in
  std::map<std::string, TaskId> givers_;
};

std::string left_out(std::size_t rows) { return rows == 0 ? "" : fmt::format("… and {} more", rows); }

// ---- DOT: in each row a node for each column; the columns' nodes form their life lines ----

std::string node_name(std::size_t row, TaskId task) { return fmt::format("r{}_{}", row, task); }

std::string box(const Row& row) {
  const bool event = row.kind == Row::Kind::kSleep;
  const std::string_view colour = event ? "#93A1B5" : layer_colour(trace::Layer::kSyscall);
  return fmt::format(
      "shape=box, style=\"filled,rounded\", margin=\"0.08,0.03\", height=0.2, fillcolor=\"{}\", "
      "color=\"{}\", label=<{}>",
      event ? "#EEF1F5" : "#FFF6E0", colour, html(row.text, 70));
}

std::string row_dot(const Sequence& sequence, std::size_t at) {
  const Row& row = sequence.rows[at];
  std::string out = "  { rank=same; ";
  if (row.kind == Row::Kind::kMark)
    out += fmt::format("s{} [shape=plaintext, fontcolor=\"{}\", label=<{}>]; ", at, kDim, html(row.text, 60));
  for (TaskId task : sequence.columns) {
    const bool acts = row.task == task && (row.kind != Row::Kind::kMark && row.kind != Row::Kind::kArrow);
    out += fmt::format("{} [group=g{}, {}]; ", node_name(at, task), task,
                       acts ? box(row) : "shape=point, width=0.02, color=\"#C5CCD6\"");
  }
  return out + "}\n";
}

std::string arrow_dot(const Row& row, std::size_t at) {
  return fmt::format(
      "  {} -> {} [constraint=false, color=\"#C77700\", fontcolor=\"#C77700\", penwidth=1.8, label=<{}>];\n",
      node_name(at, row.task), node_name(at, row.to), html(row.text, 50));
}

// ---- Mermaid ----

/// Text of a message or a note: a semicolon and a hash end or change it.
std::string mermaid(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == ';')
      out += "#59;";
    else if (c == '#')
      out += "#35;";
    else
      out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out;
}

}  // namespace

std::string sequence_dot(const trace::Trace& trace, Position from, Position to, const SequenceOptions& options) {
  const Sequence sequence = Reader(trace, options.most_rows).read(from, to);
  std::string out = graph_head("sequence", "TB", options.title, options.subtitle);
  out += "  ranksep=0.18; nodesep=0.6; splines=line;\n  { rank=same; ";
  for (TaskId task : sequence.columns)
    out += fmt::format("head{} [group=g{}, shape=box, style=filled, fillcolor=\"{}\", label=<<B>{}</B>>]; ", task, task,
                       layer_colour(trace::Layer::kUser), html(sequence.names.at(task)));
  out += "}\n";
  for (std::size_t i = 1; i < sequence.columns.size(); ++i)
    out += fmt::format("  head{} -> head{} [style=invis];\n", sequence.columns[i - 1], sequence.columns[i]);
  for (std::size_t at = 0; at < sequence.rows.size(); ++at) out += row_dot(sequence, at);
  for (TaskId task : sequence.columns)
    for (std::size_t at = 0; at < sequence.rows.size(); ++at)
      out += fmt::format("  {} -> {} [arrowhead=none, color=\"#C5CCD6\", weight=100];\n",
                         at == 0 ? fmt::format("head{}", task) : node_name(at - 1, task), node_name(at, task));
  for (std::size_t at = 0; at < sequence.rows.size(); ++at)
    if (sequence.rows[at].kind == Row::Kind::kArrow) out += arrow_dot(sequence.rows[at], at);
  if (sequence.omitted > 0)
    out += fmt::format("  {{ rank=sink; rest [shape=plaintext, label=\"{}\"]; }}\n", left_out(sequence.omitted));
  return out + "}\n";
}

std::string sequence_mermaid(const trace::Trace& trace, Position from, Position to, const SequenceOptions& options) {
  const Sequence sequence = Reader(trace, options.most_rows).read(from, to);
  std::string out = "sequenceDiagram\n";
  for (TaskId task : sequence.columns)
    out += fmt::format("  participant t{} as {}\n", task, mermaid(sequence.names.at(task)));
  const std::string all = sequence.columns.empty() ? ""
                          : sequence.columns.size() == 1
                              ? fmt::format("t{}", sequence.columns[0])
                              : fmt::format("t{},t{}", sequence.columns.front(), sequence.columns.back());
  for (const Row& row : sequence.rows) {
    const std::string text = mermaid(row.text);
    if (row.kind == Row::Kind::kMark)
      out += fmt::format("  Note over {}: {}\n", all, text);
    else if (row.kind == Row::Kind::kArrow)
      out += fmt::format("  t{}-)t{}: {}\n", row.task, row.to, text);
    else
      out += fmt::format("  Note over t{}: {}\n", row.task, text);
  }
  if (sequence.omitted > 0) out += fmt::format("  Note over {}: {}\n", all, left_out(sequence.omitted));
  return out;
}

}  // namespace wakepath::exports
