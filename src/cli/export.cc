// wakepath export FILE: one moment of a recording as text or picture.
#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>

#include "sim/export/layout.hh"
#include "sim/export/objects.hh"
#include "sim/export/path.hh"
#include "sim/export/text.hh"
#include "sim/trace/cursor.hh"
#include "sim/trace/index.hh"
#include "src/cli/commands.hh"
#include "src/cli/open.hh"

namespace wakepath::cli {

namespace {

constexpr int kWrong = 2;
constexpr int kLacking = 3;

int fail(int status, std::string_view why) {
  fmt::print(stderr, "{}\n", why);
  return status;
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() && !text.empty() ? std::optional(value)
                                                                                   : std::nullopt;
}

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
  moment.subtitle += fmt::format("   ({})", std::filesystem::path(options.file).filename().string());
  return moment;
}

std::string draw(const ExportOptions& options, const trace::Trace& trace, const Moment& moment) {
  if (options.view == "tree") return exports::call_tree(trace, moment.from, moment.at, {.fields = options.fields});
  if (options.view == "path")
    return exports::path_dot(trace, moment.from, moment.at, {.title = moment.title, .subtitle = moment.subtitle});
  trace::Cursor cursor(trace);
  cursor.seek(moment.at);
  return exports::objects_dot(
      trace, cursor.world(),
      {.changed_from = moment.from, .changed_to = moment.at, .title = moment.title, .subtitle = moment.subtitle});
}

bool is_text(const std::string& view) { return view == "tree" || is_kernel_view(view); }

std::string format_of(const ExportOptions& options) {
  if (!options.format.empty()) return options.format;
  std::string ending = std::filesystem::path(options.output).extension().string();
  if (ending == ".dot" || ending == ".gv") return "dot";
  if (ending == ".png") return "png";
  if (ending == ".txt") return "text";
  if (ending == ".svg") return "svg";
  if (!ending.empty()) return ending;  // none of ours: refused
  return is_text(options.view) ? "text" : "svg";
}

int write_out(const std::string& path, std::string_view bytes) {
  if (path.empty() || path == "-") {
    std::cout.write(bytes.data(), static_cast<std::streamsize>(bytes.size())).flush();
    return 0;  // main() looks whether it arrived
  }
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  out.close();
  return out ? 0 : fail(kWrong, fmt::format("{}: cannot be written: {}", path, std::strerror(errno)));
}

}  // namespace

int export_file(const ExportOptions& options) {
  std::string format = format_of(options);
  if (format != "dot" && format != "svg" && format != "png" && format != "text")
    return fail(kWrong, fmt::format("{}: found the ending '{}', expected .dot, .svg, .png or .txt (or --format)",
                                    options.output, format));
  if (is_text(options.view) != (format == "text"))
    return fail(kWrong, fmt::format("--view {} cannot be written as {}: tree is text, as what the kernel itself shows; "
                                    "objects and path are dot, svg or png",
                                    options.view, format));
  bool to_terminal = (options.output.empty() || options.output == "-") && isatty(STDOUT_FILENO) != 0;
  if (format == "png" && to_terminal) return fail(kWrong, "a PNG on a terminal helps nobody: give it a file with -o");

  Opened opened = open_any(options.file);
  if (!opened.trace) return fail(kWrong, opened.message);
  if (!opened.message.empty()) fmt::print(stderr, "{}\n", opened.message);
  Moment moment = find_moment(options, *opened.trace);
  if (!moment.error.empty()) return fail(kWrong, moment.error);

  if (is_kernel_view(options.view)) {
    trace::Cursor cursor(*opened.trace);
    cursor.seek(moment.at);
    std::string error;
    auto text = kernel_view(options, *opened.trace, cursor.world(), error);
    return text ? write_out(options.output, *text) : fail(kWrong, error);
  }
  std::string drawn = draw(options, *opened.trace, moment);
  if (format == "dot" || format == "text") return write_out(options.output, drawn);
  exports::LayoutHelper helper;
  exports::Picture picture =
      helper.layout(drawn, format == "png" ? exports::LayoutFormat::kPng : exports::LayoutFormat::kSvg);
  if (!picture.ok())
    return fail(kLacking, fmt::format("no picture: {}; --format dot works without Graphviz", picture.error));
  return write_out(options.output, picture.bytes);
}

}  // namespace wakepath::cli
