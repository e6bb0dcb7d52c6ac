#include "sim/export/path.hh"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "sim/export/calls.hh"
#include "sim/export/dot.hh"

namespace wakepath::exports {

using trace::Context;
using trace::Record;
using trace::RecordKind;
using trace::TaskId;

namespace {

std::string_view context_name(Context context) {
  if (context == Context::kSoftirq) return "softirq";
  return context == Context::kHardirq ? "hardirq" : "process";
}

/// Whether anything worth a box of its own happened in `node`.
bool is_quiet(const CallNode& node) {
  if (node.kind != CallNode::Kind::kFunction) return false;
  for (const CallNode* child : node.children)
    if (!is_quiet(*child)) return false;
  return node.result.empty();
}

const CallNode* only_call(const CallNode& node) {
  const CallNode* found = nullptr;
  for (const CallNode* child : node.children) {
    if (child->is_idle()) continue;
    if (found != nullptr) return nullptr;
    found = child;
  }
  return found;
}

class PathDot {
 public:
  PathDot(const trace::Trace& trace, const PathOptions& options) : trace_(trace), options_(options) {}

  std::string draw(const CallForest& forest) {
    for (const CallBlock& block : forest.blocks) {
      task_ = block.task;
      names_[block.task] = block.task_name;
      for (const CallNode* root : block.roots)
        if (!root->is_idle()) draw_root(*root);
    }
    std::string out = graph_head("path", "TB", options_.title, options_.subtitle);
    for (const auto& [task, contexts] : frames_) out += frame(task, contexts);
    return out + edges_ + "}\n";
  }

 private:
  struct Box {
    int number = 0;
    std::string rows;
    std::size_t count = 0;    // rows so far
    std::size_t omitted = 0;  // rows that did not fit
  };

  void draw_root(const CallNode& root) {
    if (root.kind == CallNode::Kind::kEvent) return;  // outside of every call: the scenario's own words
    int box = draw_box(root);
    // calls of one thread one after the other: from left to right
    if (auto before = roots_.find(task_); before != roots_.end())
      frames_[task_][Context::kProcess] +=
          fmt::format("      {{ rank=same; b{} -> b{} [style=invis]; }}\n", before->second, box);
    roots_[task_] = box;
    auto waiting = wakes_.find(task_);
    if (waiting == wakes_.end()) return;
    for (const std::string& from : waiting->second)
      edges_ += fmt::format(
          "  {} -> b{} [style=dashed, penwidth=1.8, color=\"#C77700\", fontcolor=\"#C77700\", label=\" wakes\"];\n",
          from, box);
    wakes_.erase(waiting);
  }

  /// Draws the run of functions that begins with `first` and everything below; returns its number.
  int draw_box(const CallNode& first) {
    Box box{++last_, "", 0, 0};
    const CallNode* node = &first;
    while (node != nullptr) node = fill(box, *node);
    frames_[task_][first.context] += text_of(box, first);
    return box.number;
  }

  /// Rows of one function: itself, its events, its quiet calls. Its other calls get boxes of their own, except the last
  /// thing that it does if that is all the rest: this one is returned and goes on in the same box.
  const CallNode* fill(Box& box, const CallNode& node) {
    add_function(box, node);
    std::vector<const CallNode*> children;
    for (const CallNode* child : node.children)
      if (!child->is_idle()) children.push_back(child);
    auto is_loud = [](const CallNode* c) { return c->kind != CallNode::Kind::kEvent && !is_quiet(*c); };
    auto loud = std::count_if(children.begin(), children.end(), is_loud);
    if (loud == 1 && is_loud(children.back()) && children.back()->context == node.context) {
      for (std::size_t i = 0; i + 1 < children.size(); ++i) add(box, *children[i]);
      return children.back();
    }
    bool words_between = false;  // then the place of each call among them is told
    for (std::size_t i = 1; i < children.size(); ++i)
      words_between = words_between || (is_loud(children[i - 1]) && !is_loud(children[i]));
    for (const CallNode* child : children) {
      if (!is_loud(child)) {
        add(box, *child);
        continue;
      }
      int below = draw_box(*child);
      edges_ += fmt::format("  b{}:s -> b{}:n [label=\" {}\"];\n", box.number, below, below);
      if (words_between)
        box.rows += fmt::format(R"(<TR><TD></TD><TD ALIGN="LEFT">{}</TD></TR>)",
                                small(fmt::format("call {}: {}", below, html(child->text))));
    }
    return nullptr;
  }

  void add(Box& box, const CallNode& node) {
    if (node.kind == CallNode::Kind::kEvent)
      add_event(box, node);
    else
      add_quiet(box, node);
  }

  bool has_room(Box& box) {
    if (box.count < options_.most_rows) return ++box.count, true;
    return ++box.omitted, false;
  }

