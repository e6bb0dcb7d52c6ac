#include "sim/trace/codec.hh"

#include <gtest/gtest.h>

#include <random>

#include "tests/trace/toy.hh"

namespace wakepath::trace {
namespace {

void expect_round_trip(const Trace& trace, Position block) {
  RecordCoder coder(trace.schema());
  RecordCoder decoder(trace.schema());
  Trace copy(trace.schema());
  for (Position from = 0; from < trace.size(); from += block) {
    std::string bytes = coder.encode(trace, from, std::min(trace.size(), from + block));
    ASSERT_TRUE(decoder.decode(bytes, copy)) << "block at " << from;
  }
  ASSERT_EQ(copy.size(), trace.size());
  for (Position p = 0; p < trace.size(); ++p) ASSERT_EQ(copy[p], trace[p]) << "record " << p;
}

TEST(RecordCoder, GivesBackAStoryInBlocksOfAnySize) {
  Trace trace(toy::schema());
  toy::fill(trace, 5000, 21);
  for (Position block : {1u, 7u, 1000u, 65536u}) expect_round_trip(trace, block);
}

// Nothing that stands in a record is lost, however little sense it makes: expectations save bytes, they assume nothing.
TEST(RecordCoder, GivesBackRecordsThatMakeNoSense) {
  std::mt19937_64 random(22);
  Trace trace(toy::schema());
  auto any = [&]() -> std::uint64_t {
    switch (random() % 5) {
      case 0:
        return 0;
      case 1:
        return ~std::uint64_t{0};
      case 2:
        return random() % 9;
      default:
        return random() >> (random() % 64);
    }
  };
  for (int i = 0; i < 20000; ++i)
    trace.append({.kind = static_cast<RecordKind>(random() % 32),
                  .context = static_cast<Context>(random() % 4),
                  .field = static_cast<std::uint16_t>(any()),
                  .object = static_cast<std::uint32_t>(any()),
                  .task = static_cast<TaskId>(random() % 40),
                  .site = static_cast<std::uint16_t>(any()),
                  .cause = static_cast<std::uint32_t>(any()),
                  .before = any(),
                  .after = any()});
  expect_round_trip(trace, 4096);
}

TEST(RecordCoder, RefusesABlockThatIsCutOrLengthened) {
  Trace trace(toy::schema());
  toy::fill(trace, 300, 23);
  std::string bytes = RecordCoder(trace.schema()).encode(trace, 0, trace.size());
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    Trace copy(trace.schema());
    ASSERT_FALSE(RecordCoder(trace.schema()).decode(bytes.substr(0, length), copy)) << "cut to " << length;
    ASSERT_EQ(copy.size(), 0u);
  }
  Trace copy(trace.schema());
  EXPECT_FALSE(RecordCoder(trace.schema()).decode(bytes + '\0', copy));
}

TEST(RecordCoder, TakesFewBytesForWhatRepeats) {
  Trace trace(toy::schema());
  for (Position call = 0; trace.size() < 60'000; call = trace.size()) {
    trace.append({.kind = RecordKind::kCall, .field = 1, .object = 7, .task = 1, .site = 3});
    trace.append({.kind = RecordKind::kReturn,
                  .field = 1,
                  .object = 7,
                  .task = 1,
                  .site = 3,
                  .cause = static_cast<std::uint32_t>(call),
                  .before = call});
  }
  std::string bytes = RecordCoder(trace.schema()).encode(trace, 0, trace.size());
  EXPECT_LT(bytes.size(), 11 * trace.size()) << "a byte for each member, before zstd";
}

}  // namespace
}  // namespace wakepath::trace
