// wakepath step: the text stepper. Commands come from standard input, one a line, so that a course can script it.

#include <fmt/format.h>
#include <unistd.h>

#include <iostream>
#include <map>
#include <optional>
#include <sstream>

#include "sim/export/text.hh"
#include "sim/export/why.hh"
#include "sim/trace/cursor.hh"
#include "sim/trace/index.hh"
#include "src/cli/commands.hh"
#include "src/cli/open.hh"

namespace wakepath::cli {

namespace {

constexpr const char* kHelp =
    "  n [N]   forward N steps          p [N]   back N steps\n"
    "  f       to the next function     b       back to the one before\n"
    "  r       forward one record       R       back one record\n"
    "  g N     to the end of step N     m NAME  to a mark\n"
    "  t       the calls of this step   T       the same with every field that changed\n"
    "  s       the stack of the running thread\n"
    "  o       living objects           o NAME  one of them: o tcp_sock#1\n"
    "  proc    /proc/net/tcp            proc TASK [FD]   its descriptors, or one's fdinfo\n"
    "  w       why, in this step        w TASK  why of one thread\n"
    "  ss      as ss -tanie             ss LETTERS       with these options\n"
    "  h       this list                q       end\n"
    "  An empty line is n.\n";

class Stepper {
 public:
  explicit Stepper(const trace::Trace& trace) : trace_(trace), cursor_(trace), index_(trace) { index_.update(); }

  void welcome() const {
    fmt::print("{} steps, {} records. n: next, p: back, h: help\n", index_.steps().size(), trace_.size());
  }

  /// False when the user is done.
  bool command(const std::string& line) {
    std::istringstream words(line);
    std::string verb;
    std::string argument;
    words >> verb >> argument;
    if (verb.empty()) verb = "n";
    if (verb == "q") return false;
    if ((verb == "n" || verb == "p") && !argument.empty() && !number_of(argument)) {
      fmt::print("found '{}', expected how many steps\n", argument);
      return true;
    }
    if (verb == "h" || verb == "?")
      fmt::print("{}", kHelp);
    else if (verb == "n")
      go_to_step(current_step() + count_of(argument));
    else if (verb == "p")
      go_to_step(current_step() - count_of(argument));
    else if (verb == "g")
      go_to_number(argument);
    else if (verb == "m")
      go_to_mark(argument);
    else if (verb == "r" || verb == "R")
      go_one_record(verb == "r");
    else if (verb == "f" || verb == "b")
      go_one_function(verb == "f");
    else if (verb == "t" || verb == "T")
      print_calls(verb == "T");
    else if (verb == "s")
      print_stack();
    else if (verb == "o")
      print_objects(argument);
    else if (verb == "w")
      print_why(argument);
    else if (verb == "proc" || verb == "ss")
      print_kernel_view(verb, argument, words);
    else
      fmt::print("found '{}', expected one of n p f b r R g m t T s o w proc ss h q (h: help)\n", verb);
    return true;
  }

 private:
  static long count_of(const std::string& text) { return number_of(text).value_or(1); }

  static std::optional<long> number_of(const std::string& text) {
    if (text.empty() || text.size() > 9 || text.find_first_not_of("0123456789") != std::string::npos)
      return std::nullopt;
    return std::stol(text);
  }

  /// Index of the step in which (or at whose end) we stand, from 1; 0 before the first.
  [[nodiscard]] long current_step() const {
    long at = 0;
    for (const auto& step : index_.steps())
      if (step.begin < cursor_.position()) ++at;
    return at;
  }

  [[nodiscard]] trace::Position end_of(long step) const {
    if (step <= 0) return 0;
    return *index_.after_step(index_.steps()[static_cast<std::size_t>(step - 1)].number);
  }

  void go_to_step(long step) {
    long last = static_cast<long>(index_.steps().size());
    if (step < 0 || step > last) {
      fmt::print("{}\n", step < 0 ? "this is the beginning" : "this is the end");
      step = step < 0 ? 0 : last;
    }
    cursor_.seek(end_of(step));
    print_place();
    if (step > 0) print_calls(false);
  }

  void go_to_number(const std::string& text) {
    std::optional<long> number = number_of(text);
    std::optional<trace::Position> place =
        number ? index_.after_step(static_cast<std::uint64_t>(*number)) : std::nullopt;
    if (!place) {
      fmt::print("found '{}', expected the number of a step that this trace has\n", text);
      return;
    }
    cursor_.seek(*place);
    print_place();
    print_calls(false);
  }

  void go_to_mark(const std::string& name) {
    if (auto place = index_.mark(name)) {
      cursor_.seek(*place);
      print_place();
    } else {
      fmt::print("found '{}', expected the name of a mark\n", name);
    }
  }

  void go_one_record(bool forward) {
    trace::Position at = cursor_.position();
    if (forward ? at >= trace_.size() : at == 0) {
      fmt::print("{}\n", forward ? "this is the end" : "this is the beginning");
      return;
    }
    cursor_.seek(forward ? at + 1 : at - 1);
    print_record(forward ? at : at - 1, forward ? "" : "undone: ");
  }

