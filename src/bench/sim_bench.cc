#include <fmt/format.h>

#include "src/bench/bench.hh"
#include "src/bench/kernel_load.hh"
#include "src/bench/measure.hh"
#include "src/bench/model_load.hh"
#include "src/bench/write_bench.hh"

namespace wakepath::bench {

namespace {

constexpr std::size_t kFew = 10;
constexpr std::size_t kMany = 10'000;

/// CPU µs of one connection, by round, with so many others open.
struct Times {
  std::vector<double> kernel;
  std::vector<double> off;
  std::vector<double> on;
};

/// In the steady state: what ran in between has taken the caches, and the first few connections would pay for that.
template <class Load>
double us_each(Load& load, std::size_t count) {
  load.connections(300);
  return cpu_ns_of([&] { load.connections(count); }) / static_cast<double>(count) / 1000;
}

Times measure_connections(std::size_t open, const Options& options) {
  std::size_t rounds = options.quick ? 3 : 9;
  std::size_t count = options.quick ? 300 : 1500;
  KernelLoad kernel(open);  // first: it forks
  ModelLoad quiet({.record = false, .open = open});
  quiet.connections(12'000);  // until as many leave TIME_WAIT as enter it
  Times times;
  for (std::size_t round = 0; round < rounds; ++round) {
    options.progress(fmt::format("connections beside {} open, round {} of {}", open, round + 1, rounds));
    times.kernel.push_back(us_each(kernel, count));
    times.off.push_back(us_each(quiet, count));
    ModelLoad recorded({.record = true, .open = open});  // a new one: its trace grows by 50 KB a connection
    times.on.push_back(us_each(recorded, count));
  }
  return times;
}

void add_connections(Figures& out, const Times& few, const Times& many) {
  double kernel_few = median(few.kernel);
  double kernel_many = median(many.kernel);
  double off_few = median(few.off);
  double off_many = median(many.off);
  out.push_back({"kernel_us_10", "one connection on the kernel, 10 open", kernel_few, "us"});
  out.push_back({"kernel_us_10000", "the same, 10,000 open", kernel_many, "us"});
  out.push_back({"model_us_off_10", "on the model, recording off, 10 open", off_few, "us"});
  out.push_back({"model_us_off_10000", "the same, 10,000 open", off_many, "us"});
  out.push_back({"model_us_on_10", "on the model, all recorded and kept, 10 open", median(few.on), "us"});
  out.push_back({"model_us_on_10000", "the same, 10,000 open", median(many.on), "us"});
  auto ratio = [&](const char* key, const char* what, double value, double must, double aim) {
    out.push_back({key, what, value, "x", must, aim, true});
  };
  ratio("ratio_off", "connections/s, model : kernel, recording off, 10 open", kernel_few / off_few, 5, 15);
  ratio("ratio_off_10000", "the same, 10,000 open", kernel_many / off_many, 5, 15);
  ratio("ratio_on", "connections/s, model : kernel, all recorded, 10 open", kernel_few / median(few.on), 1, 2);
  ratio("ratio_on_10000", "the same, 10,000 open", kernel_many / median(many.on), 1, 2);
  out.push_back(
      {"cost_ratio_open", "cost with 10,000 open : cost with 10 open, model, off", off_many / off_few, "x", 4, 2.5});
}

}  // namespace

Report bench_sim(const Options& options) {
  // The crowd and the untouched memory first: later the process holds memory that these would use again.
  std::size_t endpoints = options.quick ? std::min<std::size_t>(options.endpoints, 40'000) : options.endpoints;
  options.progress(fmt::format("{} endpoints in one epoll set", endpoints));
  Crowd crowd = measure_crowd(endpoints);
  options.progress("recorded writes");
  WriteCost write = measure_writes(options.quick);
  Times few = measure_connections(kFew, options);
  Times many = measure_connections(kMany, options);

  Report report;
  auto& out = report.figures;
  add_connections(out, few, many);
  Figure& each = out.emplace_back(
      Figure{"endpoint_bytes", "memory of one live endpoint, recording off", crowd.bytes_each, "B", 1024, 600});
  if (options.quick) each.must = each.aim = 0;  // what the process has anyway weighs too much on so few
  out.push_back({"crowd_endpoints", "endpoints in one epoll set", static_cast<double>(endpoints), ""});
  out.push_back({"crowd_mb", "their memory", crowd.bytes_each * static_cast<double>(endpoints) / 1e6, "MB"});
  out.push_back({"crowd_us_each", "making one of them", crowd.ns_each / 1000, "us"});

  out.push_back({"write_ns_kept", "one recorded write, kept", write.kept, "ns", 20, 15});
  out.push_back({"write_ns_fresh", "the same, in memory that nobody has touched yet", write.fresh, "ns"});
  out.push_back({"write_ns_ring", "one recorded write, into a ring", write.ring, "ns", 8, 5});
  out.push_back({"write_ns_off", "one recorded write, recording off", write.off, "ns", 1, 1});
  RecordSize size = measure_record_size(options.quick);
  out.push_back({"record_bytes_memory", "a record in memory", size.memory, "B", 32, 24});
  out.push_back({"record_bytes_file", "a record in a file", size.file, "B", 4, 1.5});
  report.notes = {
      "One connection: connect, accept, 64 bytes there and back, close of both ends; one thread, epoll on both sides.",
      "CPU time of the thread, medians over interleaved rounds. The kernel keeps 4,194 bytes for an endpoint.",
      "A kept write goes into memory that traces before it have used: a process keeps up to 96 MiB of that."};
  if (options.quick)
    report.notes.push_back(
        fmt::format("The memory of one endpoint is not judged with --quick: {} are too few.", endpoints));
  return report;
}

}  // namespace wakepath::bench
