#include "sim/trace/versions.hh"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "sim/trace/cursor.hh"
#include "tests/trace/toy.hh"

namespace wakepath::trace {
namespace {

bool changes_a_field(const Record& r) {
  return r.kind == RecordKind::kSet || r.kind == RecordKind::kListInsert || r.kind == RecordKind::kListErase;
}

/// More than one segment of the index, the last one still growing.
class VersionsOfAToy : public ::testing::Test {
 protected:
  VersionsOfAToy() {
    toy::Toy toy(trace, 51);
    toy.spawn("server");
    toy.happen_until(30'000);
    versions.update();
    toy.happen_until(75'000);
    versions.update();
    for (Position p = 0; p < trace.size(); ++p)
      if (changes_a_field(trace[p])) expected[{trace[p].object, trace[p].field}].push_back(p);
  }
  Trace trace{toy::schema()};
  Versions versions{trace};
  std::map<std::pair<ObjectId, FieldId>, std::vector<Position>> expected;
  std::mt19937 random{52};
};

TEST_F(VersionsOfAToy, HaveEveryChangeOfEveryField) {
  for (const auto& [key, positions] : expected)
    ASSERT_EQ(versions.changes(key.first, key.second, 0, trace.size()), positions)
        << "object " << key.first << " field " << key.second;
  EXPECT_TRUE(versions.changes(999'999, 0, 0, trace.size()).empty());
}

TEST_F(VersionsOfAToy, TellTheLastChangeBeforeAndTheNextFromAnywhere) {
  for (int i = 0; i < 5000; ++i) {
    const auto& [key, positions] = *std::next(expected.begin(), random() % expected.size());
    Position at = random() % (trace.size() + 1);
    auto next = std::lower_bound(positions.begin(), positions.end(), at);
    std::optional<Position> last = next == positions.begin() ? std::nullopt : std::optional(*std::prev(next));
    std::optional<Position> following = next == positions.end() ? std::nullopt : std::optional(*next);
    ASSERT_EQ(versions.last_change(key.first, key.second, at), last) << "before " << at;
    ASSERT_EQ(versions.next_change(key.first, key.second, at), following) << "from " << at;
  }
}

TEST_F(VersionsOfAToy, GiveTheValuesThatTheWorldHas) {
  Cursor cursor(trace);
  for (Position at : {100u, 29'999u, 30'001u, 65'535u, 65'536u, 74'000u}) {
    cursor.seek(at);
    for (const Object& object : cursor.world().objects()) {
      if (object.kind != toy::kNodeKind || object.id == 0) continue;
      for (FieldId field : {toy::kValue, toy::kNext, toy::kState})
        ASSERT_EQ(versions.value_at(object.id, field, at), object.values[field]) << object.id << " at " << at;
    }
  }
}

}  // namespace
}  // namespace wakepath::trace
