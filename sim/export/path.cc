#include "sim/export/path.hh"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "sim/export/calls.hh"
#include "sim/export/dot.hh"
#include "sim/trace/hand_over.hh"

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

/// Whether nothing worth telling happened in `node`: only calls that came back.
bool is_quiet(const CallNode& node) {
  if (node.kind != CallNode::Kind::kFunction) return false;
  for (const CallNode* child : node.children)
    if (!is_quiet(*child)) return false;
  return node.result.empty();
}

constexpr int kSmall = 3;  // events that a call may have and still be told in its caller's box

/// Counts the events in `node` up to kSmall + 1; a wake-up or another context counts as many.
int weight(const CallNode& node, Context context) {
  if (node.kind == CallNode::Kind::kEvent) return node.record == RecordKind::kWake ? kSmall + 1 : 1;
  if (is_quiet(node)) return 0;
  int sum = node.context == context ? 0 : kSmall + 1;
  for (const CallNode* child : node.children)
    if (sum <= kSmall && !child->is_idle()) sum += weight(*child, context);
  return sum;
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
    while (!user_steps_.empty()) end_user_steps(user_steps_.begin()->first);
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
    if (root.kind == CallNode::Kind::kEvent) return draw_user_step(root);
    end_user_steps(task_);
    int box = draw_box(root);
    follow(task_, root.context, box);
    auto waiting = wakes_.find(task_);
    if (waiting == wakes_.end()) return;
    for (const std::string& from : waiting->second)
      edges_ += fmt::format(
          "  {} -> b{} [style=dashed, penwidth=1.8, color=\"#C77700\", fontcolor=\"#C77700\", label=\" wakes\"];\n",
          from, box);
    wakes_.erase(waiting);
  }

  /// What stands outside of every call and is a note is a step of the program's own. Those between two system calls
  /// share a box.
  void draw_user_step(const CallNode& step) {
    if (step.record != RecordKind::kNote) return;
    auto [found, is_new] = user_steps_.try_emplace(task_);
    Box& box = found->second;
    if (is_new) box.number = ++last_;
    std::string port;
    if (const auto handed = trace::hand_over_of(step.text)) {
      port = fmt::format(" PORT=\"h{}\"", step.at);
      hand_over(*handed, fmt::format("b{}:h{}", box.number, step.at));
    }
    std::string number = box.rows.empty() ? fmt::format("<B>{}</B>", box.number) : "";
    box.rows += fmt::format(R"(<TR><TD BGCOLOR="{}">{}</TD><TD ALIGN="LEFT"{}>{}</TD></TR>)",
                            layer_colour(trace::Layer::kUser), number, port, html(step.text, 90));
  }

  void hand_over(const trace::HandOver& handed, const std::string& where) {
    if (handed.given) {
      handed_[handed.what] = {task_, where};
      return;
    }
    const auto from = handed_.find(handed.what);
    if (from == handed_.end()) return;
    if (from->second.first != task_)
      edges_ += fmt::format("  {} -> {} [style=dashed, penwidth=1.8, color=\"{}\", label=\" handed over\"];\n",
                            from->second.second, where, layer_colour(trace::Layer::kUser));
    handed_.erase(from);
  }

  void end_user_steps(TaskId task) {
    const auto found = user_steps_.find(task);
    if (found == user_steps_.end()) return;
    CallNode user;
    user.layer = trace::Layer::kUser;
    frames_[task][Context::kProcess] += text_of(found->second, user);
    follow(task, Context::kProcess, found->second.number);
    user_steps_.erase(found);
  }

  /// The box is what the thread does next.
  void follow(TaskId task, Context context, int box) {
    const auto [before, is_first] = roots_.try_emplace(task, box);
    if (is_first) return;
    frames_[task][context] += order(before->second, box);
    before->second = box;
  }

  /// Two boxes of one frame side by side, in the order of time.
  void keep_order(Context context, int left, int right) { frames_[task_][context] += order(left, right); }
  static std::string order(int left, int right) {
    return fmt::format("      {{ rank=same; b{} -> b{} [style=invis]; }}\n", left, right);
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
    // a call is loud when it needs a box of its own
    auto is_loud = [&](const CallNode* c) {
      return c->kind != CallNode::Kind::kEvent && weight(*c, node.context) > kSmall;
    };
    auto loud = std::count_if(children.begin(), children.end(), is_loud);
    if (loud == 1 && is_loud(children.back()) && children.back()->context == node.context) {
      for (std::size_t i = 0; i + 1 < children.size(); ++i) add(box, *children[i]);
      return children.back();
    }
    bool words_between = false;  // then the place of each call among them is told
    for (std::size_t i = 1; i < children.size(); ++i)
      words_between = words_between || (is_loud(children[i - 1]) && !is_loud(children[i]));
    int beside = 0;
    Context beside_context{};
    for (const CallNode* child : children) {
      if (!is_loud(child)) {
        add(box, *child);
        continue;
      }
      int below = draw_box(*child);
      if (beside != 0 && beside_context == child->context) keep_order(child->context, beside, below);
      beside = below;
      beside_context = child->context;
      edges_ += fmt::format("  b{}:s -> b{}:n [label=\" {}\"];\n", box.number, below, below);
      if (words_between)
        box.rows += fmt::format(R"(<TR><TD></TD><TD ALIGN="LEFT">{}</TD></TR>)",
                                small(fmt::format("call {}: {}", below, html(child->text))));
    }
    return nullptr;
  }

  void add(Box& box, const CallNode& node, int depth = 0) {
    if (node.kind == CallNode::Kind::kEvent) return add_event(box, node, depth);
    const CallNode* last = add_quiet(box, node, depth);
    for (const CallNode* child : last->children)
      if (!child->is_idle() && !is_quiet(*child)) add(box, *child, depth + 1);
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

  /// One row for a call that is told in passing and all that it only passes on to; returns the last of them.
  const CallNode* add_quiet(Box& box, const CallNode& node, int depth) {
    std::vector<std::string_view> chain = {node.text};
    const CallNode* last = &node;
    while (const CallNode* next = only_call(*last)) {
      if (next->kind != CallNode::Kind::kFunction) break;
      chain.push_back(next->text);
      last = next;
    }
    if (!has_room(box)) return last;
    std::string words(chain.front());
    if (chain.size() > 3) words += " > …";
    for (std::size_t i = chain.size() > 3 ? chain.size() - 2 : 1; i < chain.size(); ++i)
      words += fmt::format(" > {}", chain[i]);
    box.rows += fmt::format(R"(<TR><TD BGCOLOR="{}"></TD><TD ALIGN="LEFT">{}{}</TD></TR>)", layer_colour(node.layer),
                            indent(depth), small(html(words, 90)));
    return last;
  }

  static std::string indent(int depth) {
    std::string out;
    for (int i = 0; i < depth; ++i) out += "&#160;&#160;&#160;";
    return out;
  }

  void add_event(Box& box, const CallNode& node, int depth) {
    const Record& record = trace_[node.at];
    if (node.record == RecordKind::kWake) {
      box.rows +=
          fmt::format(R"(<TR><TD BGCOLOR="#C77700"></TD><TD ALIGN="LEFT" PORT="w{}" BGCOLOR="{}"><B>{}</B></TD></TR>)",
                      node.at, kChangedColour, html(node.text));
      wakes_[static_cast<TaskId>(record.before)].push_back(fmt::format("b{}:w{}", box.number, node.at));
      return;
    }
    if (!has_room(box)) return;
    std::string back = node.record == RecordKind::kSet || node.record == RecordKind::kListInsert
                           ? fmt::format(R"( BGCOLOR="{}")", kChangedColour)
                           : "";
    box.rows += fmt::format(R"(<TR><TD></TD><TD ALIGN="LEFT"{}>{}{}</TD></TR>)", back, indent(depth),
                            small(html(node.text, 80), kInk));
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
  std::map<TaskId, int> roots_;       // the box of what the thread did last outside of every other call
  std::map<TaskId, Box> user_steps_;  // since its last system call
  std::map<std::string, std::pair<TaskId, std::string>> handed_;  // given, not yet taken: by whom, and the row
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
      case RecordKind::kListInsert:
      case RecordKind::kListErase:
      case RecordKind::kCreate:
      case RecordKind::kDestroy:
      case RecordKind::kWake:
      case RecordKind::kRun:
      case RecordKind::kPeer:
      case RecordKind::kDivergence:
        return true;
      case RecordKind::kNote:
        return r.field == static_cast<std::uint16_t>(trace::NoteKind::kLog);
      default:
        return false;
    }
  });
  return PathDot(trace, options).draw(forest);
}

}  // namespace wakepath::exports
