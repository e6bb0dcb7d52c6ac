// The tests' own words: a pattern that no event could ever fit is a mistake, not a zero.
#include <gtest/gtest-spi.h>

#include "tests/kernel/machine.hh"

namespace wakepath::testing_kernel {
namespace {

TEST(Pattern, IsKnownByItsNames) {
  const Machine m;
  const trace::Schema& schema = m.k.trace()->schema();
  EXPECT_EQ(unknown_in(schema, "call tcp_connect > tcp_v4_rcv in tcp_sendmsg > net_rx_action"), "");
  EXPECT_EQ(unknown_in(schema, "set tcp_sock.skc_state SYN_SENT -> ESTABLISHED"), "");
  EXPECT_EQ(unknown_in(schema, "insert eventpoll.wq.head in ep_poll"), "");
  EXPECT_EQ(unknown_in(schema, "wake"), "");
  EXPECT_EQ(unknown_in(schema, "call tcp_connect > tcp_v5_rcv"), "tcp_v5_rcv");
  EXPECT_EQ(unknown_in(schema, "wake in nic_interupt"), "nic_interupt");
  EXPECT_EQ(unknown_in(schema, "insert eventpoll.rdlist"), "eventpoll.rdlist");
  EXPECT_EQ(unknown_in(schema, "free tcp_socket"), "tcp_socket");
  EXPECT_EQ(unknown_in(schema, "calls tcp_connect"), "calls");
}

TEST(Pattern, ThatIsMisspeltFailsTheTestThatCountsIt) {
  static Events nothing;
  static const Machine m;
  nothing.schema = &m.k.trace()->schema();
  EXPECT_EQ(count_of(nothing, "call schedule"), 0u);
  EXPECT_NONFATAL_FAILURE((void)count_of(nothing, "call shedule"), "the model has no such name");
}

}  // namespace
}  // namespace wakepath::testing_kernel
