// wakepath import strace LOG… -o X.wkp: what another program did on the running kernel, followed on the model.

#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "sim/trace/file.hh"
#include "src/cli/commands.hh"
#include "src/cli/output.hh"
#include "src/guest/strace_import.hh"

namespace wakepath::cli {

namespace {

std::string processes_of(const guest::StraceLog& log) {
  std::string words;
  for (const auto& [number, unused] : log.processes) {
    const auto named = log.threads.find(number);
    const std::string name = named != log.threads.end() ? named->second.name : "";
    words += fmt::format("{}{} ({})", words.empty() ? "" : ", ", number, name);
  }
  return words;
}

void print_left(const guest::StraceLog& log, const guest::StraceLeft& left) {
  const auto say = [](uint64_t count, const std::string& what) {
    if (count > 0) fmt::print(stderr, "import: {} {}\n", count, what);
  };
  for (const auto& [reason, count] : left.not_followed) say(count, "not followed: " + reason);
  for (const std::string& own : left.own_addresses)
    fmt::print(stderr, "import: {} is the machine's own, and 127.0.0.1 in the recording\n", own);
  say(left.outside, "calls of other processes; to this one they are programs outside");
  say(left.unseen_closes, "descriptors were given out again that the log does not show closed");
  say(log.lost, "calls without their beginning or their end in the log");
  say(log.assumed, "threads that the log does not show made, taken to be of one process");
  if (!log.timed) fmt::print(stderr, "import: no times in the log: the order of its lines alone is known\n");
  if (log.last_line_cut) fmt::print(stderr, "import: the last line is cut short, and left out\n");
}

/// The line that `serve` ends with, for a log.
void print_figures(const mirror::Figures& figures) {
  fmt::print("calls {} checked {} unchecked {} injected {} divergences {}\n", figures.calls, figures.checked,
             figures.unchecked, figures.injected, figures.divergences);
  std::fflush(stdout);  // before what goes to stderr
  for (const auto& [reason, count] : figures.reasons) fmt::print(stderr, "import: {} unchecked: {}\n", count, reason);
  if (!figures.first_divergence.empty())
    fmt::print(stderr, "import: the first divergence: {}\n", figures.first_divergence);
  if (!figures.stopped.empty()) fmt::print(stderr, "import: the mirror stopped: {}\n", figures.stopped);
}

}  // namespace

int import_strace(const ImportOptions& options) {
  guest::StraceProblem problem;
  const auto log = guest::read_strace({options.files.begin(), options.files.end()}, problem);
  if (!log) return fail(kWrong, problem.text());
  const int process = options.process != 0 ? options.process : guest::busiest_process(*log);
  if (!log->processes.contains(process))
    return fail(kWrong, fmt::format("--process: found {}, expected one of {}", process, processes_of(*log)));
  std::filesystem::path output = options.output;
  if (output.empty()) output = std::filesystem::path(options.files.front()).filename().string() + ".wkp";
  std::error_code none;
  for (const auto& file : options.files)
    if (std::filesystem::equivalent(output, file, none))
      return fail(kWrong, output.string() + ": found the input as output, expected another name (-o)");
  mirror::MirrorOptions wanted;
  wanted.max_records = options.mirror_records;
  wanted.config.compared_with = "a log of strace: " + std::filesystem::path(options.files.front()).filename().string();
  mirror::Mirror mirror(wanted);
  trace::FileWriter writer(*mirror.trace(), output);
  const guest::StraceLeft left = guest::follow_strace(*log, process, mirror);
  writer.close();
  if (!writer.error().empty()) return fail(kWrong, writer.error());
  print_figures(mirror.figures());
  print_left(*log, left);
  if (log->processes.size() > 1)
    fmt::print(stderr, "import: process {} is followed, of {}\n", process, processes_of(*log));
  fmt::print(stderr, "import: wrote {}\n", output.string());
  return mirror.figures().divergences > 0 ? 1 : 0;
}

}  // namespace wakepath::cli
