#include "src/scenario/text_output.hh"
#include "src/scenario/step_text.hh"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "src/scenario/json_output.hh"
#include "src/scenario/kernel_versions.hh"

namespace wakepath::scenario {
namespace {

constexpr size_t kLongestData = 60;

class Paint {
 public:
  explicit Paint(bool on) : on_(on) {}
  std::string operator()(const char* code, const std::string& text) const {
    return on_ ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : text;
  }

 private:
  bool on_;
};

std::string quoted(const std::string& bytes) {
  std::string out = "\"";
  for (const char c : bytes.substr(0, kLongestData)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += fmt::format("\\{}", c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte >= 0x7F) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned>(byte));
    } else {
      out.push_back(c);
    }
  }
  return bytes.size() > kLongestData ? fmt::format("{}\"… ({} bytes)", out, bytes.size()) : out + "\"";
}

/// A JSON text, cut when it is long.
std::string brief(const std::string& json) {
  size_t end = kLongestData;
  while (end < json.size() && (static_cast<unsigned char>(json[end]) & 0xC0) == 0x80) {
    ++end;
  }
  return json.size() <= end ? json : json.substr(0, end) + "…";
}

/// A JSON text as people say it: no quotes about a name, and "nothing" for what one side has alone.
std::string plain(const std::string& field, const std::string& json) {
  if (json == "null") {
    return "nothing";
  }
  const bool name = field != "data" && json.size() >= 2 && json.front() == '"';
  return name ? json.substr(1, json.size() - 2) : json;
}

std::string wanted_text(const std::vector<Result>& results) {
  if (results.empty()) {
    return "success without blocking";
  }
  std::string out;
  for (const Result& result : results) {
    out += (out.empty() ? "" : " or ") + result.text;
  }
  return out;
}

std::string operator_text(const Entry& e) {
  switch (e.truth) {
    case Entry::Truth::yes:
      return "true";
    case Entry::Truth::no:
      return "false";
    case Entry::Truth::unobservable:
      break;
  }
  return "not observable here";
}

