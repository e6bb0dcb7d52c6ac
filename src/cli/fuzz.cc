#include "src/proof/fuzz.hh"

#include <unistd.h>

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "src/cli/commands.hh"

namespace wakepath::cli {

namespace {

bool keep(const std::string& folder, const proof::Failure& failure) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  const std::string path = fmt::format("{}/program-{}.yaml", folder, failure.index);
  std::ofstream out(path);
  out << failure.file;
  out.close();
  if (!out) std::fprintf(stderr, "wakepath: cannot write %s\n", path.c_str());
  return static_cast<bool>(out);
}

}  // namespace

int fuzz(const FuzzOptions& options) {
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
  if (report.failures.contains("not run")) return 3;
  if (!written) return 2;
  return proof::all_stand(report) && proof::reaches_enough(wanted, report) ? 0 : 1;
}

}  // namespace wakepath::cli
