#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <stdexcept>

#include "src/bench/bench.hh"
#include "src/cli/commands.hh"

namespace wakepath::cli {

int bench(const BenchOptions& options) {
  bench::Options asked;
  asked.quick = options.quick;
  asked.endpoints = options.endpoints;
  asked.records = options.records;
  bool show = isatty(STDERR_FILENO) != 0;
  if (show) asked.progress = [](const std::string& what) { fmt::print(stderr, "\r\033[K{}", what); };
  try {
    bench::Report report = options.subject == "sim" ? bench::bench_sim(asked) : bench::bench_trace(asked);
    if (show) fmt::print(stderr, "\r\033[K");
    bool json = options.format == "json";
    fmt::print("{}", json ? bench::as_json(report.figures, report.notes) + "\n"
                          : bench::as_table(report.figures, report.notes));
  } catch (const std::runtime_error& error) {
    fmt::print(stderr, "wakepath bench: {}\n", error.what());
    return 3;
  }
  return 0;
}

}  // namespace wakepath::cli