  void add_function(Box& box, const CallNode& node) {
    ++box.count;  // functions of the path itself always stand there
    std::string name = html(node.text, 70);
    if (node.kind == CallNode::Kind::kSyscall) name = fmt::format("<B>{}</B>", name);
    if (node.resumed) name = "… " + name;
    if (!node.result.empty()) name += " " + small("= " + html(node.result), kInk);
    if (!node.object.empty()) name += "  " + small(html(node.object));
    std::string number = box.rows.empty() ? fmt::format("<B>{}</B>", box.number) : "";
    box.rows += fmt::format(R"(<TR><TD BGCOLOR="{}">{}</TD><TD ALIGN="LEFT">{}</TD></TR>)", layer_colour(node.layer),
                            number, name);
  }

  void add_quiet(Box& box, const CallNode& node) {
    if (!has_room(box)) return;
    std::string chain;
    for (const CallNode* at = &node; at != nullptr; at = only_call(*at))
      chain += (chain.empty() ? "" : " > ") + at->text;
    box.rows += fmt::format(R"(<TR><TD BGCOLOR="{}"></TD><TD ALIGN="LEFT">{}</TD></TR>)", layer_colour(node.layer),
                            small(html(chain + "()", 64)));
  }

  void add_event(Box& box, const CallNode& node) {
    const Record& record = trace_[node.at];
    if (node.record == RecordKind::kWake) {
      box.rows +=
          fmt::format(R"(<TR><TD BGCOLOR="#C77700"></TD><TD ALIGN="LEFT" PORT="w{}" BGCOLOR="{}"><B>{}</B></TD></TR>)",
                      node.at, kChangedColour, html(node.text));
      wakes_[static_cast<TaskId>(record.before)].push_back(fmt::format("b{}:w{}", box.number, node.at));
      return;
    }
    if (!has_room(box)) return;
    std::string back = node.record == RecordKind::kSet ? fmt::format(R"( BGCOLOR="{}")", kChangedColour) : "";
    box.rows += fmt::format(R"(<TR><TD></TD><TD ALIGN="LEFT"{}>{}</TD></TR>)", back, small(html(node.text, 64), kInk));
  }

  std::string text_of(const Box& box, const CallNode& first) const {
    std::string more = box.omitted == 0 ? ""
                                        : fmt::format(R"(<TR><TD></TD><TD ALIGN="LEFT">{}</TD></TR>)",
                                                      small(fmt::format("{} more", box.omitted)));
    return fmt::format(
        "      b{} [label=<<TABLE BORDER=\"1\" CELLBORDER=\"0\" CELLSPACING=\"0\" CELLPADDING=\"3\" COLOR=\"{}\" "
        "BGCOLOR=\"white\">"
        "{}{}</TABLE>>];\n",
        box.number, layer_colour(first.layer), box.rows, more);
  }

  std::string frame(TaskId task, const std::map<Context, std::string>& contexts) const {
    std::string out = fmt::format(
        "  subgraph cluster_t{} {{\n    label=<<B>{}</B>>; labeljust=l; fontsize=11; color=\"{}\"; style=rounded; "
        "margin=14;\n",
        task, html(names_.at(task)), layer_colour(trace::Layer::kUser));
    for (const auto& [context, boxes] : contexts) {
      if (context == Context::kProcess) {
        out += boxes;
        continue;
      }
      out += fmt::format(
          "    subgraph cluster_t{}_{} {{\n      label=<{} on the stack of {}>; labeljust=l; fontsize=9; "
          "color=\"{}\";\n"
          "      style=\"rounded,filled\"; fillcolor=\"#FFF4EF\"; margin=12;\n{}    }}\n",
          task, context_name(context), context_name(context), html(names_.at(task)),
          layer_colour(trace::Layer::kSoftirq), boxes);
    }
    return out + "  }\n";
  }

  const trace::Trace& trace_;
  const PathOptions& options_;
  TaskId task_ = 0;
  int last_ = 0;
  std::map<TaskId, std::string> names_;
  std::map<TaskId, int> roots_;  // the box of the thread's last system call
  std::map<TaskId, std::map<Context, std::string>> frames_;
  std::map<TaskId, std::vector<std::string>> wakes_;  // woken, and not yet seen running: where from
  std::string edges_;
};

}  // namespace

std::string path_dot(const trace::Trace& trace, trace::Position from, trace::Position to, const PathOptions& options) {
  CallForest forest = collect_calls(trace, from, to, [&](const Record& r, const trace::World& world) {
    switch (r.kind) {
      case RecordKind::kSet: {
        const trace::Object* object = world.find(r.object);
        if (object == nullptr) return false;
        const auto& fields = trace.schema().kinds[object->kind].fields;
        return r.field < fields.size() && fields[r.field].type == trace::FieldType::kEnum;
      }
      case RecordKind::kCreate:
      case RecordKind::kDestroy:
      case RecordKind::kWake:
      case RecordKind::kRun:
      case RecordKind::kPeer:
      case RecordKind::kDivergence:
        return true;
      default:
        return false;
    }
  });
  return PathDot(trace, options).draw(forest);
}

}  // namespace wakepath::exports
