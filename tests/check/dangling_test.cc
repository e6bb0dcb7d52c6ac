// What lives points only to what lives: whenever a system call returns, no freed object can be reached any more.
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "sim/trace/world.hh"
#include "tests/check/random_program.hh"

namespace wakepath::check {
namespace {

constexpr int kCalls = 40;
constexpr std::uint64_t kPrograms = 50;

/// "epitem.ffd.file" of each pointer of a living object to a dead one. Returns how many pointers there are.
int find_dangling(const trace::Schema& schema, const trace::World& world, std::map<std::string, int>& out) {
  int pointers = 0;
  for (const trace::Object& object : world.objects()) {
    if (!object.alive) continue;
    const trace::Kind& kind = schema.kinds[object.kind];
    for (trace::FieldId f = 0; f < kind.fields.size(); ++f) {
      std::uint64_t value = object.values[f];
      bool points = kind.fields[f].type == trace::FieldType::kPointer && value != 0 && value != trace::kUnactivePointer;
      pointers += points ? 1 : 0;
      if (points && world.find(trace::Ref::unpack(value).object) == nullptr)
        ++out[kind.name + "." + kind.fields[f].name];
    }
  }
  return pointers;
}

TEST(Pointers, OfLivingObjectsLeadToLivingObjects) {
  for (std::uint64_t seed = 0; seed < kPrograms; ++seed) {
    RandomProgram program(seed);
    ASSERT_TRUE(program.run(kCalls).empty());
    const trace::Trace& trace = program.trace();
    trace::World world;
    std::map<std::string, int> dangling;
    int looked_at = 0;
    for (trace::Position at = 0; at < trace.size(); ++at) {
      world.apply(trace.schema(), trace[at], at);
      if (trace[at].kind == trace::RecordKind::kSyscallReturn)
        looked_at += find_dangling(trace.schema(), world, dangling);
    }
    EXPECT_GT(looked_at, 100);
    EXPECT_EQ(dangling, (std::map<std::string, int>{})) << "seed " << seed << "\n" << program.text();
  }
}

}  // namespace
}  // namespace wakepath::check
