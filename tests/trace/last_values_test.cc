#include "sim/trace/last_values.hh"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <utility>

namespace wakepath::trace {
namespace {

TEST(LastValues, RemembersWithinABlockAndForgetsWithTheNext) {
  LastValues values;
  std::mt19937 random(31);
  for (std::size_t block = 0; block < 40; ++block) {
    values.begin_block();
    std::map<std::pair<ObjectId, FieldId>, std::uint64_t> expected;
    for (std::size_t i = 0; i < 200 * block; ++i) {
      auto object = static_cast<ObjectId>(random() % 4 == 0 ? random() : random() % 300);
      auto field = static_cast<FieldId>(random() % 16 == 0 ? random() : random() % 30);
      std::uint64_t& value = values.of(object, field);
      ASSERT_EQ(value, (expected[{object, field}])) << object << "." << field << " in block " << block;
      value = expected[{object, field}] = random();
    }
  }
}

// The block's number has 16 bits in an entry: what was written 65,536 blocks ago must not come back.
TEST(LastValues, ForgetsThroughManyBlocks) {
  LastValues values;
  for (int block = 0; block < 140'000; ++block) {
    values.begin_block();
    std::uint64_t& value = values.of(1, static_cast<FieldId>(block % 65'535));
    ASSERT_EQ(value, 0u) << block;
    value = 7;
  }
}

}  // namespace
}  // namespace wakepath::trace
