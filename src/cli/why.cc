// wakepath why FILE: the reasons behind one step.
#include "sim/export/why.hh"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "sim/export/explain.hh"
#include "sim/trace/cursor.hh"
#include "sim/trace/index.hh"
#include "sim/trace/world.hh"
#include "src/cli/commands.hh"
#include "src/cli/number.hh"
#include "src/cli/open.hh"
#include "src/cli/output.hh"

namespace wakepath::cli {

namespace {

/// The end of the moment that was asked for; nothing when the trace has none of that name.
std::optional<trace::Position> end_of(const WhyCommandOptions& options, const trace::Trace& trace,
                                      const trace::Index& index) {
  if (!options.record.empty()) {
    auto record = number(options.record);
    return record && *record <= trace.size() ? record : std::nullopt;
  }
  if (options.step.empty()) return trace.size();
  if (auto step = number(options.step)) return *step != 0 ? index.after_step(*step) : std::nullopt;
  return index.mark(options.step);
}

/// What was asked for, and what there is.
std::string no_such_moment(const WhyCommandOptions& options, const trace::Trace& trace, const trace::Index& index) {
  if (!options.record.empty())
    return fmt::format("--record: found '{}', expected a number from 0 to {}, the records of {}", options.record,
                       trace.size(), options.file);
  const std::string steps = index.steps().empty() ? "no step"
                                                  : fmt::format("a step from {} to {}", index.steps().front().number,
                                                                index.steps().back().number);
  return fmt::format("--step: found '{}', expected {} or a mark of {}", options.step, steps, options.file);
}

bool has_task(const trace::Trace& trace, const trace::World& world, std::string_view name) {
  return std::any_of(world.tasks().begin(), world.tasks().end(), [&](const trace::Task& task) {
    return task.object != 0 && trace::task_name(trace, world, task.id) == name;
  });
}

/// The steps that begin before `end`, the last one first.
std::vector<trace::StepEntry> steps_before(const trace::Index& index, trace::Position end) {
  std::vector<trace::StepEntry> out;
  for (const trace::StepEntry& step : index.steps())
    if (step.begin < end) out.insert(out.begin(), step);
  return out;
}

}  // namespace

int why(const WhyCommandOptions& options) {
  Opened opened = open_any(options.file);
  if (!opened.trace) {
    fmt::print(stderr, "{}\n", opened.message);
    return kWrong;
  }
  if (!opened.message.empty()) fmt::print(stderr, "{}\n", opened.message);
  trace::Index index(*opened.trace);
  index.update();
  std::optional<trace::Position> end = end_of(options, *opened.trace, index);
  if (!end) {
    fmt::print(stderr, "{}\n", no_such_moment(options, *opened.trace, index));
    return kWrong;
  }
  trace::Cursor whole(*opened.trace);
  whole.seek(opened.trace->size());
  if (!options.actor.empty() && !has_task(*opened.trace, whole.world(), options.actor)) {
    fmt::print(stderr, "--actor: found '{}', expected one of {}\n", options.actor,
               tasks_there_are(*opened.trace, whole.world()));
    return kWrong;
  }
  // steps such as `mark`, `expect` and `returns` do nothing themselves: then what is asked about came before
  std::vector<trace::StepEntry> steps = steps_before(index, *end);
  trace::StepEntry step = steps.empty() ? trace::StepEntry{} : steps.front();
  std::uint64_t asked = step.number;
  std::vector<exports::WhyAnswer> answers;
  for (const trace::StepEntry& earlier : steps) {
    trace::Position until = earlier.number == asked ? *end : index.after_step(earlier.number).value_or(*end);
    bool only_words = until - earlier.begin <= 3;
    if (only_words && &earlier != &steps.back()) continue;
    answers = exports::why(*opened.trace, earlier.begin, until, {options.actor, options.language});
    step = earlier;
    if (!answers.empty()) break;
  }
  if (options.format == "json") {
    fmt::print("{}\n", exports::why_json(answers));
    return 0;
  }
  if (step.number != asked)
    fmt::print("{}\n",
               exports::explain(options.language, "nothing_in_step",
                                {{"step", fmt::format("{}", asked)}, {"earlier", fmt::format("{}", step.number)}}));
  fmt::print("step {}: {}\n\n{}", step.number, opened.trace->string(step.text),
             exports::why_text(answers, options.language));
  return 0;
}

}  // namespace wakepath::cli
