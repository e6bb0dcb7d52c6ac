#include <fmt/format.h>

#include <filesystem>
#include <random>
#include <stdexcept>

#include "sim/trace/cursor.hh"
#include "sim/trace/density.hh"
#include "sim/trace/file.hh"
#include "sim/trace/index.hh"
#include "sim/trace/versions.hh"
#include "src/bench/bench.hh"
#include "src/bench/long_trace.hh"
#include "src/bench/measure.hh"
#include "src/bench/scratch.hh"

namespace wakepath::bench {

namespace {

using trace::Position;

constexpr std::size_t kObjects = 10'000;
constexpr Position kFrame = 10'000;    ///< records that a scrubbing hand passes from one picture to the next
constexpr std::size_t kPixels = 1500;  ///< of a timeline

/// 99th percentile of `count` goes of `work`, in ms of CPU time.
template <class Work>
double p99_ms(std::size_t count, Work work) {
  std::vector<double> times;
  for (std::size_t i = 0; i < count; ++i) times.push_back(cpu_ns_of([&] { work(i); }) / 1e6);
  return percentile(std::move(times), 0.99);
}

double write_file(const std::filesystem::path& path, std::size_t records) {
  trace::Trace trace(long_trace_schema());
  fill_long_trace(trace, records, kObjects);
  trace::FileWriter writer(trace, path);
  writer.close();
  if (!writer.error().empty()) throw std::runtime_error(writer.error());
  return static_cast<double>(std::filesystem::file_size(path)) / static_cast<double>(trace.size());
}

/// What a viewer does first: opens the file, finds a step, goes there and names what is alive.
std::size_t first_picture(const trace::Trace& trace, trace::Index& index, trace::Cursor& cursor, std::uint64_t step) {
  index.update();
  cursor.seek(index.after_step(step).value());
  std::size_t letters = 0;
  for (const trace::Object& object : cursor.world().objects())
    if (object.alive) letters += object_name(trace, cursor.world(), object.id).size();
  return letters;
}

void measure_moving(Figures& out, const trace::Trace& trace, trace::Cursor& cursor, std::size_t goes) {
  std::mt19937_64 random(7);
  cursor.seek(trace.size());
  out.push_back({"seek_ms_p99", "seek to any step, whole state, 99th percentile",
                 p99_ms(goes, [&](std::size_t) { cursor.seek(random() % trace.size()); }), "ms", 5, 1});
  cursor.seek(0);
  out.push_back({"scrub_ms_p99", "scrubbing by 10,000 steps a frame, 99th percentile",
                 p99_ms(goes, [&](std::size_t i) { cursor.seek(i * kFrame % trace.size()); }), "ms", 1, 0.1});
}

void measure_indexes(Figures& out, const trace::Trace& trace, std::size_t goes) {
  std::mt19937_64 random(8);
  trace::Density density(trace);
  double made = cpu_ns_of([&] { density.update(); });
  auto query = [&](std::size_t) {
    Position span = std::max<Position>(1, trace.size() >> (random() % 20));
    Position from = random() % (trace.size() - span + 1);
    (void)density.bins(from, from + span, kPixels);
  };
  out.push_back(
      {"timeline_ms_p99", "timeline at any zoom, 1,500 columns, 99th percentile", p99_ms(goes, query), "ms", 5, 1});
  out.push_back({"timeline_make_s", "making its counts", made / 1e9, "s"});
  trace::Versions versions(trace);
  made = cpu_ns_of([&] { versions.update(); });
  auto when = [&](std::size_t) {
    auto object = static_cast<trace::ObjectId>(1 + random() % kObjects);
    (void)versions.last_change(object, static_cast<trace::FieldId>(random() % 20), random() % trace.size());
  };
  out.push_back({"versions_ms_p99", "when did this change, 99th percentile", p99_ms(goes, when), "ms"});
  out.push_back({"versions_make_s", "making that index", made / 1e9, "s"});
}

}  // namespace

Report bench_trace(const Options& options) {
  Report report;
  auto& out = report.figures;
  std::size_t records = options.quick ? std::min<std::size_t>(options.records, 1'000'000) : options.records;
  std::size_t goes = options.quick ? 300 : 1500;
  Scratch scratch;
  std::filesystem::path path = scratch.folder / "long.wkp";
  options.progress(fmt::format("writing {} records", records));
  double file_bytes = write_file(path, records);
  trim_heap();

  options.progress("opening it");
  std::uint64_t before = resident_bytes();
  std::uint64_t began = thread_cpu_ns();
  trace::OpenedFile opened = trace::open_file(path);
  if (opened.trace == nullptr || !opened.message.empty()) throw std::runtime_error(opened.message);
  auto read_s = static_cast<double>(thread_cpu_ns() - began) / 1e9;
  const trace::Trace& trace = *opened.trace;
  trace::Index index(trace);
  trace::Cursor cursor(trace);
  std::size_t letters = first_picture(trace, index, cursor, records / 20'000);
  auto first_s = static_cast<double>(thread_cpu_ns() - began) / 1e9;
  if (letters == 0) throw std::runtime_error("the picture is empty");
  auto memory = static_cast<double>(resident_bytes() - before) / 1e6;

  out.push_back({"records", "records", static_cast<double>(trace.size()), ""});
  out.push_back({"objects", "objects", static_cast<double>(kObjects), ""});
  out.push_back({"trace_file_bytes", "a record in the file (random values: little repeats)", file_bytes, "B"});
  out.push_back({"open_read_s", "reading the file, CPU", read_s, "s"});
  out.push_back({"open_s", "from opening to the first picture, CPU", first_s, "s", 2, 1});
  out.push_back({"open_mb", "memory then", memory, "MB", 800, 500});
  options.progress("seeking");
  measure_moving(out, trace, cursor, goes);
  out.push_back({"open_end_mb", "memory when every keyframe is made",
                 static_cast<double>(resident_bytes() - before) / 1e6, "MB", 800, 500});
  options.progress("queries");
  measure_indexes(out, trace, goes);
  report.notes = {
      "The first picture is that of the step in the middle; bounds are for 10,000,000 records over 10,000 objects.",
      "CPU time of the thread. Memory is what became resident since before the opening."};
  return report;
}

}  // namespace wakepath::bench
