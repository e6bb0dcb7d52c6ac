#include "src/bench/server/rounds.hh"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "src/bench/measure.hh"

namespace wakepath::bench {

double median_ratio(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    if (b[i] > 0) ratios.push_back(a[i] / b[i]);
  return median(std::move(ratios));
}

Field::Field(const std::vector<Entry>& entries, std::size_t connections) {
  for (const Entry& entry : entries) {
    auto server = std::make_unique<ServerProcess>(*entry.kind, entry.ways);
    auto load = std::make_unique<LoadProcess>(server->port(), connections);
    checked_ += connections;
    pairs_.push_back({entry.name, std::move(server), std::move(load)});
  }
}

Field::Pair& Field::find(const std::string& name) {
  for (Pair& pair : pairs_)
    if (pair.name == name) return pair;
  throw std::runtime_error("no such server: " + name);
}

Outcome Field::perform(Pair& pair, const Task& task) {
  const Outcome outcome = pair.load->run(task);
  if (outcome.failed) throw std::runtime_error(fmt::format("the server '{}' loses connections or answers", pair.name));
  checked_ += outcome.all;
  wrong_ += outcome.wrong;
  return outcome;
}

Outcome Field::once(const std::string& name, const Task& task) { return perform(find(name), task); }

std::map<std::string, Series> Field::measure(const Task& task, int rounds) {
  std::map<std::string, Series> all;
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < pairs_.size(); ++i) {
      Pair& pair = pairs_[(i + static_cast<std::size_t>(round)) % pairs_.size()];
      const int64_t cpu_before = pair.server->cpu_ns();
      const Outcome outcome = perform(pair, task);
      const int64_t cpu_ns = pair.server->cpu_ns() - cpu_before;
      Series& series = all[pair.name];
      series.per_second.push_back(outcome.per_second());
      series.cpu_ns.push_back(static_cast<double>(cpu_ns) / static_cast<double>(std::max<uint64_t>(outcome.all, 1)));
      series.p50_ns.push_back(outcome.p50_ns);
      series.p99_ns.push_back(outcome.p99_ns);
    }
  }
  return all;
}

}  // namespace wakepath::bench
