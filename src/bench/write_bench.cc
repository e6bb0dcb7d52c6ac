#include "src/bench/write_bench.hh"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "sim/record/field.hh"
#include "sim/trace/file.hh"
#include "src/bench/measure.hh"
#include "src/bench/model_load.hh"
#include "src/bench/scratch.hh"

namespace wakepath::bench {

namespace {

/// Members as a socket has them: a few of them change again and again.
struct Counters {
  record::Field<int> first;
  record::Field<std::uint32_t> second;
  record::Ptr<Counters> third;
  record::Field<bool> fourth;
  std::byte cold[400]{};
  static void describe(record::KindBuilder<Counters>& b) {
    b.field(&Counters::first, "first")
        .field(&Counters::second, "second")
        .field(&Counters::third, "third")
        .field(&Counters::fourth, "fourth");
  }
};

struct Toy {
  static constexpr std::size_t kObjects = 64;
  std::vector<record::Layout> layouts;
  trace::Trace trace;
  record::Recorder recorder;
  record::Arena<Counters> arena{recorder, layouts[0]};
  std::vector<Counters*> objects;

  explicit Toy(bool enabled, trace::Position keep = 0) : trace(make_schema(layouts), keep), recorder(trace, enabled) {
    for (std::size_t i = 0; i < kObjects; ++i) objects.push_back(arena.make());
  }
  static trace::Schema make_schema(std::vector<record::Layout>& layouts) {
    trace::Schema schema;
    schema.symbols = {"NULL"};
    schema.functions = {{"write", {}, "", ""}};
    layouts.push_back(record::describe_kind<Counters>(schema, {"counters", {}, "", ""}));
    return schema;
  }
};

/// Four writes to each of the objects in turn; each changes its member. Going from object to object costs no division:
/// with recording off it would cost more than what is measured.
double ns_of_a_write(Toy& toy, std::size_t rounds) {
  record::Call call(toy.recorder, 0);
  double ns = cpu_ns_of([&] {
    for (std::size_t i = 0; i < rounds; ++i) {
      Counters* c = toy.objects[i % Toy::kObjects];
      c->first = static_cast<int>(i + 1);
      c->second += 3;
      c->third = c->third == nullptr ? toy.objects[0] : nullptr;
      c->fourth = !c->fourth;
    }
  });
  return ns / static_cast<double>(rounds * 4);
}

}  // namespace

WriteCost measure_writes(bool quick) {
  // a round of kept records fits into the chunks that one trace hands to the next
  constexpr std::size_t kRounds = 200'000;
  std::size_t goes = quick ? 5 : 15;
  double fresh = 0;
  {
    Toy first(true);
    fresh = ns_of_a_write(first, kRounds);
  }
  std::vector<double> kept;
  std::vector<double> ring;
  std::vector<double> off;
  for (std::size_t i = 0; i < goes; ++i) {
    {
      Toy on(true);
      kept.push_back(ns_of_a_write(on, kRounds));
      Toy last(true, 100'000);
      (void)ns_of_a_write(last, kRounds);
      ring.push_back(ns_of_a_write(last, kRounds));
    }
    Toy quiet(false);
    off.push_back(ns_of_a_write(quiet, kRounds));
  }
  return {median(kept), fresh, median(ring), median(off)};
}

RecordSize measure_record_size(bool quick) {
  ModelLoad load({.record = true, .open = 10});
  load.connections(quick ? 100 : 1000);
  auto trace = load.kernel().trace();
  Scratch scratch;
  { trace::FileWriter writer(*trace, scratch.folder / "size.wkp"); }
  auto bytes = static_cast<double>(std::filesystem::file_size(scratch.folder / "size.wkp"));
  double wide = 0;
  for (trace::Position p = 0; p < trace->size(); ++p) {
    const trace::Record& record = (*trace)[p];
    wide += trace::PackedRecord::fits(record.before, record.after) ? 0 : 1;
  }
  auto records = static_cast<double>(trace->size());
  return {sizeof(trace::PackedRecord) + sizeof(trace::WideValues) * wide / records, bytes / records};
}

}  // namespace wakepath::bench
