#include "sim/export/text.hh"

#include <fmt/format.h>

#include <algorithm>

#include "sim/export/calls.hh"
#include "sim/export/reading.hh"
#include "sim/trace/lesson_words.hh"

namespace wakepath::exports {

using trace::NoteKind;
using trace::Record;
using trace::RecordKind;
using trace::Trace;
using trace::World;

namespace {

const trace::FieldInfo* field_of(const Trace& trace, const World& world, const Record& record) {
  if (record.object >= world.objects().size()) return nullptr;
  const auto& kinds = trace.schema().kinds;
  trace::KindId kind = world.objects()[record.object].kind;
  if (kind >= kinds.size() || record.field >= kinds[kind].fields.size()) return nullptr;
  return &kinds[kind].fields[record.field];
}

std::string change_text(const Trace& trace, const World& world, const Record& record) {
  const trace::FieldInfo* field = field_of(trace, world, record);
  if (field == nullptr) return "";
  const trace::Kind& kind = trace.schema().kinds[world.objects()[record.object].kind];
  std::string name = trace::object_name(trace, world, record.object) + "." + trace::member_name(kind, record.field);
  auto ref = [&] { return trace::object_name(trace, world, trace::Ref::unpack(record.after).object); };
  if (record.kind == RecordKind::kListInsert) return fmt::format("{} gains {}", name, ref());
  if (record.kind == RecordKind::kListErase) return fmt::format("{} loses {}", name, ref());
  return fmt::format("{}: {} -> {}", name, trace::value_text(trace, world, *field, record.before),
                     trace::value_text(trace, world, *field, record.after));
}

std::string run_text(const Trace& trace, const World& world, const Record& record) {
  auto old = static_cast<trace::TaskId>(record.before);
  auto next = static_cast<trace::TaskId>(record.after);
  const trace::Task* task = world.task(old);
  if (old == 0 || task == nullptr || (task->stack.empty() && task->syscall == 0)) return "";  // it was in user mode
  return fmt::format("{} {}; {} runs", trace::task_name(trace, world, old),
                     sleeps(trace, world, old) ? "sleeps" : "leaves the CPU", trace::task_name(trace, world, next));
}

std::string note_text(const Trace& trace, const Record& record) {
  std::string_view words = trace.string(record.object);
  switch (static_cast<NoteKind>(record.field)) {
    case NoteKind::kMark:
      return fmt::format("mark {}", words);
    case NoteKind::kAsk:
      return fmt::format("question: {}", trace::line_of(trace::question_of_note(words), "en"));
    case NoteKind::kSay:
      return trace::words_of_note(words).in("en");
    case NoteKind::kLog:
      return std::string(words);
  }
  return "";
}

}  // namespace

std::string record_text(const Trace& trace, const World& world, const Record& record) {
  std::string_view words = trace.string(record.object);
  auto object = [&] { return trace::object_name(trace, world, record.object); };
  switch (record.kind) {
    case RecordKind::kCreate:
      return "new " + object();
    case RecordKind::kDestroy:
      return "free " + object();
    case RecordKind::kSet:
    case RecordKind::kListInsert:
    case RecordKind::kListErase:
      return change_text(trace, world, record);
    case RecordKind::kSpawn:
      return fmt::format("{} starts", trace::task_name(trace, world, record.task));
    case RecordKind::kRun:
      return run_text(trace, world, record);
    case RecordKind::kWake:
      return "wakes " + trace::task_name(trace, world, static_cast<trace::TaskId>(record.before));
    case RecordKind::kClock:
      return fmt::format("time {:.3f} ms -> {:.3f} ms", static_cast<double>(record.before) / 1e6,
                         static_cast<double>(record.after) / 1e6);
    case RecordKind::kStep:
      return fmt::format("step {}  {}", record.after, words);
    case RecordKind::kStepEnd:
      return fmt::format("step {} is quiet", record.after);
    case RecordKind::kNote:
      return note_text(trace, record);
    case RecordKind::kRule: {
      const auto& rules = trace.schema().rules;
      return record.field < rules.size() ? rules[record.field].id + "  " + rules[record.field].sentence : "";
    }
    case RecordKind::kPeer:
      return fmt::format("peer: {}", words);
    case RecordKind::kDivergence:
      if (record.before == record.after) return fmt::format("DIVERGENCE: {}", words);
      return fmt::format("DIVERGENCE: {}: model {}, kernel {}", words, static_cast<std::int64_t>(record.before),
                         static_cast<std::int64_t>(record.after));
    case RecordKind::kCall:
    case RecordKind::kReturn:
    case RecordKind::kSyscall:
    case RecordKind::kSyscallReturn:
      break;
  }
  return "";
}

namespace {

constexpr std::size_t kWidth = 120;

std::string_view context_word(const CallNode& node) {
  if (node.kind == CallNode::Kind::kSyscall) return "syscall";
  if (node.context == trace::Context::kSoftirq) return "softirq";
  return node.context == trace::Context::kHardirq ? "hardirq" : "process";
}

class TreePrinter {
 public:
  TreePrinter(const CallForest& forest, const TreeOptions& options) : options_(options) {
    for (const CallBlock& block : forest.blocks) names_ = std::max(names_, block.task_name.size());
  }

