#include "src/lesson/worksheet.hh"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "src/scenario/step_text.hh"

namespace wakepath::lesson {

using scenario::Ask;
using scenario::Expectation;
using scenario::Result;
using scenario::Scenario;
using scenario::Step;
using scenario::Text;

namespace {

constexpr const char* kBlank = "__________";

/// The sheet's own words.
struct Words {
  const char* name;
  const char* question;
  const char* answer;
  const char* why;
  const char* only;
};

const Words& words(const std::string& language) {
  static constexpr Words kEnglish = {"Name", "Question", "Answer", "Why", "On the model only"};
  static constexpr Words kChinese = {"姓名", "问题", "答案", "理由", "只在模型上运行"};
  return language == "zh" ? kChinese : kEnglish;
}

std::string one_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

std::string any_of(const std::vector<Result>& results) {
  std::string out;
  for (const Result& result : results) out += (out.empty() ? "" : " or ") + result.text;
  return out;
}

/// `0` says only that the call went well: nothing to predict, unless a question has just been about it.
bool worth_a_blank(const std::vector<Result>& results) {
  return std::any_of(results.begin(), results.end(), [](const Result& result) { return result.text != "0"; });
}

/// `?`: the call returns, whatever it gives.
bool any_result(const std::vector<Result>& results) { return results.size() == 1 && results[0].text == "?"; }

class Sheet {
 public:
  Sheet(const Scenario& scenario, const WorksheetOptions& options)
      : scenario_(scenario), options_(options), words_(words(options.language)) {}

  std::string text() {
    out_ = fmt::format("# {}\n\n`{}`\n\n", in(scenario_.title), scenario_.file);
    if (options_.answers) out_ += scenario_.about.in(options_.language) + "\n";
    if (!scenario_.only.empty()) out_ += fmt::format("{}: {}\n\n", words_.only, in(scenario_.because));
    for (const Step& step : scenario_.steps) add(step);
    return std::move(out_);
  }

 private:
  std::string in(const Text& text) const { return one_line(text.in(options_.language)); }
  /// Something that is asked for: what stands behind it may tell what it was.
  std::string filled_or_blank(const std::string& text) {
    asked_ = true;
    return options_.answers ? text : kBlank;
  }

  void line(const Step& step, const std::string& code) {
    const std::string label = step.label.empty() || !options_.answers ? "" : fmt::format(" ({})", in(step.label));
    out_ += fmt::format("- **{}** `{}`{}\n", step.number, code, label);
  }

  void add(const Step& step) {
    switch (step.kind) {
      case Step::Kind::call: {
        const std::string call = scenario::step_text(step);
        if (step.call.results.empty() || any_result(step.call.results)) return line(step, call);
        const bool blank = worth_a_blank(step.call.results) || questions_ > 0;
        const std::string result = any_of(step.call.results);
        return line(step, fmt::format("{} = {}", call, blank ? filled_or_blank(result) : result));
      }
      case Step::Kind::returns:
        return line(step, fmt::format("{}: {}", step.actor, filled_or_blank("returns " + any_of(step.returns))));
      case Step::Kind::expect:
        return line(step, statement(step.expect));
      case Step::Kind::say:
        if (options_.answers || !asked_) out_ += fmt::format("\n> {}\n\n", in(step.say));
        return;
      case Step::Kind::ask:
        return add(step.ask);
      case Step::Kind::mark:
        return;
      case Step::Kind::wait:
        return line(step, scenario::step_text(step));
      case Step::Kind::wire:
      case Step::Kind::signal:
      case Step::Kind::fault:
        return line(step, scenario::disturbance_text(step));
    }
  }

  std::string statement(const Expectation& expect) {
    const bool compares = expect.op != Expectation::Op::in && expect.op != Expectation::Op::not_in;
    const std::size_t at = expect.text.rfind(expect.right.text);
    if (options_.answers || !compares || at == std::string::npos) return expect.text;
    return expect.text.substr(0, at) + filled_or_blank("");
  }

  void add(const Ask& ask) {
    out_ += fmt::format("\n**{} {}.** {}\n\n", words_.question, ++questions_, in(ask.question));
    for (std::size_t i = 0; i < ask.choices.size(); ++i)
      out_ += fmt::format("   - [{}] {}) {}\n", options_.answers && static_cast<long>(i) + 1 == ask.choice ? 'x' : ' ',
                          i + 1, in(ask.choices[i]));
    if (!ask.choices.empty()) out_ += "\n";
    if (ask.choices.empty()) out_ += fmt::format("{}: {}\n\n", words_.answer, filled_or_blank(in(ask.answer)));
    out_ += fmt::format("{}: {}\n\n", words_.why, filled_or_blank(in(ask.why)));
  }

  const Scenario& scenario_;
  const WorksheetOptions& options_;
  const Words& words_;
  int questions_ = 0;
  bool asked_ = false;  ///< a blank or a question stands above
  std::string out_;
};

}  // namespace

std::string worksheet(const std::vector<Scenario>& scenarios, const WorksheetOptions& options) {
  std::string out;
  if (!options.answers) out = fmt::format("{}: {}{}\n\n", words(options.language).name, kBlank, kBlank);
  for (const Scenario& scenario : scenarios) {
    if (&scenario != &scenarios.front()) out += "\n---\n\n";
    out += Sheet(scenario, options).text();
  }
  return out;
}

}  // namespace wakepath::lesson
