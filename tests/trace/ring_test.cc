// A trace as a ring: the last records are kept, the floor rises, and whoever asks for what is below it is told so.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "sim/trace/cursor.hh"
#include "sim/trace/density.hh"
#include "sim/trace/file.hh"
#include "sim/trace/versions.hh"
#include "tests/temporary_folder.hh"
#include "tests/trace/toy.hh"

namespace wakepath::trace {
namespace {

constexpr Position kKeep = 150'000;
constexpr Position kRecords = 700'000;

void tick(Trace& trace, std::uint64_t& now) {
  trace.append({.kind = RecordKind::kClock, .before = now, .after = now + 1});
  ++now;
}

TEST(Ring, KeepsTheLastRecordsAndPublishesItsFloor) {
  Trace ring(toy::schema(), kKeep);
  std::uint64_t now = 0;
  Position floor = 0;
  while (ring.size() < kRecords) {
    tick(ring, now);
    ASSERT_GE(ring.floor(), floor) << "it only rises";
    floor = ring.floor();
    ASSERT_GE(ring.size() - floor, std::min(ring.size(), kKeep));
    ASSERT_LT(ring.size() - floor, kKeep + 3 * RecordStore::kChunkRecords);
  }
  EXPECT_GT(floor, 0u);
  for (Position p = floor; p < ring.size(); ++p) ASSERT_EQ(ring[p].before, p);
}

TEST(Ring, KeepsEverythingUntilItIsFull) {
  Trace ring(toy::schema(), kKeep);
  toy::fill(ring, 100'000, 61);
  EXPECT_EQ(ring.floor(), 0u);
  Trace whole(toy::schema());
  toy::fill(whole, 100'000, 61);
  for (Position p = 0; p < whole.size(); ++p) ASSERT_EQ(ring[p], whole[p]);
}

TEST(Ring, ACursorThatFollowsGoesBackToTheFloorAndNoFurther) {
  Trace ring(toy::schema(), kKeep);
  Trace whole(toy::schema());
  toy::Toy writer(ring, 62);
  toy::Toy witness(whole, 62);
  Cursor cursor(ring);
  for (Position end = 50'000; end <= 450'000; end += 50'000) {
    writer.happen_until(end);
    ASSERT_TRUE(cursor.seek(end));
  }
  witness.happen_until(450'000);
  Cursor truth(whole);
  Position floor = ring.floor();
  ASSERT_GT(floor, 0u);
  for (Position target : {floor, floor + 1, floor + 70'000, ring.size(), floor + 100'001}) {
    ASSERT_TRUE(cursor.seek(target)) << target;
    truth.seek(target);
    ASSERT_EQ(cursor.world(), truth.world()) << target;
  }
  Position stays = cursor.position();
  EXPECT_FALSE(cursor.seek(floor - 1)) << "no longer kept";
  EXPECT_EQ(cursor.position(), stays);
}

TEST(Ring, ACursorThatFellBehindIsToldSo) {
  Trace ring(toy::schema(), kKeep);
  Cursor idle(ring);
  std::uint64_t now = 0;
  while (ring.size() < kRecords) tick(ring, now);
  EXPECT_FALSE(idle.seek(ring.size()));
  Cursor late(ring);
  EXPECT_FALSE(late.seek(ring.size()));
}

TEST(Ring, ARecordingThatLostItsBeginningIsAnError) {
  Trace ring(toy::schema(), kKeep);
  std::uint64_t now = 0;
  while (ring.size() < kRecords) tick(ring, now);
  test::TemporaryFolder folder;
  FileWriter writer(ring, folder / "ring.wkp");
  writer.flush();
  EXPECT_NE(writer.error().find("no longer kept"), std::string::npos) << writer.error();
}

// What a reader sees inside a reading stays as it is, whatever the writer does meanwhile. (Run under tsan, too.)
TEST(Ring, IsReadWhileItIsWritten) {
  Trace ring(toy::schema(), kKeep);
  std::thread writer([&] {
    std::uint64_t now = 0;
    while (ring.size() < kRecords) tick(ring, now);
  });
  Position wrong = 0;
  for (Position seen = 0; seen < kRecords;) {
    RecordStore::Reading reading = ring.reading();
    Position floor = ring.floor();
    seen = ring.size();
    for (Position p = floor; p < seen; p += 97) wrong += ring[p].before != p ? 1 : 0;
  }
  writer.join();
  EXPECT_EQ(wrong, 0u);
}

TEST(Ring, SideIndexesAnswerForWhatTheySaw) {
  Trace ring(toy::schema(), kKeep);
  toy::Toy toy(ring, 63);
  Versions versions(ring);
  Density density(ring);
  for (Position end = 50'000; end <= 400'000; end += 50'000) {
    toy.happen_until(end);
    versions.update();
    density.update();
  }
  EXPECT_EQ(versions.seen(), ring.size());
  for (Position p = ring.floor(); p < ring.size(); p += 1001) {
    const Record& r = ring[p];
    if (r.kind != RecordKind::kSet) continue;
    EXPECT_EQ(versions.last_change(r.object, r.field, p + 1), p);
  }
  Counts all = density.between(0, ring.size());
  Position sum = 0;
  for (std::uint64_t count : all) sum += count;
  EXPECT_EQ(sum, ring.size());
}

}  // namespace
}  // namespace wakepath::trace
