// What is measured, in what order, and held against what.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

#include "src/bench/bench.hh"
#include "src/bench/measure.hh"
#include "src/bench/server/rounds.hh"

namespace wakepath::bench {

namespace {

constexpr int64_t kMs = 1'000'000;
constexpr const char* kRaw = "raw";

/// Must and aim of a ratio; nothing for what the table in README.md does not name.
struct Bounds {
  double must = 0, aim = 0;
};

Bounds speed_bounds(const std::string& kind, std::size_t connections) {
  if (kind == "echo" && connections > 1) return {0.95, 1.0};
  if (kind == "service" && connections == 100) return {0.80, 0.95};
  if (kind == "service" && connections > 100) return {0.78, 0.95};
  if (kind == "lua" && connections > 1) return {0.45, 0.65};
  if (kind == "coroutine" && connections > 1) return {0.30, 0.50};
  return {};
}

double cpu_bound(const std::string& kind, std::size_t connections) {
  if (connections == 1) return 0;
  return kind == "echo" ? 1.07 : kind == "service" ? 1.30 : 0;
}

class ServerBench {
 public:
  explicit ServerBench(const ServerOptions& options) : options_(options) {
    if (options_.connections.empty())
      options_.connections =
          options_.quick ? std::vector<std::size_t>{1, 100} : std::vector<std::size_t>{1, 100, 1000, 10'000};
    choose_kinds();
  }

  Report run() {
    if (wants("echo"))
      for (const std::size_t connections : options_.connections) measure_echo(connections);
    if (wants("short")) measure_short();
    if (wants("large")) measure_large();
    if (wants("paced")) measure_paced();
    if (wants("idle")) measure_idle();
    if (wants("never_read")) measure_never_read();
    if (wants("mirror")) measure_mirror();
    add("replies_checked", "answers compared with what was sent", static_cast<double>(checked_), "");
    add("replies_wrong", "of these, wrong", static_cast<double>(wrong_), "");
    add_notes();
    return std::move(report_);
  }

 private:
  using Results = std::map<std::string, Series>;

  void choose_kinds() {
    for (const Kind& kind : all_kinds()) {
      const bool wanted = options_.kinds.empty() || kind.name == kRaw ||
                          std::find(options_.kinds.begin(), options_.kinds.end(), kind.name) != options_.kinds.end();
      if (wanted && kind.serve == nullptr)
        report_.notes.push_back(fmt::format("{} is missing: install {} and configure again", kind.name, kind.package));
      if (wanted && kind.serve != nullptr) kinds_.push_back(&kind);
    }
  }

  [[nodiscard]] bool wants(const std::string& part) const {
    return options_.parts.empty() ||
           std::find(options_.parts.begin(), options_.parts.end(), part) != options_.parts.end();
  }
  [[nodiscard]] bool has(std::string_view kind) const {
    return std::any_of(kinds_.begin(), kinds_.end(), [&](const Kind* each) { return each->name == kind; });
  }
  [[nodiscard]] int rounds() const { return options_.rounds > 0 ? options_.rounds : options_.quick ? 2 : 7; }
  [[nodiscard]] int64_t duration_ns(int64_t full_ms) const { return options_.quick ? 20 * kMs : full_ms * kMs; }

  void add(std::string key, std::string what, double value, std::string unit, Bounds bounds = {}, bool more = false) {
    report_.figures.push_back({std::move(key), std::move(what), value, std::move(unit), bounds.must, bounds.aim, more});
  }

  [[nodiscard]] std::vector<Field::Entry> entries(bool ours_only = false, ServerProcess::Ways ways = {}) const {
    std::vector<Field::Entry> out;
    for (const Kind* kind : kinds_)
      if (kind->ours || !ours_only) out.push_back({std::string(kind->name), kind, ways});
    return out;
  }

  void count(const Field& field) {
    checked_ += field.checked();
    wrong_ += field.wrong();
  }

  /// Each end of a connection is a descriptor of its process.
  bool fits(std::size_t connections) {
    constexpr std::size_t kOthers = 64;
    if (connections + kOthers <= most_descriptors()) return true;
    report_.notes.push_back(
        fmt::format("{} connections are too many: a process may have {} descriptors", connections, most_descriptors()));
    return false;
  }

  void measure_echo(std::size_t connections) {
    if (!fits(connections)) return;
    options_.progress(fmt::format("opening {} connections to each server", connections));
    Field field(entries(), connections);
    for (const uint32_t depth : options_.depths) {
      options_.progress(fmt::format("64-byte echo, {} connections, depth {}", connections, depth));
      // many connections need some time until each has had several turns
      const Task task{.work = Work::echo, .depth = depth, .duration_ns = duration_ns(connections > 1000 ? 250 : 120)};
      add_echo(field.measure(task, rounds()), connections, depth);
    }
    count(field);
  }

  void add_echo(const Results& results, std::size_t connections, uint32_t depth) {
    const Series& raw = results.at(kRaw);
    for (const auto& entry : entries()) {
      const Series& series = results.at(entry.name);
      const std::string key = fmt::format("{}_{}_depth{}", entry.name, connections, depth);
      const std::string what = fmt::format("{}, {} connections, depth {}", entry.name, connections, depth);
      add(key + "_per_s", what + ": requests a second", median(series.per_second), "/s");
      if (entry.name == kRaw) {
        add(key + "_busy", "  share of the time in which it computes: 1, and nothing else is measured",
            median(series.cpu_ns) * median(series.per_second) / 1e9, "");
      } else {
        add(key + "_vs_raw", "  over raw's", median_ratio(series.per_second, raw.per_second), "x",
            speed_bounds(entry.name, connections), true);
        add(key + "_cpu_vs_raw", "  CPU of a request over raw's", median_ratio(series.cpu_ns, raw.cpu_ns), "x",
            {.must = cpu_bound(entry.name, connections)});
      }
      add(key + "_cpu_us", "  CPU of a request", median(series.cpu_ns) / 1000, "us");
      add(key + "_p50_us", "  p50", median(series.p50_ns) / 1000, "us");
      add(key + "_p99_us", "  p99", median(series.p99_ns) / 1000, "us");
    }
  }

  void measure_short() {
    Field field(entries(), 0);
    options_.progress("sequential short connections");
    const Results one = field.measure({.work = Work::sequential, .duration_ns = duration_ns(150)}, rounds());
    options_.progress("concurrent short connections");
    const Results many =
        field.measure({.work = Work::concurrent, .depth = 100, .duration_ns = duration_ns(150)}, rounds());
    count(field);
    for (const auto& entry : entries()) {
      const bool cxx = entry.name == "echo" || entry.name == "service";
      const auto ratio = [&](const Results& all, auto member) {
        return median_ratio(all.at(entry.name).*member, all.at(kRaw).*member);
      };
      add(entry.name + "_sequential_per_s", entry.name + ", connect, echo, close, one after the other",
          median(one.at(entry.name).per_second), "/s");
      if (entry.name != kRaw) {
        add(entry.name + "_sequential_vs_raw", "  over raw's", ratio(one, &Series::per_second), "x",
            cxx ? Bounds{0.6, 0.9} : Bounds{}, true);
        add(entry.name + "_sequential_p99_vs_raw", "  p99 over raw's", ratio(one, &Series::p99_ns), "x",
            cxx ? Bounds{2.5, 1.5} : Bounds{});
      }
      add(entry.name + "_sequential_p99_us", "  p99", median(one.at(entry.name).p99_ns) / 1000, "us");
      add(entry.name + "_concurrent_per_s", "  a hundred at a time", median(many.at(entry.name).per_second), "/s");
      add(entry.name + "_concurrent_busy", "  share of the time in which it computes",
          median(many.at(entry.name).cpu_ns) * median(many.at(entry.name).per_second) / 1e9, "");
      if (entry.name == kRaw) continue;
      add(entry.name + "_concurrent_vs_raw", "  over raw's", ratio(many, &Series::per_second), "x",
          cxx ? Bounds{0.95, 1.2} : Bounds{}, true);
      add(entry.name + "_concurrent_cpu_vs_raw", "  CPU of a connection over raw's", ratio(many, &Series::cpu_ns), "x");
    }
  }

  void measure_large() {
    options_.progress("messages of 1 MiB, and a small one beside them");
    Field field(entries(), 0);
    const Results all = field.measure({.work = Work::flood, .depth = 4, .duration_ns = duration_ns(250)}, rounds());
    count(field);
    for (const auto& entry : entries()) {
      const bool cxx = entry.name == "echo" || entry.name == "service";
      const Series& series = all.at(entry.name);
      const Series& raw = all.at(kRaw);
      add(entry.name + "_large_per_s", entry.name + ", 1 MiB messages there and back", median(series.per_second), "/s");
      add(entry.name + "_large_busy", "  share of the time in which it computes",
          median(series.cpu_ns) * median(series.per_second) / 1e9, "");
      if (entry.name != kRaw) {
        add(entry.name + "_large_vs_raw", "  over raw's", median_ratio(series.per_second, raw.per_second), "x",
            cxx ? Bounds{1.0, 1.4} : Bounds{}, true);
        add(entry.name + "_large_cpu_vs_raw", "  CPU of a message over raw's", median_ratio(series.cpu_ns, raw.cpu_ns),
            "x");
        add(entry.name + "_small_beside_vs_raw", "  p50 of a small request beside them, over raw's",
            median_ratio(series.p50_ns, raw.p50_ns), "x", cxx ? Bounds{2, 1} : Bounds{});
      }
      add(entry.name + "_small_beside_us", "  p50 of a small request beside them", median(series.p50_ns) / 1000, "us");
    }
  }

  void measure_paced() {
    options_.progress("20,000 requests a second, at fixed times");
    Field field(entries(), 100);
    const Results all =
        field.measure({.work = Work::paced, .per_second = 20'000, .duration_ns = duration_ns(300)}, rounds());
    count(field);
    for (const auto& entry : entries()) {
      const Series& series = all.at(entry.name);
      add(entry.name + "_paced_p50_us", entry.name + ", 20,000 requests a second: p50", median(series.p50_ns) / 1000,
          "us");
      add(entry.name + "_paced_p99_us", "  p99", median(series.p99_ns) / 1000, "us");
      if (entry.name == kRaw) continue;
      const bool cxx = entry.name == "echo" || entry.name == "service";
      add(entry.name + "_paced_p99_vs_raw", "  p99 over raw's", median_ratio(series.p99_ns, all.at(kRaw).p99_ns), "x",
          cxx ? Bounds{1.5, 1.1} : Bounds{});
    }
  }

  /// System calls of a request, wake-ups of nobody's doing, memory of connections that are merely there.
  void measure_idle() {
    options_.progress("idle connections");
    const std::size_t crowd = options_.quick ? 300 : 10'000;
    if (!fits(crowd)) return;
    for (const auto& entry : entries()) {
      ServerProcess server(*entry.kind, {.count_calls = true});
      {
        LoadProcess warm(server.port(), 100);  // what is made once is there by then
        if (entry.kind->ours) add_calls(entry.name, server, warm);
      }
      const uint64_t before = server.private_bytes();
      LoadProcess idle(server.port(), crowd);
      const auto grown = static_cast<double>(server.private_bytes()) - static_cast<double>(before);
      const uint64_t sleeps = server.sleeps();
      usleep(options_.quick ? 100'000 : 1'000'000);
      const double each_second = options_.quick ? 10 : 1;
      add(entry.name + "_idle_bytes", entry.name + ", memory of an idle connection, outside the kernel",
          std::max(0.0, grown / static_cast<double>(crowd)), "B",
          entry.kind->ours && entry.name != "lua" && entry.name != "coroutine" ? Bounds{300, 200} : Bounds{});
      add(entry.name + "_idle_wakeups_per_s", "  wake-ups while nothing happens",
          each_second * static_cast<double>(server.sleeps() - sleeps), "/s",
          entry.kind->ours ? Bounds{0.5, 0.5} : Bounds{});
      checked_ += crowd;
    }
  }

  void add_calls(const std::string& name, const ServerProcess& server, LoadProcess& load) {
    const uint64_t before = server.calls();
    const Outcome outcome = load.run({.work = Work::echo, .depth = 1, .duration_ns = duration_ns(200)});
    if (outcome.failed) throw std::runtime_error(fmt::format("the server '{}' loses answers", name));
    checked_ += outcome.all;
    wrong_ += outcome.wrong;
    add(name + "_calls_per_request", name + ", system calls of a request, 100 connections",
        static_cast<double>(server.calls() - before) / static_cast<double>(outcome.all), "", {2.2, 2.0});
  }

  void measure_never_read() {
    options_.progress("clients that never read");
    for (const auto& entry : entries()) {
      ServerProcess server(*entry.kind);
      LoadProcess load(server.port(), 1);
      const uint64_t before = server.peak_bytes();
      const Outcome outcome = load.run({.work = Work::never_read, .duration_ns = duration_ns(1000)});
      const double grown = static_cast<double>(server.peak_bytes() - before) / 1e6;
      // what a write buffer may hold (64 MiB), what the pool of buffers keeps, and a script's garbage
      add(entry.name + "_never_read_mb", entry.name + ", peak memory for a client that never reads", grown, "MB",
          entry.kind->ours ? Bounds{100, 0} : Bounds{});
      add(entry.name + "_never_read_sent_mb", "  which it could send", static_cast<double>(outcome.bytes) / 1e6, "MB");
    }
  }

  void measure_mirror() {
    if (!has("service")) return;
    options_.progress("the mirror");
    const auto service = std::find_if(kinds_.begin(), kinds_.end(), [](auto* kind) { return kind->name == "service"; });
    Field field({{"off", *service, {}},
                 {"ring", *service, {.mirroring = Mirroring::ring}},
                 {"on", *service, {.mirroring = Mirroring::on}}},
                100);
    const Results all =
        field.measure({.work = Work::echo, .depth = 1, .duration_ns = duration_ns(400)}, std::min(rounds(), 5));
    count(field);
    field.server("on").finish();
    const Shared& shared = field.server("on").shared();
    const auto over_off = [&](const char* name) {
      return median_ratio(all.at(name).per_second, all.at("off").per_second);
    };
    add("mirror_off_per_s", "service, 100 connections, mirror off", median(all.at("off").per_second), "/s");
    add("mirror_ring_per_s", "  calls recorded, the last kept", median(all.at("ring").per_second), "/s");
    add("mirror_ring_vs_off", "  over off's", over_off("ring"), "x", {0.87, 0.95}, true);
    add("mirror_on_per_s", "  mirror on, every call followed", median(all.at("on").per_second), "/s", {50'000, 100'000},
        true);
    add("mirror_on_vs_off", "  over off's", over_off("on"), "x");
    add("mirror_checked", "  calls checked", static_cast<double>(shared.mirror_checked), "");
    add("mirror_lost", "  calls lost", static_cast<double>(shared.mirror_lost), "");
    add("mirror_divergences", "  divergences", static_cast<double>(shared.mirror_divergences), "");
    if (shared.mirror_divergences > 0) report_.notes.push_back(fmt::format("The mirror: {}", shared.first_divergence));
  }

  void add_notes() {
    const Processors used = processors();
    report_.notes.push_back(
        used.apart() ? fmt::format("All threads of a server on processor {}, its clients' process on processor {}.",
                                   used.server, used.clients)
                     : "One processor for servers and clients: the figures say little.");
    report_.notes.push_back(
        fmt::format("Medians of {} rounds, in which the servers take turns; ratios are of the same "
                    "round. CPU: user and system time of the server.",
                    rounds()));
    report_.notes.push_back(
        "System calls are counted between the server and the machine (Os), waiting and waking of threads included.");
  }

  ServerOptions options_;
  std::vector<const Kind*> kinds_;
  Report report_;
  uint64_t checked_ = 0, wrong_ = 0;
};

}  // namespace

std::vector<std::string> server_kinds() {
  std::vector<std::string> names;
  for (const Kind& kind : all_kinds()) names.emplace_back(kind.name);
  return names;
}

Report bench_server(const ServerOptions& options) { return ServerBench(options).run(); }

}  // namespace wakepath::bench
