#include "sim/trace/crc32c.hh"

#include <gtest/gtest.h>

#include <string_view>

using wakepath::trace::crc32c;
using wakepath::trace::crc32c_by_tables;

namespace {

TEST(Crc32c, GivesTheCheckValueOfTheCatalogue) {
  std::string_view digits = "123456789";
  EXPECT_EQ(crc32c(std::as_bytes(std::span(digits))), 0xE3069283u);
}

TEST(Crc32c, GivesTheSameSumInTwoParts) {
  std::string_view text = "a recording cut anywhere opens up to its last whole chunk";
  auto bytes = std::as_bytes(std::span(text));
  EXPECT_EQ(crc32c(bytes.subspan(10), crc32c(bytes.first(10))), crc32c(bytes));
}

TEST(Crc32c, GivesTheSameSumWithAndWithoutTheInstruction) {
  std::string_view text = "chunks of any length, and what is left over";
  auto bytes = std::as_bytes(std::span(text));
  for (std::size_t length = 0; length <= bytes.size(); ++length)
    EXPECT_EQ(crc32c(bytes.first(length), 7), crc32c_by_tables(bytes.first(length), 7)) << length;
}

}  // namespace
