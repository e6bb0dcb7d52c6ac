// Segments that no connection is waiting for, as a stranger may send them: how often they are answered.
// net.ipv4.tcp_invalid_ratelimit and tcp_challenge_ack_limit; the former beside the running kernel:
// scenario_views_test.
#include "sim/check/check.hh"
#include "sim/kernel/ip.hh"
#include "sim/kernel/tcp.hh"
#include "tests/kernel/machine.hh"

namespace wakepath::testing_kernel {
namespace {

using namespace kernel;  // NOLINT

/// A connection whose server end gets segments from somebody who guesses.
class Stranger {
 public:
  explicit Stranger(const Config& config = {}) : m(config) {
    m.listen();
    EXPECT_EQ(m.connect(), 0);
    EXPECT_EQ(m.accept(), 4);
    m.k.tcp_socks.for_each([&](const tcp_sock& tp) {
      const sock& sk = tp.inet_conn.icsk_inet.sk;
      if (sk.common.skc_state == TcpState::ESTABLISHED && sk.common.skc_num == kPort) victim = &tp;
    });
  }
  ~Stranger() { EXPECT_EQ(check::check_invariants(m.k), check::Complaints{}); }

  /// How many ACKs a segment that stands `offset` beyond what is expected brings.
  std::size_t answers(tcp_flags flags, u32 offset) {
    const sock_common& c = victim->inet_conn.icsk_inet.sk.common;
    const trace::Position from = m.k.trace()->size();
    ip_send_unicast_reply(
        m.k, {{kLocalhost, c.skc_dport}, {kLocalhost, kPort}, victim->rcv_nxt + offset, victim->snd_nxt, 65535, flags});
    m.k.run_until_idle();
    return count_of(events_of(*m.k.trace(), {from, m.k.trace()->size()}), "call __tcp_send_ack");
  }

  Machine m;
  const tcp_sock* victim = nullptr;
};

constexpr u32 kFar = 10'000'000;  // beyond any window
constexpr u32 kNear = 100;        // in the window, but not the next

TEST(StraySegments, WithoutDataAreAnsweredTwiceASecondAtMost) {
  Stranger stranger;
  EXPECT_EQ(stranger.answers(TCPHDR_ACK, kFar), 1U);
  EXPECT_EQ(stranger.answers(TCPHDR_ACK, kFar), 0U);
  stranger.m.wait_ms(499);
  EXPECT_EQ(stranger.answers(TCPHDR_ACK, kFar), 0U);
  stranger.m.wait_ms(1);
  EXPECT_EQ(stranger.answers(TCPHDR_ACK, kFar), 1U);
}

TEST(StraySegments, AreAllAnsweredWithoutALimit) {
  Stranger stranger({.tcp_invalid_ratelimit = 0});
  EXPECT_EQ(stranger.answers(TCPHDR_ACK, kFar), 1U);
  EXPECT_EQ(stranger.answers(TCPHDR_ACK, kFar), 1U);
}

TEST(StraySegments, ThatMayBeAGuessedResetShareTheLimit) {
  Stranger stranger;
  EXPECT_EQ(stranger.answers(TCPHDR_RST, kNear), 1U) << "a challenge ACK, RFC 5961";
  EXPECT_EQ(stranger.answers(TCPHDR_SYN, kNear), 0U);
  EXPECT_EQ(stranger.answers(TCPHDR_ACK, kFar), 0U);
}

TEST(StraySegments, GetAsManyChallengeAcksASecondAsTheMachineAllows) {
  Stranger stranger({.tcp_invalid_ratelimit = 0, .tcp_challenge_ack_limit = 2});
  EXPECT_EQ(stranger.answers(TCPHDR_RST, kNear), 1U);
  EXPECT_EQ(stranger.answers(TCPHDR_RST, kNear), 1U);
  EXPECT_EQ(stranger.answers(TCPHDR_RST, kNear), 0U);
  stranger.m.wait_ms(1000);
  EXPECT_EQ(stranger.answers(TCPHDR_RST, kNear), 1U);
}

}  // namespace
}  // namespace wakepath::testing_kernel
