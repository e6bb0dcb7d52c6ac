#include "sim/trace/cursor.hh"

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

TEST(Cursor, GivesTheSameWorldAtEveryPositionForwardAndBack) {
  Trace trace(toy::schema());
  toy::fill(trace, 600, 3);
  Cursor cursor(trace);
  for (Position p = 0; p <= trace.size(); ++p) {
    cursor.seek(p);
    ASSERT_EQ(cursor.world(), world_at(trace, p)) << "forward, position " << p;
  }
  for (Position p = trace.size() + 1; p-- > 0;) {
    cursor.seek(p);
    ASSERT_EQ(cursor.world(), world_at(trace, p)) << "back, position " << p;
  }
}

TEST(Cursor, JumpsAnywhere) {
  Trace trace(toy::schema());
  toy::fill(trace, 3000, 4);
  Cursor cursor(trace);
  std::mt19937 random(5);
  for (int i = 0; i < 300; ++i) {
    Position target = random() % (trace.size() + 1);
    cursor.seek(target);
    ASSERT_EQ(cursor.position(), target);
    ASSERT_EQ(cursor.world(), world_at(trace, target)) << "jump " << i << " to " << target;
  }
}

TEST(Cursor, TakesBeyondTheEndAsTheEndAsItIsNow) {
  Trace trace(toy::schema());
  toy::Toy toy(trace, 6);
  toy.happen_until(50);
  Cursor cursor(trace);
  cursor.seek(~Position{0});
  EXPECT_EQ(cursor.position(), trace.size());
  toy.happen_until(100);
  EXPECT_EQ(cursor.position(), 50u);
  cursor.seek(~Position{0});
  EXPECT_EQ(cursor.world(), world_at(trace, trace.size()));
}

// Calls of several tasks, and returns whose result is too large for a packed record: the stacks are the same from both
// sides.
TEST(Cursor, FindsTheStacksAgainBackward) {
  Trace trace(toy::schema());
  std::vector<std::vector<Position>> open(5);
  std::mt19937 random(9);
  while (trace.size() < 3000) {
    auto task = static_cast<TaskId>(1 + random() % 4);
    if (open[task].size() > random() % 12) {
      trace.append({.kind = RecordKind::kReturn,
                    .field = 1,
                    .task = task,
                    .before = open[task].back(),
                    .after = std::uint64_t{random()} << 20});
      open[task].pop_back();
    } else {
      open[task].push_back(trace.append({.kind = RecordKind::kCall, .field = 1, .task = task}));
    }
  }
  Cursor cursor(trace);
  cursor.seek(trace.size());
  for (Position target = trace.size(); target > 0; target -= std::min<Position>(target, 1 + random() % 300)) {
    cursor.seek(target);
    ASSERT_EQ(cursor.world(), world_at(trace, target)) << "back, position " << target;
  }
}

// Over 300,000 records there are keyframes: the world near, at and between them, taken from the one before or the one
// behind, is still the one from scratch.
TEST(Cursor, StartsFromKeyframesInALongTrace) {
  Trace trace(toy::schema());
  toy::fill(trace, 70000, 8);
  std::uint64_t now = world_at(trace, trace.size()).now_ns();
  for (; trace.size() < 310000; ++now) trace.append({.kind = RecordKind::kClock, .before = now, .after = now + 1});
  Cursor cursor(trace);
  cursor.seek(trace.size());
  const World end = cursor.world();
  for (Position target : {99999u, 100000u, 100001u, 1u, 200000u, 69999u, 290000u, 199999u, 0u, 66000u, 140000u}) {
    cursor.seek(target);
    ASSERT_EQ(cursor.world(), world_at(trace, target)) << "position " << target;
  }
  cursor.seek(trace.size());
  EXPECT_EQ(cursor.world(), end);
}

}  // namespace
}  // namespace wakepath::trace
