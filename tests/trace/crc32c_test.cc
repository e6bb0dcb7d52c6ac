#include "sim/trace/crc32c.hh"

#include <gtest/gtest.h>

#include <string_view>

using wakepath::trace::crc32c;

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

}  // namespace