  void go_one_function(bool forward) {
    trace::Position at = cursor_.position();
    auto is_call = [&](trace::Position p) {
      return trace_[p].kind == trace::RecordKind::kCall || trace_[p].kind == trace::RecordKind::kReturn;
    };
    if (forward) {
      while (at < trace_.size() && !is_call(at)) ++at;
      cursor_.seek(at < trace_.size() ? at + 1 : at);
    } else {
      if (at > 0) --at;
      while (at > 0 && !is_call(at - 1)) --at;
      cursor_.seek(at);
    }
    print_place();
    print_stack();
  }

  void print_place() const {
    const trace::World& world = cursor_.world();
    fmt::print("-- record {} of {}, {:.3f} ms", cursor_.position(), trace_.size(),
               static_cast<double>(world.now_ns()) / 1e6);
    if (long step = current_step(); step > 0) {
      const auto& entry = index_.steps()[static_cast<std::size_t>(step - 1)];
      fmt::print(", step {}: {}", entry.number, trace_.string(entry.text));
    }
    fmt::print("\n");
    if (world.divergences() > 0) fmt::print("   {} divergences so far\n", world.divergences());
  }

  void print_record(trace::Position at, const char* prefix) const {
    const trace::Record& r = trace_[at];
    std::string words = exports::record_text(trace_, cursor_.world(), r);
    if (words.empty() && (r.kind == trace::RecordKind::kCall || r.kind == trace::RecordKind::kReturn))
      words = fmt::format("{} {}", r.kind == trace::RecordKind::kCall ? "enters" : "leaves",
                          trace_.schema().functions[r.field].name);
    fmt::print("-- record {} of {}: {}{}  {}\n", cursor_.position(), trace_.size(), prefix, words, trace_.site(r.site));
  }

  void print_calls(bool fields) const {
    long step = current_step();
    if (step == 0) return;
    exports::TreeOptions options;
    options.fields = fields;
    fmt::print("{}", exports::call_tree(trace_, index_.steps()[static_cast<std::size_t>(step - 1)].begin,
                                        cursor_.position(), options));
  }

  void print_stack() const {
    const trace::World& world = cursor_.world();
    const trace::Task* task = world.task(world.running());
    fmt::print("   on the CPU: {}\n", trace::task_name(trace_, world, world.running()));
    if (task == nullptr) return;
    for (auto frame = task->stack.rbegin(); frame != task->stack.rend(); ++frame)
      fmt::print("     {:<9}{}\n", frame->context == trace::Context::kProcess ? "" : "[softirq]",
                 trace_.schema().functions[frame->function].name);
  }

  void print_objects(const std::string& name) const {
    const trace::World& world = cursor_.world();
    if (name.empty()) {
      std::map<trace::KindId, std::string> by_kind;
      for (const trace::Object& object : world.objects())
        if (object.alive) by_kind[object.kind] += " " + trace::object_name(trace_, world, object.id);
      for (const auto& [kind, names] : by_kind) fmt::print("  {}\n", names);
      return;
    }
    for (const trace::Object& object : world.objects()) {
      if (!object.alive || trace::object_name(trace_, world, object.id) != name) continue;
      const trace::Kind& kind = trace_.schema().kinds[object.kind];
      for (std::size_t i = 0; i < kind.fields.size(); ++i) {
        const std::string& path = kind.parts[kind.fields[i].part].path;
        fmt::print("  {:<52} {}\n", path.empty() ? kind.fields[i].name : path + "." + kind.fields[i].name,
                   trace::field_text(trace_, world, object, static_cast<trace::FieldId>(i)));
      }
      return;
    }
    fmt::print("found '{}', expected a living object (o lists them)\n", name);
  }

  void print_why(const std::string& actor) const {
    long step = current_step();
    if (step == 0) return;
    trace::Position begin = index_.steps()[static_cast<std::size_t>(step - 1)].begin;
    fmt::print("{}", exports::why_text(exports::why(trace_, begin, cursor_.position(), {.actor = actor})));
  }

  void print_kernel_view(const std::string& verb, const std::string& argument, std::istream& more) const {
    ExportOptions options;
    std::string fd;
    more >> fd;
    options.view = verb == "ss" ? "ss" : argument.empty() ? "proc-net-tcp" : fd.empty() ? "proc-fd" : "proc-fdinfo";
    if (verb == "ss" && !argument.empty()) options.ss = argument;
    options.process = argument;
    if (auto number = number_of(fd)) options.fd = static_cast<int>(*number);
    std::string error;
    std::optional<std::string> text = kernel_view(options, trace_, cursor_.world(), error);
    fmt::print("{}", text ? *text : error + "\n");
  }

  const trace::Trace& trace_;
  trace::Cursor cursor_;
  trace::Index index_;
};

}  // namespace

int step(const StepOptions& options) {
  Opened opened = open_any(options.file);
  if (!opened.message.empty()) fmt::print(stderr, "{}\n", opened.message);
  if (!opened.trace) return 2;
  Stepper stepper(*opened.trace);
  stepper.welcome();
  bool terminal = isatty(STDIN_FILENO) == 1;
  std::string line;
  for (;;) {
    if (terminal) fmt::print("> ");
    std::fflush(stdout);
    if (!std::getline(std::cin, line) || !stepper.command(line)) break;
  }
  return 0;
}

}  // namespace wakepath::cli
