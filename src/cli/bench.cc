#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <iterator>
#include <stdexcept>

#include "src/bench/bench.hh"
#include "src/cli/commands.hh"

namespace wakepath::cli {

namespace {

using Progress = std::function<void(const std::string&)>;

bench::Report measure(const BenchOptions& options, const Progress& progress) {
  if (options.subject == "server")
    return bench::bench_server({.quick = options.quick,
                                .rounds = options.rounds,
                                .kinds = options.kinds,
                                .connections = options.connections,
                                .depths = options.depths,
                                .parts = options.parts,
                                .progress = progress});
  const bench::Options asked{
      .quick = options.quick, .endpoints = options.endpoints, .records = options.records, .progress = progress};
  return options.subject == "sim" ? bench::bench_sim(asked) : bench::bench_trace(asked);
}

}  // namespace

std::vector<std::string> bench_kinds() { return bench::server_kinds(); }
std::vector<std::string> bench_parts() { return {std::begin(bench::kServerParts), std::end(bench::kServerParts)}; }

int bench(const BenchOptions& options) {
  const bool show = isatty(STDERR_FILENO) != 0;
  Progress progress = [](const std::string&) {};
  if (show)
    progress = [](const std::string& what) {
      fmt::print(stderr, "\r\033[K{}", what);
      std::fflush(stderr);
    };
  try {
    bench::Report report = measure(options, progress);
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
