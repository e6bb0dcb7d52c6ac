// wakepath import strace LOG… -o X.wkp: what another program did on the running kernel, followed on the model.
// wakepath record -o X.wkp -- COMMAND: the same in one go, strace writes the log meanwhile.

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "sim/trace/file.hh"
#include "src/cli/commands.hh"
#include "src/cli/output.hh"
#include "src/guest/strace_import.hh"
#include "src/guest/strace_run.hh"

namespace wakepath::cli {

namespace {

std::string processes_of(const guest::StraceLog& log) {
  constexpr std::size_t kMany = 8;
  std::string words;
  std::size_t left = log.processes.size();
  for (const auto& [number, unused] : log.processes) {
    if (left + kMany == log.processes.size()) return words + fmt::format(" and {} more", left);
    const auto named = log.threads.find(number);
    const std::string name = named != log.threads.end() ? named->second.name : "";
    words += fmt::format("{}{} ({})", words.empty() ? "" : ", ", number, name);
    --left;
  }
  return words;
}

void print_left(const std::string& who, const guest::StraceLog& log, const guest::StraceLeft& left) {
  const auto say = [&who](uint64_t count, const std::string& what) {
    if (count > 0) fmt::print(stderr, "{}: {} {}\n", who, count, what);
  };
  for (const auto& [reason, count] : left.not_followed) say(count, "not followed: " + reason);
  for (const std::string& own : left.own_addresses)
    fmt::print(stderr, "{}: {} is the machine's own, and 127.0.0.1 in the recording\n", who, own);
  say(left.outside, "calls of other processes; to this one they are programs outside");
  say(left.unseen_closes, "descriptors were given out again that the log does not show closed");
  say(log.lost, "calls without their beginning or their end in the log");
  say(log.assumed, "threads that the log does not show made, taken to be of one process");
  if (!log.timed) fmt::print(stderr, "{}: no times in the log: the order of its lines alone is known\n", who);
  if (log.last_line_cut) fmt::print(stderr, "{}: the last line is cut short, and left out\n", who);
}

/// The line that `serve` ends with, for a log.
void print_figures(const std::string& who, const mirror::Figures& figures) {
  fmt::print("calls {} checked {} unchecked {} injected {} divergences {}\n", figures.calls, figures.checked,
             figures.unchecked, figures.injected, figures.divergences);
  std::fflush(stdout);  // before what goes to stderr
  for (const auto& [reason, count] : figures.reasons) fmt::print(stderr, "{}: {} unchecked: {}\n", who, count, reason);
  if (!figures.first_divergence.empty())
    fmt::print(stderr, "{}: the first divergence: {}\n", who, figures.first_divergence);
  if (!figures.stopped.empty()) fmt::print(stderr, "{}: the mirror stopped: {}\n", who, figures.stopped);
}

/// What is to become of a log, and who says so.
struct Following {
  std::string who;
  std::string source;  ///< what the recording says it was compared with
  std::filesystem::path output;
  int process = 0;  ///< 0: the busiest
  uint64_t most_records = 0;
};

/// 0: the model agrees, 1: it differs somewhere, kWrong: there is no recording.
int follow(const guest::StraceLog& log, const Following& wanted) {
  const int process = wanted.process != 0 ? wanted.process : guest::busiest_process(log);
  if (!log.processes.contains(process))
    return fail(kWrong, fmt::format("--process: found {}, expected one of {}", process, processes_of(log)));
  mirror::MirrorOptions options;
  options.max_records = wanted.most_records;
  options.config.compared_with = wanted.source;
  mirror::Mirror mirror(options);
  trace::FileWriter writer(*mirror.trace(), wanted.output);
  const guest::StraceLeft left = guest::follow_strace(log, process, mirror);
  writer.close();
  if (!writer.error().empty()) return fail(kWrong, writer.error());
  print_figures(wanted.who, mirror.figures());
  print_left(wanted.who, log, left);
  if (mirror.figures().calls == 0)
    fmt::print(stderr, "{}: no call of what is followed is there: sockets, pipes, epolls\n", wanted.who);
  if (log.processes.size() > 1)
    fmt::print(stderr, "{}: process {} is followed, of {}\n", wanted.who, process, processes_of(log));
  fmt::print(stderr, "{}: wrote {}\n", wanted.who, wanted.output.string());
  return mirror.figures().divergences > 0 ? 1 : 0;
}

/// A folder of our own for the time of a run.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::error_code none;
    std::string name = (std::filesystem::temp_directory_path(none) / "wakepath-XXXXXX").string();
    if (mkdtemp(name.data()) != nullptr) path_ = name;
  }
  ~ScratchFolder() {
    std::error_code none;
    if (!path_.empty()) std::filesystem::remove_all(path_, none);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  /// Empty: there is none.
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace

int import_strace(const ImportOptions& options) {
  guest::StraceProblem problem;
  const auto log = guest::read_strace({options.files.begin(), options.files.end()}, problem);
  if (!log) return fail(kWrong, problem.text());
  const std::filesystem::path first = options.files.front();
  std::filesystem::path output = options.output;
  if (output.empty()) output = first.filename().string() + ".wkp";
  std::error_code none;
  for (const auto& file : options.files)
    if (std::filesystem::equivalent(output, file, none))
      return fail(kWrong, output.string() + ": found the input as output, expected another name (-o)");
  return follow(*log, {"import", "a log of strace: " + first.filename().string(), output, options.process,
                       options.mirror_records});
}

int record_command(const RecordOptions& options) {
  const ScratchFolder scratch;
  if (scratch.path().empty()) return fail(kLacking, "record: no folder for the log could be made (TMPDIR names where)");
  const std::filesystem::path name = std::filesystem::path(options.command.front()).filename();
  const std::filesystem::path output = options.output.empty() ? name.string() + ".wkp" : options.output;
  const guest::TracedRun run = guest::run_under_strace(options.command, scratch.path() / "log");
  if (!run.error.empty()) return fail(kLacking, "record: " + run.error);
  std::error_code none;
  const auto bytes = std::filesystem::file_size(scratch.path() / "log", none);
  if (none || bytes == 0) return fail(run.status, "record: nothing was run, and no recording written");
  guest::StraceProblem problem;
  const auto log = guest::read_strace({scratch.path() / "log"}, problem);
  if (!log) return fail(kWrong, "record: " + problem.text());
  const int followed = follow(*log, {"record", "the running kernel, under strace: " + name.string(), output,
                                     options.process, options.mirror_records});
  return followed == kWrong ? followed : run.status;
}

}  // namespace wakepath::cli