std::string counted(size_t count, const char* what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

const Entry* entry_of(const FileResult& result, int step) {
  for (const Entry& entry : result.entries) {
    if (entry.step == step) {
      return &entry;
    }
  }
  return nullptr;
}

bool good(const Entry& e) { return e.expect.empty() ? e.expected : e.truth != Entry::Truth::no; }

class Report {
 public:
  Report(const Scenario& scenario, const FileResult& result, const TextStyle& style)
      : scenario_(scenario), result_(result), style_(style), paint_(style.colour) {}

  std::string text() {
    out_ = fmt::format("{} on {}: {}\n", scenario_.file, result_.on, paint_("1", scenario_.title.in(style_.language)));
    if (result_.skipped) {
      return out_ + fmt::format("  {}: {}\n", paint_("33", "not run"), *result_.skipped);
    }
    for (const Step& step : scenario_.steps) {
      if (result_.error && entry_of(result_, step.number) == nullptr && result_.error->at.line > 0 &&
          step.at.line >= result_.error->at.line) {
        break;
      }
      step_lines(step);
    }
    if (result_.error) {
      return out_ + fmt::format("  {}: {}\n", paint_("31", "stopped"), result_.error->text());
    }
    return out_ + sums();
  }

 private:
  void line(const std::string& mark, int number, const std::string& text) {
    out_ += fmt::format("  {} {:>3}  {}\n", mark, number, text);
  }

  void step_lines(const Step& step) {
    const std::string no_mark = "    ";
    switch (step.kind) {
      case Step::Kind::say:
        line(no_mark, step.number, paint_("36", one_line(step.say.in(style_.language))));
        break;
      case Step::Kind::ask:
        line(no_mark, step.number, paint_("36", "? " + one_line(trace::line_of(step.ask, style_.language))));
        break;
      case Step::Kind::mark:
        line(no_mark, step.number, fmt::format("mark {}", step.mark));
        break;
      case Step::Kind::wait:
        line(no_mark, step.number, fmt::format("wait {}ms", step.wait.count() / 1000000));
        break;
      case Step::Kind::wire:
      case Step::Kind::signal:
      case Step::Kind::fault:
        line(no_mark, step.number, disturbance_text(step));
        break;
      case Step::Kind::returns:
        line(no_mark, step.number, fmt::format("{}: returns {}", step.actor, wanted_text(step.returns)));
        break;
      default:
        if (const Entry* entry = entry_of(result_, step.number)) {
          entry_lines(step, *entry);
        }
    }
  }

  static std::string one_line(std::string text) {
    while (!text.empty() && text.back() == '\n') {
      text.pop_back();
    }
    std::replace(text.begin(), text.end(), '\n', ' ');
    return text;
  }

  void entry_lines(const Step& step, const Entry& e) {
    const std::string mark = good(e) ? paint_("32", "ok  ") : paint_("31", "FAIL");
    if (!e.expect.empty()) {
      line(mark, e.step, fmt::format("expect {}: {}", e.expect, operator_text(e)));
      if (!good(e)) {
        out_ += fmt::format("            {}: found {}, expected {}\n", place(step),
                            e.seen.empty() ? "that it does not hold" : e.seen, e.expect);
      }
      return;
    }
    std::string targets;
    for (const std::string& target : step.call.targets) {
      targets += (targets.empty() ? "" : ", ") + target;
    }
    std::string text =
        fmt::format("{}: {}{}{} = {}", e.actor, targets, targets.empty() ? "" : " = ", e.call, result_text(e));
    if (!e.done) {
      text += " (still, at the end)";
    } else if (e.returned_after && *e.returned_after != e.step) {
      text += fmt::format(" (blocked; returned after step {})", *e.returned_after);
    }
    line(mark, e.step, text);
    if (!e.expected) {
      const Step* judge = &step;
      if (e.failed_at) {
        judge = &scenario_.steps[static_cast<size_t>(*e.failed_at - 1)];
      }
      out_ += fmt::format("            {}: found {}, expected {}\n", place(*judge), found_text(step, e),
                          wanted_text(e.failed_at ? judge->returns : step.call.results));
    }
  }

  std::string place(const Step& step) const {
    return fmt::format("{}:{}:{}", scenario_.file, step.at.line, step.at.column);
  }

  /// What the judging step found: a result, or that the call slept.
  static std::string found_text(const Step& step, const Entry& e) {
    const bool slept = !e.failed_at && e.returned_after != e.step;
    if (e.done && !slept) {
      return result_text(e);
    }
    return fmt::format("{} {}blocked in {}", step.call.signature->name, e.failed_at ? "still " : "",
                       e.asleep_in.empty() ? "the kernel" : e.asleep_in);
  }

  std::string sums() {
    size_t calls = 0, statements = 0, wrong = 0, unobservable = 0;
    for (const Entry& e : result_.entries) {
      ++(e.expect.empty() ? calls : statements);
      wrong += !good(e);
      unobservable += !e.expect.empty() && e.truth == Entry::Truth::unobservable;
    }
    std::string text = fmt::format("  {}, {}: ", counted(calls, "call"), counted(statements, "statement"));
    text += wrong == 0 ? paint_("32", "all as expected") : paint_("31", fmt::format("{} not as expected", wrong));
    if (unobservable > 0) {
      text += fmt::format(", {} not observable", unobservable);
    }
    return text + "\n";
  }

  const Scenario& scenario_;
  const FileResult& result_;
  TextStyle style_;
  Paint paint_;
  std::string out_;
};

std::string xml(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out.push_back(c);
    }
  }
  return out;
}

}  // namespace

