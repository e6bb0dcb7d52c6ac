#include "src/proof/fuzz.hh"

#include <unistd.h>

#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <limits>

#include "src/cli/commands.hh"
#include "src/cli/output.hh"
#include "src/cli/stop_signals.hh"

namespace wakepath::cli {

namespace {

constexpr int kInterrupted = 130;  // as a shell tells of a program that SIGINT has ended

bool keep(const std::string& folder, const proof::Failure& failure) {
  const std::string path = fmt::format("{}/program-{}.yaml", folder, failure.index);
  std::ofstream out(path);
  out << failure.file;
  out.close();
  if (!out) std::fprintf(stderr, "wakepath: cannot write %s\n", path.c_str());
  return static_cast<bool>(out);
}

}  // namespace

int fuzz(const FuzzOptions& options) {
  if (options.first > std::numeric_limits<std::uint64_t>::max() - options.count)
    return fail(kWrong, fmt::format("wakepath: --first {}: no {} programs are left from there on", options.first,
                                    options.count));
  if (const std::string problem = no_folder("--out", options.out); !problem.empty())
    return fail(kWrong, "wakepath: " + problem);
  StopSignals stop;
  proof::FuzzOptions wanted;
  wanted.seed = options.seed;
  wanted.first = options.first;
  wanted.count = options.count;
  wanted.calls = options.calls;
  wanted.jobs = options.jobs;
  wanted.mutant = options.mutant;
  wanted.focus = options.focus;
  wanted.shrink_tries = options.shrink;
  const bool terminal = isatty(2) != 0;
  bool written = true;
  proof::FuzzListener listener;
  listener.failed = [&](const proof::Failure& f) {
    fmt::print("program {} {}: {}\n{}", f.index, f.kind, f.fingerprint, f.story);
    if (options.out.empty())
      fmt::print("{}", f.file);
    else
      written = keep(options.out, f) && written;
    std::fflush(stdout);
  };
  listener.progress = [&](const proof::FuzzReport& report) {
    if (terminal) fmt::print(stderr, "\r{} of {}", report.programs, options.count);
  };
  listener.stopped = [&] { return stop.wait(0); };
  proof::FuzzReport report;
  try {
    report = proof::fuzz(wanted, listener);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "wakepath: %s\n", error.what());
    return 3;
  }
  if (terminal) fmt::print(stderr, "\r");
  fmt::print("{}", report.coverage.text());
  for (const std::string& sentence : report.coverage.missing()) fmt::print("not reached: {}\n", sentence);
  for (const auto& [kind, count] : report.failures) fmt::print("{}: {}\n", kind, count);
  if (report.not_judged > 0)
    fmt::print("{}\n", scenario::why_not_judged(scenario::version_table(), scenario::host_kernel()));
  fmt::print("seed {}\nagree {} of {}, explained {}, unsteady {}", options.seed, report.agree, report.programs,
             report.explained, report.unsteady);
  fmt::print("{}\n", report.not_judged > 0 ? fmt::format(", not judged {}", report.not_judged) : "");
  if (report.stopped) fmt::print("stopped: {} of {} programs were run\n", report.programs, options.count);
  if (report.failures.contains("not run")) return 3;
  if (!written) return 2;
  if (report.stopped && proof::all_stand(report)) return kInterrupted;
  return proof::all_stand(report) && proof::reaches_enough(wanted, report) ? 0 : 1;
}

}  // namespace wakepath::cli
