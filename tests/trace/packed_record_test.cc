// What is appended is read back, whatever its values: those of 32 bits, of 36, and wide ones.
#include "sim/trace/packed_record.hh"

#include <gtest/gtest.h>

#include <vector>

#include "tests/trace/toy.hh"

namespace wakepath::trace {
namespace {

constexpr std::uint64_t kSmallest = ~std::uint64_t{0} - 65'535;        // -65536, the last that fits
constexpr std::uint64_t kLargest = (std::uint64_t{1} << 36) - 65'537;  // the same upward

Record any(std::uint64_t before, std::uint64_t after) {
  return {.kind = RecordKind::kSet,
          .context = Context::kHardirq,
          .field = 0xFEDC,
          .object = 0xFFFFFFFF,
          .task = 0xABCD,
          .site = 0x8001,
          .cause = 0x89ABCDEF,
          .before = before,
          .after = after};
}

TEST(PackedRecord, GivesBackEveryMemberWithValuesOfAnySize) {
  const std::vector<std::uint64_t> values = {0,
                                             1,
                                             0xFFFFFFFF,
                                             0x100000000,
                                             Ref{7, 14}.packed(),
                                             Ref{7, 16}.packed(),
                                             kLargest,
                                             kLargest + 1,
                                             kSmallest - 1,
                                             kSmallest,
                                             ~std::uint64_t{0},
                                             0x8000000000000000};
  Trace trace(toy::schema());
  for (std::uint64_t before : values)
    for (std::uint64_t after : values) trace.append(any(before, after));
  Position p = 0;
  for (std::uint64_t before : values)
    for (std::uint64_t after : values) ASSERT_EQ(trace[p++], any(before, after)) << before << ", " << after;
}

TEST(PackedRecord, NeedsNoMoreThan24BytesForWhatIsUsual) {
  EXPECT_TRUE(PackedRecord::fits(0, ~std::uint64_t{0})) << "-1, and EP_UNACTIVE_PTR";
  EXPECT_TRUE(PackedRecord::fits(Ref{0xFFFFFFFF, 14}.packed(), static_cast<std::uint64_t>(-110)))
      << "part 14, an errno";
  EXPECT_TRUE(PackedRecord::fits(kLargest, kSmallest));
  EXPECT_FALSE(PackedRecord::fits(kLargest + 1, 0));
  EXPECT_FALSE(PackedRecord::fits(0, kSmallest - 1));
}

TEST(PackedRecord, HasRoomForChunksOfWideOnesAlone) {
  Trace trace(toy::schema());
  constexpr Position kCount = 2 * RecordStore::kChunkRecords + 1;
  auto large = [](Position p) { return p << 40 | 5; };
  for (Position p = 0; p < kCount; ++p) trace.append(any(large(p), ~large(p)));
  for (Position p = 0; p < kCount; ++p) ASSERT_EQ(trace[p], any(large(p), ~large(p))) << p;
}

}  // namespace
}  // namespace wakepath::trace
