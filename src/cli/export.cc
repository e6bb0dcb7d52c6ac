// wakepath export FILE: one moment of a recording as text or picture.
#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <set>

#include "sim/export/architecture.hh"
#include "sim/export/objects.hh"
#include "sim/export/path.hh"
#include "sim/export/sequence.hh"
#include "sim/export/series.hh"
#include "sim/export/text.hh"
#include "sim/export/timeline.hh"
#include "sim/trace/cursor.hh"
#include "sim/trace/index.hh"
#include "src/cli/commands.hh"
#include "src/cli/number.hh"
#include "src/cli/open.hh"
#include "src/cli/output.hh"

namespace wakepath::cli {

namespace {

/// The moment that was asked for, and the step that it belongs to: the records [from, at).
struct Moment {
  trace::Position from = 0;
  trace::Position at = 0;
  std::string title;
  std::string subtitle;
  std::string error;  ///< when there is no such moment
};

std::string steps_there_are(const trace::Index& index) {
  if (index.steps().empty()) return "the recording has no steps";
  return fmt::format("the recording has steps {} to {}", index.steps().front().number, index.steps().back().number);
}

std::optional<trace::Position> position_of(const ExportOptions& options, const trace::Trace& trace,
                                           const trace::Index& index, std::string& error) {
  if (!options.record.empty()) {
    auto record = number(options.record);
    if (record && *record <= trace.size()) return record;
    error = fmt::format("--record: found '{}', expected a number up to {}", options.record, trace.size());
    return std::nullopt;
  }
  const std::string& wanted = options.mark.empty() ? options.step : options.mark;
  if (wanted.empty()) return trace.size();
  if (options.mark.empty())
    if (auto step = number(wanted)) {
      auto at = index.after_step(*step);
      if (!at) error = fmt::format("--step: found {}, but {}", wanted, steps_there_are(index));
      return at;
    }
  auto at = index.mark(wanted);
  if (!at) error = fmt::format("found no mark '{}' in {}; {}", wanted, options.file, steps_there_are(index));
  return at;
}

/// A view of what happened, not of one moment: without a step, of the whole recording.
bool is_of_a_time(const std::string& view) { return view == "timeline" || view == "field" || view == "sequence"; }

Moment find_moment(const ExportOptions& options, const trace::Trace& trace) {
  trace::Index index(trace);
  index.update();
  Moment moment;
  auto at = position_of(options, trace, index, moment.error);
  if (!at) return moment;
  moment.at = *at;
  moment.title = std::filesystem::path(options.file).filename().string();
  moment.subtitle = fmt::format("after {} records, {:.3f} ms", *at, static_cast<double>(index.time_at(*at)) / 1e6);
  for (const trace::StepEntry& step : index.steps()) {
    if (step.begin >= *at) break;
    moment.from = step.begin;
    bool quiet = step.end != 0 && step.end < *at;
    moment.title = fmt::format("{}step {}: {}", quiet ? "" : "within ", step.number, trace.string(step.text));
  }
  if (is_of_a_time(options.view) && options.step.empty() && options.mark.empty() && options.record.empty()) {
    moment.from = 0;
    moment.title = std::filesystem::path(options.file).filename().string();
    return moment;
  }
  moment.subtitle += fmt::format("   ({})", std::filesystem::path(options.file).filename().string());
  return moment;
}

std::string draw(const ExportOptions& options, const trace::Trace& trace, const Moment& moment) {
  if (options.view == "tree") return exports::call_tree(trace, moment.from, moment.at, {.fields = options.fields});
  if (options.view == "sequence")
    return exports::sequence_dot(trace, moment.from, moment.at, {.title = moment.title, .subtitle = moment.subtitle});
  if (options.view == "architecture")
    return exports::architecture_dot(trace, moment.at, {.title = moment.title, .subtitle = moment.subtitle});
  if (options.view == "path")
    return exports::path_dot(trace, moment.from, moment.at, {.title = moment.title, .subtitle = moment.subtitle});
  trace::Cursor cursor(trace);
  cursor.seek(moment.at);
  return exports::objects_dot(
      trace, cursor.world(),
      {.changed_from = moment.from, .changed_to = moment.at, .title = moment.title, .subtitle = moment.subtitle});
}

/// The one format of a view that is no picture; empty: it is one.
std::string_view only_format(const std::string& view) {
  if (view == "timeline") return "json";
  if (view == "field") return "csv";
  return view == "tree" || is_kernel_view(view) ? "text" : "";
}

std::string format_of(const ExportOptions& options) {
  if (!options.format.empty()) return options.format;
  const std::string by_ending = format_of_ending(options.output);
  if (!by_ending.empty()) return by_ending;
  const std::string_view only = only_format(options.view);
  return only.empty() ? "svg" : std::string(only);
}

int export_series(const ExportOptions& options, const trace::Trace& trace, const Moment& moment) {
  if (options.view == "timeline")
    return write_out(options.output, exports::timeline_json(trace, moment.from, moment.at));
  const auto csv = exports::field_csv(trace, moment.from, moment.at, options.object, options.field);
  if (const auto* error = std::get_if<std::string>(&csv)) return fail(kWrong, *error);
  return write_out(options.output, std::get<exports::Csv>(csv).text);
}

/// The formats that are no pictures.
const std::set<std::string> kTexts = {"dot", "text", "json", "csv", "mermaid"};

}  // namespace

int export_file(const ExportOptions& options) {
  if (!options.html.empty()) return export_lesson(options.file, options.html);
  if (options.view == "packets") return export_packets(options.file, options.output);
  std::string format = format_of(options);
  if (!is_picture(format) && !kTexts.contains(format))
    return fail(kWrong, fmt::format("{}: found the ending '.{}', expected .dot, .svg, .png, .pdf, .txt, .json, .csv "
                                    "or .mmd (or --format)",
                                    options.output, format));
  const std::string_view only = only_format(options.view);
  const bool mermaid = options.view == "sequence" && format == "mermaid";
  if (!only.empty() ? format != only : !is_picture(format) && format != "dot" && !mermaid)
    return fail(kWrong, fmt::format("--view {} cannot be written as {}: it is {}", options.view, format,
                                    !only.empty()                ? std::string(only)
                                    : options.view == "sequence" ? "dot, svg, png, pdf or mermaid"
                                                                 : "dot, svg, png or pdf"));
  Opened opened = open_any(options.file);
  if (!opened.trace) return fail(kWrong, opened.message);
  if (!opened.message.empty()) fmt::print(stderr, "{}\n", opened.message);
  Moment moment = find_moment(options, *opened.trace);
  if (!moment.error.empty()) return fail(kWrong, moment.error);

  if (only == "json" || only == "csv") return export_series(options, *opened.trace, moment);
  if (is_kernel_view(options.view)) {
    trace::Cursor cursor(*opened.trace);
    cursor.seek(moment.at);
    std::string error;
    auto text = kernel_view(options, *opened.trace, cursor.world(), error);
    return text ? write_out(options.output, *text) : fail(kWrong, error);
  }
  if (mermaid) return write_out(options.output, exports::sequence_mermaid(*opened.trace, moment.from, moment.at, {}));
  const std::string drawn = draw(options, *opened.trace, moment);
  if (drawn.empty() && options.view == "architecture")
    return fail(kWrong, fmt::format("{}: nothing tells of a socket-server here: --view architecture expects a scenario "
                                    "with services, or a recording of serve",
                                    options.file));
  return write_graph(drawn, format, options.output);
}

}  // namespace wakepath::cli
