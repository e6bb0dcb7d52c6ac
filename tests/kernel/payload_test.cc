// The data of segments: shared by clones, and nobody's change is seen by another holder.
#include "sim/kernel/payload.hh"

#include <gtest/gtest.h>

#include <string>

namespace wakepath::kernel {
namespace {

TEST(Payload, IsSharedByItsCopies) {
  Payload original("hello");
  Payload copy = original;
  EXPECT_EQ(copy.view(), "hello");
  EXPECT_EQ(copy.data(), original.data());
}

TEST(Payload, ThatNobodyFilledIsEmptyText) {
  Payload none;
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(none.view(), "");
  EXPECT_TRUE(Payload("").empty());
}

TEST(Payload, GrowsForOneHolderAlone) {
  Payload original("hello");
  Payload copy = original;
  copy.append(", world");
  EXPECT_EQ(original.view(), "hello");
  EXPECT_EQ(copy.view(), "hello, world");
}

TEST(Payload, MayBeAppendedToItself) {
  Payload twice("abc");
  for (int i = 0; i < 4; ++i) twice.append(twice.view());
  std::string expected;
  for (int i = 0; i < 16; ++i) expected += "abc";
  EXPECT_EQ(twice.view(), expected);
}

TEST(Payload, IsCutForOneHolderAlone) {
  Payload original("hello");
  Payload copy = original;
  copy.truncate(2);
  EXPECT_EQ(original.view(), "hello");
  EXPECT_EQ(copy.view(), "he");
  original.truncate(0);
  EXPECT_TRUE(original.empty());
  EXPECT_EQ(copy.view(), "he");
}

TEST(Payload, OutlivesTheOneItWasCopiedFrom) {
  Payload kept;
  {
    Payload original("hello");
    kept = original;
    kept = *&kept;
  }
  EXPECT_EQ(kept.view(), "hello");
}

}  // namespace
}  // namespace wakepath::kernel