  void print(const CallBlock& block) {
    task_ = block.task_name;
    if (!block.step.empty()) out_ += (out_.empty() ? "" : "\n") + block.step + "\n";
    for (const CallNode* root : block.roots) print(*root, 0);
  }
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  void line(const CallNode& node, std::size_t depth, std::string_view text) {
    out_ += fmt::format("{:<{}}  {}  {:{}}{}\n", task_, names_, context_word(node), "", depth * 2, text);
  }

  static std::string name(const CallNode& node) {
    return node.object.empty() ? node.text : fmt::format("{}({})", node.text, node.object);
  }

  void print(const CallNode& node, std::size_t depth) {
    if (node.is_idle()) return;
    if (node.kind == CallNode::Kind::kEvent) return line(node, depth, "* " + node.text);
    if (node.kind == CallNode::Kind::kSyscall) {
      line(node, depth,
           fmt::format("{}{}{}", node.resumed ? "... " : "", node.text, node.returned ? " = " + node.result : " ..."));
      return print_children(node, depth + 1);
    }
    const CallNode* last = &node;
    std::string text = (node.resumed ? "... " : "") + name(node);
    while (const CallNode* next = options_.fold ? only_call(*last) : nullptr) {
      std::string more = " > " + name(*next);
      if (text.size() + depth * 2 + more.size() > kWidth) {
        line(node, depth, text + " >");
        text = " " + name(*next);
      } else {
        text += more;
      }
      last = next;
    }
    line(node, depth, last->result.empty() ? text : text + " = " + last->result);
    print_children(*last, depth + 1);
  }

  void print_children(const CallNode& node, std::size_t depth) {
    for (const CallNode* child : node.children) print(*child, depth);
  }

  /// The one call that is all there is in `node`, if it can stand on the same line.
  static const CallNode* only_call(const CallNode& node) {
    const CallNode* found = nullptr;
    for (const CallNode* child : node.children) {
      if (child->is_idle()) continue;
      if (found != nullptr || child->kind != CallNode::Kind::kFunction) return nullptr;
      found = child;
    }
    bool fits =
        found != nullptr && found->context == node.context && found->resumed == node.resumed && node.result.empty();
    return fits ? found : nullptr;
  }

  const TreeOptions& options_;
  std::string out_;
  std::string task_;
  std::size_t names_ = 0;
};

constexpr std::uint64_t kWorthTelling = 1'000'000;  // ns of virtual time

}  // namespace

std::string call_tree(const Trace& trace, trace::Position from, trace::Position to, const TreeOptions& options) {
  auto is_state = [&](const World& world, const Record& r) {
    const trace::FieldInfo* field = field_of(trace, world, r);
    return field != nullptr && field->type == trace::FieldType::kEnum;
  };
  CallForest forest = collect_calls(trace, from, to, [&](const Record& r, const World& world) {
    switch (r.kind) {
      case RecordKind::kSet:
        return options.fields || is_state(world, r);
      case RecordKind::kListInsert:
      case RecordKind::kListErase:
        return options.lists;
      case RecordKind::kCreate:
      case RecordKind::kDestroy:
        return options.objects;
      case RecordKind::kRule:
        return options.rules;
      case RecordKind::kClock:
        return r.after - r.before >= kWorthTelling;
      case RecordKind::kStepEnd:
        return false;
      default:
        return true;
    }
  });
  TreePrinter printer(forest, options);
  for (const CallBlock& block : forest.blocks) printer.print(block);
  return printer.take();
}

}  // namespace wakepath::exports
