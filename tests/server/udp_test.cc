// Datagrams: with and without a peer, both families.

#include "tests/server/server_fixture.hh"

namespace wakepath::server {
namespace {

class UdpTest : public BothPollers {
 protected:
  static os::SocketAddress loopback(const char* address) { return *os::SocketAddress::parse(address, 0); }
  /// The next datagram.
  Message datagram() { return poll(MessageType::udp); }
};
INSTANTIATE_TEST_SUITE_P(Pollers, UdpTest, both_pollers(), poller_name);

TEST_P(UdpTest, ADatagramComesWithItsSenderAndCanBeAnswered) {
  SocketServer& server = open();
  const Opened here = server.udp(1, os::Endpoint{});
  const Opened there = server.udp(2, os::Endpoint{});
  ASSERT_EQ(here.error, 0);
  EXPECT_NE(here.address.port, 0);
  EXPECT_EQ(server.udp_send(there.id, here.address, "ping"), 0);
  const Message ping = datagram();
  EXPECT_EQ(ping.id, here.id);
  EXPECT_EQ(ping.owner, 1U);
  EXPECT_EQ(ping.data.view(), "ping");
  EXPECT_EQ(ping.peer, there.address);
  EXPECT_EQ(server.udp_send(ping.id, ping.peer, "pong"), 0);
  const Message pong = datagram();
  EXPECT_EQ(pong.id, there.id);
  EXPECT_EQ(pong.data.view(), "pong");
  EXPECT_EQ(server.info(here.id).kind, "udp");
  EXPECT_EQ(server.info(here.id).written, 4U);
}

TEST_P(UdpTest, EachDatagramIsAMessageAlsoTheEmptyOneAndTheLargest) {
  SocketServer& server = open();
  const Opened here = server.udp(1, os::Endpoint{});
  const Opened there = server.udp_dial(2, here.address);
  const std::string largest = pattern(65'507);
  for (const std::string& each : {std::string("a"), std::string(), std::string("bc"), largest})
    EXPECT_EQ(server.send(there.id, each), 0);
  EXPECT_EQ(datagram().data.view(), "a");
  EXPECT_EQ(datagram().data.view(), "");
  EXPECT_EQ(datagram().data.view(), "bc");
  EXPECT_TRUE(datagram().data.view() == largest);
  EXPECT_EQ(server.send(there.id, pattern(65'508)), -EMSGSIZE);
  EXPECT_EQ(server.send(there.id, "goes on"), 0);
  EXPECT_EQ(datagram().data.view(), "goes on");
}

TEST_P(UdpTest, ASocketWithAPeerHearsThePeerAlone) {
  SocketServer& server = open();
  const Opened peer = server.udp(1, os::Endpoint{});
  const Opened stranger = server.udp(1, os::Endpoint{});
  const Opened dialled = server.udp_dial(2, peer.address);
  EXPECT_EQ(server.send(dialled.id, "hello"), 0);
  const os::SocketAddress back = datagram().peer;
  EXPECT_EQ(server.udp_send(stranger.id, back, "not heard"), 0);
  EXPECT_EQ(server.udp_send(peer.id, back, "heard"), 0);
  const Message heard = datagram();
  EXPECT_EQ(heard.id, dialled.id);
  EXPECT_EQ(heard.data.view(), "heard");
}

TEST_P(UdpTest, APeerMayBeGivenLaterAndChanged) {
  SocketServer& server = open();
  const Opened first = server.udp(1, os::Endpoint{});
  const Opened second = server.udp(1, os::Endpoint{});
  const Opened out = server.udp(2, os::Endpoint{});
  EXPECT_EQ(server.send(out.id, "to whom?"), -EDESTADDRREQ);
  for (const Opened& peer : {first, second}) {
    EXPECT_EQ(server.udp_connect(out.id, peer.address), 0);
    EXPECT_EQ(server.send(out.id, "to you"), 0);
    EXPECT_EQ(datagram().id, peer.id);
  }
  EXPECT_EQ(server.info(out.id).address, second.address.to_string());
}

TEST_P(UdpTest, APeerThatIsNotThereIsAnErrorAndTheSocketGoesOn) {
  SocketServer& server = open();
  const Opened gone = server.udp(1, os::Endpoint{});
  server.close(gone.id);
  poll(MessageType::close);
  const Opened out = server.udp_dial(2, gone.address);
  EXPECT_EQ(server.send(out.id, "anybody?"), 0);
  const Message error = poll(MessageType::error);
  EXPECT_EQ(error.id, out.id);
  EXPECT_EQ(error.error, ECONNREFUSED);
  const Opened there = server.udp(1, os::Endpoint{});
  EXPECT_EQ(server.udp_connect(out.id, there.address), 0);
  EXPECT_EQ(server.send(out.id, "found"), 0);
  EXPECT_EQ(datagram().data.view(), "found");
}

TEST_P(UdpTest, ThePauseHoldsDatagramsBack) {
  SocketServer& server = open();
  const Opened here = server.udp(1, os::Endpoint{});
  const Opened there = server.udp_dial(2, here.address);
  server.pause(here.id);
  EXPECT_EQ(server.send(there.id, "held"), 0);
  Message message;
  EXPECT_FALSE(server.try_poll(message));
  server.start(4, here.id);
  message = datagram();
  EXPECT_EQ(message.data.view(), "held");
  EXPECT_EQ(message.owner, 4U);
}

TEST_P(UdpTest, AThousandInARowLeaveOthersTheirTurn) {
  SocketServer& server = open();
  const Opened here = server.udp(1, os::Endpoint{});
  ASSERT_EQ(server.set_option(here.id, SOL_SOCKET, SO_RCVBUF, 4 << 20), 0);
  const Opened quiet = server.udp(1, os::Endpoint{});
  const Opened out = server.udp(2, os::Endpoint{});
  int flood = 0;
  for (; flood < 200; ++flood) EXPECT_EQ(server.udp_send(out.id, here.address, pattern(100)), 0);
  EXPECT_EQ(server.udp_send(out.id, quiet.address, "me too"), 0);
  int before = 0;
  while (datagram().id != quiet.id) ++before;
  EXPECT_LE(before, 128) << "one row, perhaps two";
  while (++before <= flood) datagram();
}

TEST_P(UdpTest, BothFamiliesAndNotMixed) {
  SocketServer& server = open();
  const Opened six = server.udp(1, loopback("::1"));
  if (six.error == -EAFNOSUPPORT || six.error == -EADDRNOTAVAIL) GTEST_SKIP() << "no IPv6 here";
  const Opened four = server.udp(1, os::Endpoint{});
  const Opened out = server.udp_dial(2, six.address);
  EXPECT_EQ(server.send(out.id, "six"), 0);
  const Message message = datagram();
  EXPECT_EQ(message.data.view(), "six");
  EXPECT_EQ(message.peer.family, AF_INET6);
  EXPECT_EQ(server.udp_send(six.id, four.address, "no"), -EAFNOSUPPORT);
  EXPECT_EQ(server.udp_connect(four.id, six.address), -EAFNOSUPPORT);
}

TEST_P(UdpTest, DatagramsThatMustWaitAreSentWholeAndInOrder) {
  SocketServer& server = open();
  const Opened here = server.udp(1, os::Endpoint{});
  const Opened there = server.udp_dial(2, here.address);
  os_.send_script = {-EAGAIN};
  EXPECT_EQ(server.send(there.id, "first"), 0);
  EXPECT_EQ(server.send(there.id, "second"), 0);
  EXPECT_EQ(server.info(there.id).waiting, 11U);
  EXPECT_EQ(datagram().data.view(), "first");
  EXPECT_EQ(datagram().data.view(), "second");
  EXPECT_EQ(server.info(there.id).waiting, 0U);
}

}  // namespace
}  // namespace wakepath::server