std::string result_text(const Entry& e) {
  if (!e.ret) {
    return "blocks";
  }
  if (!e.error.empty()) {
    return fmt::format("{} {}", *e.ret, e.error);
  }
  std::string out = fmt::format("{}", *e.ret);
  if (e.data) {
    out += " " + quoted(*e.data);
  }
  if (e.address) {
    out += " " + *e.address;
  }
  if (e.value.size() == 1) {
    out += fmt::format(" {}", e.value[0]);
  } else if (!e.value.empty()) {
    out += fmt::format(" {{{}}}", fmt::join(e.value, ", "));
  }
  if (!e.fds.empty()) {
    out += fmt::format(" {{{}}}", fmt::join(e.fds, ", "));
  }
  if (e.events) {
    std::string list;
    for (const ShownEvent& event : *e.events) {
      list += fmt::format("{}{{{}, {}}}", list.empty() ? "" : ", ", event.events, event.data);
    }
    out += fmt::format(" [{}]", list);
  }
  return out;
}

std::string text_report(const Scenario& scenario, const FileResult& result, const TextStyle& style) {
  std::string out = Report(scenario, result, style).text();
  for (const std::string& words : result.notes) {
    out += "  excused: " + words + "\n";
  }
  return out;
}

std::string in_words(const Difference& d) {
  if (d.field == "step") {
    return d.model == "null" ? "reached on the kernel, but not in the model"
                             : "reached in the model, but not on the kernel";
  }
  return fmt::format("{} is {} in the model and {} on the kernel", d.field, brief(plain(d.field, d.model)),
                     brief(plain(d.field, d.kernel)));
}

std::string text_comparison(const FileResult& model, const FileResult& kernel, const TextStyle& style) {
  const Paint paint(style.colour);
  if (model.skipped || kernel.skipped) {
    return fmt::format("{}: not compared\n", model.file);
  }
  const Judged judged = judge(model, kernel);
  const std::vector<Difference>& all = judged.failing;
  const bool agree = all.empty() && judged.excused.empty();
  std::string out =
      fmt::format("{}: {}\n", model.file,
                  agree         ? paint("32", model.error || kernel.error ? "model and kernel agree as far as they went"
                                                                          : "model and kernel agree on every step")
                  : all.empty() ? paint("33", "model and kernel agree but for their versions")
                                : paint("31", "model and kernel differ"));
  for (const std::string& words : judged.excused) {
    out += "  excused: " + words + "\n";
  }
  for (const Difference& d : all) {
    out += fmt::format("  step {}: {}\n", d.step, in_words(d));
  }
  return out;
}

JunitCase junit_case(const Scenario& scenario, const FileResult& result) {
  JunitCase out{result.file, result.on, "", "", ""};
  if (result.skipped) {
    out.skipped = *result.skipped;
  } else if (result.error) {
    out.error = result.error->text();
  } else if (!result.ok) {
    out.failure = text_report(scenario, result, {});
  }
  return out;
}

JunitCase junit_comparison(const FileResult& model, const FileResult& kernel) {
  JunitCase out{model.file, "both", "", "", ""};
  if (model.skipped || kernel.skipped) {
    out.skipped = "not compared";
  } else if (!judge(model, kernel).failing.empty()) {
    out.failure = text_comparison(model, kernel, {});
  }
  return out;
}

std::string junit_report(const std::vector<JunitCase>& cases) {
  const auto count = [&](std::string JunitCase::*field) {
    return std::count_if(cases.begin(), cases.end(), [&](const JunitCase& c) { return !(c.*field).empty(); });
  };
  std::string out = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuite name=\"wakepath\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\">\n",
      cases.size(), count(&JunitCase::failure), count(&JunitCase::error), count(&JunitCase::skipped));
  for (const JunitCase& c : cases) {
    out += fmt::format("  <testcase classname=\"{}\" name=\"{}\">", xml(c.on), xml(c.file));
    if (!c.skipped.empty()) {
      out += fmt::format("<skipped message=\"{}\"/>", xml(c.skipped));
    } else if (!c.error.empty()) {
      out += fmt::format("<error message=\"{}\"/>", xml(c.error));
    } else if (!c.failure.empty()) {
      out += fmt::format("<failure message=\"not as expected\">{}</failure>", xml(c.failure));
    }
    out += "</testcase>\n";
  }
  return out + "</testsuite>\n";
}

}  // namespace wakepath::scenario
