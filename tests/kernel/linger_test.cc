// A task is killed while its close() lingers: nothing of it is lost, and nothing stays.
#include <algorithm>
#include <vector>

#include "sim/check/check.hh"
#include "tests/kernel/machine.hh"

namespace wakepath::testing_kernel {
namespace {

using namespace kernel;  // NOLINT

class KilledWhileItLingers : public testing::TestWithParam<Profile> {
 protected:
  static Config config() {
    Config config;
    config.profile = GetParam();
    return config;
  }

  /// The server's end (4) of a connection has SO_LINGER and more to send than the client (3) has room for.
  KilledWhileItLingers() {
    m.listen();
    EXPECT_EQ(m.connect(), 0);
    EXPECT_EQ(m.accept(), 4);
    EXPECT_EQ(m.call(m.server, sys_setsockopt(m.k, 4, SOL_SOCKET, SO_LINGER, {1, 9})), 0);
    for (long more = 1; more > 0; sent += more) more = std::max(m.send(m.server, 4, std::string(50'000, 'x')), 0L);
    EXPECT_EQ(m.call(m.server, sys_close(m.k, 4)), kBlocked);
    m.k.exit_task(m.server);
  }

  Machine m{config()};
  long sent = 0;
};

TEST(EndlessLinger, IsGivenBackCutToAnInt) {  // the seconds of MAX_SCHEDULE_TIMEOUT; CONFIG_HZ=250
  Machine m;
  m.listen();
  EXPECT_EQ(m.call(m.server, sys_setsockopt(m.k, 3, SOL_SOCKET, SO_LINGER, {1, -1})), 0);
  std::vector<int> value;
  EXPECT_EQ(m.call(m.server, sys_getsockopt(m.k, 3, SOL_SOCKET, SO_LINGER, &value)), 0);
  EXPECT_EQ(value, (std::vector<int>{1, -1752346657}));
}

TEST_P(KilledWhileItLingers, TheSocketGoesAndTheConnectionGoesOn) {
  EXPECT_EQ(check::check_invariants(m.k), check::Complaints{});
  EXPECT_EQ(m.k.socket_allocs.live(), 1u) << "the client's";
  std::vector<char> room(1 << 20);
  long received = 0;
  for (int turn = 0; turn < 1000; ++turn) {
    long more = m.call(m.client, sys_recv(m.k, 3, room.data(), room.size(), MSG_DONTWAIT));
    if (more == 0) break;
    if (more > 0) received += more;
    if (more < 0) m.wait_ms(100);
  }
  EXPECT_EQ(received, sent) << "all that was sent, then the end";
}

TEST_P(KilledWhileItLingers, NothingIsLeftWhenThePeerIsGoneToo) {
  m.k.exit_task(m.client);
  m.wait_ms(120'000);
  EXPECT_EQ(check::check_all_freed(m.k), check::Complaints{});
}

INSTANTIATE_TEST_SUITE_P(Linger, KilledWhileItLingers, testing::Values(Profile::v6_18, Profile::v4_19),
                         [](const auto& row) { return row.param == Profile::v6_18 ? "On618" : "On419"; });

}  // namespace
}  // namespace wakepath::testing_kernel
