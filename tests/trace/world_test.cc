#include "sim/trace/world.hh"

#include <gtest/gtest.h>

#include <random>

#include "tests/trace/toy.hh"

namespace wakepath::trace {
namespace {

World world_at(const Trace& trace, Position position) {
  World world;
  for (Position p = 0; p < position; ++p) world.apply(trace.schema(), trace[p], p);
  return world;
}

TEST(World, GoesBackThroughExactlyTheWorldsThatItCameThrough) {
  for (std::uint32_t seed = 1; seed <= 8; ++seed) {
    Trace trace(toy::schema());
    toy::fill(trace, 400, seed);
    std::vector<World> forward(1);
    for (Position p = 0; p < trace.size(); ++p) {
      forward.push_back(forward.back());
      forward.back().apply(trace.schema(), trace[p], p);
    }
    World back = forward.back();
    for (Position p = trace.size(); p-- > 0;) {
      back.revert(trace[p]);
      ASSERT_EQ(back, forward[p]) << "seed " << seed << ", back over record " << p << " of kind "
                                  << static_cast<int>(trace[p].kind);
    }
    ASSERT_EQ(back, World{});
  }
}

TEST(World, KeepsListsInOrder) {
  Trace trace(toy::schema());
  toy::Toy toy(trace);
  ObjectId queue = toy.create();
  auto insert = [&](std::uint32_t element, std::uint32_t behind) {
    trace.append(
        {.kind = RecordKind::kListInsert, .field = toy::kQueue, .object = queue, .before = behind, .after = element});
  };
  insert(10, 0);
  insert(30, 10);
  insert(20, 10);
  insert(5, 0);
  trace.append({.kind = RecordKind::kListErase, .field = toy::kQueue, .object = queue, .before = 20, .after = 30});
  World world = world_at(trace, trace.size());
  std::vector<Ref> expected = {{5, 0}, {10, 0}, {20, 0}};
  EXPECT_EQ(world.find(queue)->list(toy::kQueue), expected);
  world.revert(trace[trace.size() - 1]);
  expected.push_back({30, 0});
  EXPECT_EQ(world.find(queue)->list(toy::kQueue), expected);
}

TEST(World, RemembersWhatAFreedObjectWas) {
  Trace trace(toy::schema());
  ObjectId id = toy::Toy(trace).create();
  trace.append({.kind = RecordKind::kSet, .field = toy::kValue, .object = id, .before = 0, .after = 7});
  trace.append({.kind = RecordKind::kDestroy, .field = toy::kNodeKind, .object = id});
  World world = world_at(trace, trace.size());
  EXPECT_EQ(world.find(id), nullptr);
  EXPECT_EQ(value_of(trace, world.objects()[id], "value"), 7u);
  EXPECT_EQ(object_name(trace, world, id), "node#1");
}

TEST(World, TellsWhatTaskIsInsideWhichFunctions) {
  Trace trace(toy::schema());
  toy::Toy toy(trace);
  toy.spawn("server");
  trace.append({.kind = RecordKind::kSyscall, .field = 0, .object = trace.intern("toy()"), .task = 1});
  trace.append({.kind = RecordKind::kCall, .field = 1, .task = 1});
  trace.append({.kind = RecordKind::kCall, .context = Context::kSoftirq, .field = 2, .task = 1});
  World world = world_at(trace, trace.size());
  ASSERT_NE(world.task(1), nullptr);
  EXPECT_EQ(task_name(trace, world, 1), "server");
  ASSERT_EQ(world.task(1)->stack.size(), 2u);
  EXPECT_EQ(world.task(1)->stack[1].context, Context::kSoftirq);
  EXPECT_EQ(world.task(1)->syscall, trace.size() - 2);
  EXPECT_EQ(task_name(trace, world, 0), "idle");
  EXPECT_EQ(task_name(trace, world, 99), "idle");
}

TEST(World, SaysValuesInWords) {
  Trace trace(toy::schema());
  toy::Toy toy(trace);
  ObjectId a = toy.create();
  ObjectId b = toy.create();
  trace.append({.kind = RecordKind::kSet, .field = toy::kState, .object = a, .after = 1});
  trace.append({.kind = RecordKind::kSet, .field = toy::kNext, .object = a, .after = Ref{b, 1}.packed()});
  trace.append({.kind = RecordKind::kListInsert, .field = toy::kQueue, .object = a, .after = b});
  World world = world_at(trace, trace.size());
  const Object& object = *world.find(a);
  EXPECT_EQ(field_text(trace, world, object, toy::kState), "BUSY");
  EXPECT_EQ(field_text(trace, world, object, toy::kNext), "node#2.part.link");
  EXPECT_EQ(field_text(trace, world, object, toy::kQueue), "[node#2]");
  FieldInfo pointer{"next", 0, FieldType::kPointer, 0};
  EXPECT_EQ(value_text(trace, world, pointer, 0), "NULL");
  EXPECT_EQ(value_text(trace, world, pointer, kUnactivePointer), "EP_UNACTIVE_PTR");
  EXPECT_EQ(value_text(trace, world, {"ip", 0, FieldType::kIpv4, 0}, 0x7F000001), "127.0.0.1");
  EXPECT_EQ(value_text(trace, world, {"sym", 0, FieldType::kSymbol, 0}, 1), "toy_symbol");
  EXPECT_EQ(value_text(trace, world, {"n", 0, FieldType::kSigned, 0}, static_cast<std::uint64_t>(-1)), "-1");
}

TEST(World, NamesAMemberByItsStructureWhereItsOwnNameSaysNothing) {
  Kind kind{"sock",
            Layer::kTcp,
            false,
            "",
            "",
            {{"sock", ""}, {"sk_buff_head", "sk.sk_receive_queue"}},
            {{"sk_state", 0, FieldType::kUnsigned}, {"list", 1, FieldType::kList}, {"len", 1, FieldType::kUnsigned}}};
  EXPECT_EQ(member_name(kind, 0), "sk_state");
  EXPECT_EQ(member_name(kind, 1), "sk_receive_queue.list");
  EXPECT_EQ(member_name(kind, 2), "len");
}

// A file that was damaged on purpose passes its checksums: whatever stands in it must not lead out of bounds.
TEST(World, SurvivesRecordsThatMakeNoSense) {
  std::mt19937 random(7);
  auto small = [&] { return static_cast<std::uint32_t>(random() % 12); };
  for (int round = 0; round < 200; ++round) {
    Trace trace(toy::schema());
    for (int i = 0; i < 200; ++i)
      trace.append({.kind = static_cast<RecordKind>(random() % 24),
                    .context = static_cast<Context>(random() % 4),
                    .field = static_cast<std::uint16_t>(small()),
                    .object = small(),
                    .task = static_cast<TaskId>(small()),
                    .before = small(),
                    .after = small()});
    World world = world_at(trace, trace.size());
    for (const Object& object : world.objects()) {
      (void)object_name(trace, world, object.id);
      (void)ref_name(trace, world, {object.id, 3});
      (void)value_of(trace, object, "value");
      for (FieldId f = 0; f < trace.schema().kinds[object.kind].fields.size(); ++f)
        (void)field_text(trace, world, object, f);
    }
    for (const Task& task : world.tasks()) (void)task_name(trace, world, task.id);
    for (Position p = trace.size(); p-- > 0;) world.revert(trace[p]);
    ASSERT_LE(world.tasks().size(), 16u);
  }
}

}  // namespace
}  // namespace wakepath::trace
