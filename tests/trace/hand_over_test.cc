#include "sim/trace/hand_over.hh"

#include <gtest/gtest.h>

namespace wakepath::trace {
namespace {

TEST(HandOver, GivenAndTakenAreTheSame) {
  const auto given = hand_over_of("message 3 data of socket 7 pushed to service 2, 1 waiting");
  const auto taken = hand_over_of("message 3 data of socket 7 taken by service 2");
  ASSERT_TRUE(given && taken);
  EXPECT_TRUE(given->given);
  EXPECT_FALSE(taken->given);
  EXPECT_EQ(given->what, taken->what);
}

TEST(HandOver, EachServiceCountsItsOwnMessages) {
  EXPECT_NE(hand_over_of("message 3 data of socket 7 pushed to service 2, 1 waiting")->what,
            hand_over_of("message 3 data of socket 7 taken by service 12")->what);
}

TEST(HandOver, ACommandGoesThroughThePipe) {
  EXPECT_EQ(hand_over_of("command 4 close for socket 7 goes into the control pipe")->what,
            hand_over_of("command 4 close for socket 7 is executed")->what);
}

TEST(HandOver, OtherWordsAreNone) { EXPECT_FALSE(hand_over_of("slot 1: socket 2 (descriptor 13) invalid -> reserve")); }

TEST(Callback, BeginsOrEndsByName) {
  const std::string_view note = "callback on_accept of service 1 ends, socket 3";
  EXPECT_TRUE(tells_of_callback(note, kEnds));
  EXPECT_TRUE(tells_of_callback(note, kEnds, "on_accept"));
  EXPECT_FALSE(tells_of_callback(note, kEnds, "on_acc"));
  EXPECT_FALSE(tells_of_callback(note, kBegins));
  EXPECT_FALSE(tells_of_callback("service 1: echo begins", kBegins));
}

}  // namespace
}  // namespace wakepath::trace
