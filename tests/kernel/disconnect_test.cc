// connect() to AF_UNSPEC ends what a TCP socket was; then it can begin again. Results as measured on Linux 6.18.
#include <poll.h>

#include "sim/check/check.hh"
#include "tests/kernel/machine.hh"

namespace wakepath::testing_kernel {
namespace {

using namespace kernel;  // NOLINT

class Disconnect : public testing::Test {
 protected:
  Disconnect() { m.listen(); }
  ~Disconnect() override { EXPECT_EQ(check::check_invariants(m.k), check::Complaints{}); }

  /// The client's descriptor 3, or another task's.
  long disconnect(task_struct* task, int fd) {
    Address nobody;
    nobody.family = AF_UNSPEC;
    return m.call(task, sys_connect(m.k, fd, nobody));
  }
  long connect_again() { return m.call(m.client, sys_connect(m.k, 3, {kLocalhost, kPort})); }

  Machine m;
};

TEST_F(Disconnect, ResetsTheConnectionAndTheSocketConnectsAgain) {
  ASSERT_EQ(m.connect(), 0);
  ASSERT_EQ(m.accept(), 4);
  EXPECT_EQ(disconnect(m.client, 3), 0);
  EXPECT_EQ(m.recv(m.server, 4), -ECONNRESET);
  EXPECT_EQ(m.recv(m.client, 3), -ECONNRESET) << "the socket's own error, once";
  EXPECT_EQ(m.recv(m.client, 3), -ENOTCONN);
  Address name;
  EXPECT_EQ(m.call(m.client, sys_getsockname(m.k, 3, &name)), 0);
  EXPECT_EQ(name.ip, 0u);
  EXPECT_NE(name.port, 0) << "the number stays visible";
  EXPECT_EQ(connect_again(), 0);
  EXPECT_EQ(m.accept(), 5);
  EXPECT_EQ(m.send(m.client, 3, "abc"), 3);
  EXPECT_EQ(m.recv(m.server, 5), 3);
}

TEST_F(Disconnect, OfAListenerEndsListeningAndKeepsItsPort) {
  ASSERT_EQ(m.connect(), 0);
  EXPECT_EQ(disconnect(m.server, 3), 0);
  EXPECT_EQ(m.accept(), -EINVAL);
  EXPECT_EQ(m.recv(m.client, 3), -ECONNRESET) << "nobody had accepted the connection";
  EXPECT_EQ(m.call(m.server, sys_listen(m.k, 3, 8)), 0);
  ASSERT_EQ(m.call(m.client, sys_socket(m.k, AF_INET, SOCK_STREAM, 0)), 4);
  EXPECT_EQ(m.call(m.client, sys_connect(m.k, 4, {kLocalhost, kPort})), 0) << "at the port that bind() had asked for";
}

TEST_F(Disconnect, OfAFreshSocketDoesNothing) {
  ASSERT_EQ(m.call(m.client, sys_socket(m.k, AF_INET, SOCK_STREAM, 0)), 3);
  EXPECT_EQ(disconnect(m.client, 3), 0);
  EXPECT_EQ(connect_again(), 0);
}

TEST_F(Disconnect, WakesAThreadThatReadsWithEpipe) {
  ASSERT_EQ(m.connect(), 0);
  task_struct* other = m.k.spawn_thread("other", m.client);
  ASSERT_EQ(m.recv(m.client, 3), kBlocked);
  EXPECT_EQ(disconnect(other, 3), 0);
  EXPECT_TRUE(m.client->call_done());
  EXPECT_EQ(m.client->call_result(), -EPIPE);
}

}  // namespace
}  // namespace wakepath::testing_kernel
