// Clients that the mirror does not see: they talk to the kernel past Os, as another program would.

#include <thread>
#include <vector>

#include "tests/mirror/fixture.hh"

namespace wakepath::mirror {
namespace {

using server::Client;
using server::pattern;

class MirrorOutside : public server::DescriptorsStay {};

TEST_F(MirrorOutside, AConversationIsFollowedFromEvidence) {
  Mirrored server;
  {
    Client client(server.endpoint());
    for (const char* line : {"hello\n", "and again\n", "a third line, longer than the others were\n"}) {
      client.send(line);
      EXPECT_EQ(client.receive(std::string(line).size()), line);
    }
    client.finish();
    EXPECT_EQ(client.receive_end(), 0);
  }
  const Figures figures = server.stop();
  expect_agreement(figures);
  EXPECT_GE(figures.injected, 5U) << "a connect, three messages, a FIN\n" << in_words(figures);
}

TEST_F(MirrorOutside, SeveralConnectionsAtOnce) {
  Mirrored server;
  std::vector<std::thread> talkers;
  for (int who = 0; who < 6; ++who)
    talkers.emplace_back([&, who] {
      Client client(server.endpoint());
      for (int round = 0; round < 10; ++round) {
        const std::string line = fmt::format("{} says {}\n", who, round);
        client.send(line);
        EXPECT_EQ(client.receive(line.size()), line);
      }
      if (who % 2 != 0) return;
      client.finish();
      EXPECT_EQ(client.receive_end(), 0);
    });
  for (std::thread& talker : talkers) talker.join();
  expect_agreement(server.stop());
}

TEST_F(MirrorOutside, AResetIsFollowed) {
  Mirrored server;
  Client client(server.endpoint());
  client.send("x");
  EXPECT_EQ(client.receive(1), "x");
  client.reset();
  Client another(server.endpoint());  // answered after the reset was seen
  another.send("y");
  EXPECT_EQ(another.receive(1), "y");
  expect_agreement(server.stop());
}

TEST_F(MirrorOutside, ACloseWithoutReadingTheAnswerIsFollowed) {
  Mirrored server;
  for (int round = 0; round < 20; ++round) {
    Client client(server.endpoint());
    client.send("nobody waits for this");
    client.close();
  }
  Client last(server.endpoint());
  last.send("z");
  EXPECT_EQ(last.receive(1), "z");
  expect_agreement(server.stop());
}

TEST_F(MirrorOutside, AFinThatAResetFollowsAtOnceIsToldFromAResetAlone) {
  Mirrored server;
  for (int round = 0; round < 20; ++round) {
    Client client(server.endpoint());
    client.send("abc");
    if (round % 2 == 0) client.finish();
    client.reset();
  }
  Client last(server.endpoint());
  last.send("z");
  EXPECT_EQ(last.receive(1), "z");
  expect_agreement(server.stop());
}

/// The FIN is behind data that nobody reads any more, and the reset behind the FIN: -EPIPE or -ECONNRESET depends on
/// it.
TEST_F(MirrorOutside, ClientsThatVanishWithMuchUnreadAreFollowed) {
  Mirrored server;
  for (const size_t size : {size_t{20'000}, size_t{100'000}, size_t{400'000}}) {
    std::vector<Client> clients;
    for (int who = 0; who < 20; ++who) clients.emplace_back(server.endpoint());
    std::vector<std::thread> senders;
    for (Client& client : clients)
      senders.emplace_back([&client, size] {
        const std::string much = pattern(size);
        ::send(client.fd(), much.data(), much.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        client.close();
      });
    for (std::thread& sender : senders) sender.join();
  }
  Client last(server.endpoint());
  last.send("z");
  EXPECT_EQ(last.receive(1), "z");
  expect_agreement(server.stop());
}

TEST_F(MirrorOutside, OnePortUsedAgainAndAgainIsFollowed) {
  Mirrored server;
  uint16_t port = 0;
  for (int round = 0; round < 60; ++round) {
    Client client;
    const int on = 1;
    setsockopt(client.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const sockaddr_in wanted = os::Endpoint{.port = port}.to_sockaddr();
    ASSERT_EQ(bind(client.fd(), reinterpret_cast<const sockaddr*>(&wanted), sizeof wanted), 0);
    sockaddr_in own{};
    socklen_t size = sizeof own;
    getsockname(client.fd(), reinterpret_cast<sockaddr*>(&own), &size);
    port = os::Endpoint::from_sockaddr(own).port;
    ASSERT_EQ(client.connect(server.endpoint()), 0);
    client.send("q");
    if (round % 3 != 0) {
      EXPECT_EQ(client.receive(1), "q");
    }
    client.reset();
  }
  const Figures figures = server.stop();
  EXPECT_EQ(figures.divergences, 0U) << in_words(figures);
}

TEST_F(MirrorOutside, AConnectToAListenerOutsideIsFollowed) {
  Mirrored server;
  os::Os& beyond = server.machine();
  sockaddr_in address = os::Endpoint{}.to_sockaddr();
  socklen_t size = sizeof address;
  const int listener = beyond.socket(AF_INET, SOCK_STREAM, 0);
  ASSERT_EQ(beyond.bind(listener, reinterpret_cast<const sockaddr*>(&address), size), 0);
  ASSERT_EQ(beyond.listen(listener, 1), 0);
  ASSERT_EQ(beyond.getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const int fd = server.os().socket(AF_INET, SOCK_STREAM, 0);
  ASSERT_EQ(server.os().connect(fd, reinterpret_cast<const sockaddr*>(&address), size), 0);
  const int theirs = beyond.accept4(listener, nullptr, nullptr, 0);
  char buffer[8];
  EXPECT_EQ(server.os().send(fd, "ping", 4, 0), 4);
  EXPECT_EQ(beyond.recv(theirs, buffer, sizeof buffer, 0), 4);
  EXPECT_EQ(beyond.send(theirs, "pong!", 5, 0), 5);
  EXPECT_EQ(server.os().recv(fd, buffer, sizeof buffer, 0), 5);
  EXPECT_EQ(beyond.close(theirs), 0);
  EXPECT_EQ(server.os().recv(fd, buffer, sizeof buffer, 0), 0);
  EXPECT_EQ(server.os().close(fd), 0);
  EXPECT_EQ(beyond.close(listener), 0);
  const Figures figures = server.stop();
  expect_agreement(figures);
  EXPECT_EQ(figures.injected, 5U) << "listen, accept, five bytes, FIN; it has read the ping\n" << in_words(figures);
}

TEST_F(MirrorOutside, ALargeMessageIsFollowed) {
  Mirrored server;
  Client client(server.endpoint());
  const std::string large = pattern(40'000);
  client.send(large);
  EXPECT_EQ(client.receive(large.size()), large);
  expect_agreement(server.stop());
}

TEST_F(MirrorOutside, AFloodOfDataIsSurvived) {
  Mirrored server;
  Client client(server.endpoint());
  const std::string flood = pattern(3'000'000);
  std::thread sender([&] { client.send(flood); });
  EXPECT_EQ(client.receive(flood.size()), flood);
  sender.join();
  client.finish();
  EXPECT_EQ(client.receive_end(), 0);
  EXPECT_EQ(server.demo(), 0);
  const Figures figures = server.stop();
  EXPECT_EQ(figures.lost, 0U) << in_words(figures);
  EXPECT_EQ(figures.divergences, 0U) << in_words(figures);
}

TEST_F(MirrorOutside, APeerThatTalksForLongHasReadItsAnswers) {
  Mirrored server({}, {.services = {{.use = "http"}}});
  Client client(server.endpoint());
  const std::string request = "GET / HTTP/1.1\r\nHost: " + std::string(41, 'x') + "\r\n\r\n";  // read in two pieces
  std::string first;
  for (int round = 0; round < 1600; ++round) {
    client.send(request);
    if (first.empty())
      first = client.receive(109);
    else
      EXPECT_EQ(client.receive(109), first);
  }
  expect_agreement(server.stop());
}

TEST_F(MirrorOutside, InsideAndOutsideTogether) {
  Mirrored server;
  std::thread outside([&] {
    for (int round = 0; round < 30; ++round) {
      Client client(server.endpoint());
      client.send("knock");
      EXPECT_EQ(client.receive(5), "knock");
    }
  });
  EXPECT_EQ(server.demo(), 0);
  outside.join();
  const Figures figures = server.stop();
  EXPECT_EQ(figures.divergences, 0U) << in_words(figures);
}

}  // namespace
}  // namespace wakepath::mirror
