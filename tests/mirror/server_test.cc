// What the socket-server does beyond the demo, mirrored: edge triggered, sending from many threads, what the model does
// not have.

#include <list>

#include "src/server/echo_service.hh"
#include "src/server/service_loop.hh"
#include "tests/mirror/fixture.hh"

namespace wakepath::mirror {
namespace {

using server::Client;

/// An echo server with options of its own, on a thread, with a mirror behind every call.
class MirroredServer {
 public:
  explicit MirroredServer(const server::SocketServerOptions& options = {}, const server::ListenOptions& listens = {})
      : server_(os_, steps_, options) {
    EXPECT_EQ(server_.open(), 0);
    const server::Opened listening = server_.listen(1, os::Endpoint{}, listens);
    endpoint_ = *listening.address.ipv4();
    server_.start(1, listening.id);
    thread_ = os_.thread_start("server", [this] { loop_.run(); });
  }
  Figures stop() {
    server_.exit();
    os_.thread_join(thread_);
    follower_.catch_up();
    return mirror_.figures();
  }
  os::Endpoint endpoint() const { return endpoint_; }
  server::SocketServer& server() { return server_; }
  os::Os& os() { return os_; }
  Follower& follower() { return follower_; }

 private:
  os::LinuxOs machine_;
  Mirror mirror_;
  os::CallLog log_;
  os::RecordedOs os_{machine_, log_};
  StepLog steps_{log_};
  Follower follower_{log_, mirror_};
  server::SocketServer server_;
  server::EchoService service_{server_, 1};
  server::ServiceLoop loop_{os_, steps_, server_, service_, 1};
  os::Endpoint endpoint_;
  int thread_ = 0;
};

void talk(os::Endpoint endpoint, int clients, int rounds) {
  std::list<Client> all;
  for (int i = 0; i < clients; ++i) all.emplace_back(endpoint);
  for (int round = 0; round < rounds; ++round)
    for (Client& client : all) {
      const std::string words = server::pattern(static_cast<size_t>(1 + round * 97));
      client.send(words);
      EXPECT_EQ(client.receive(words.size()), words);
    }
  for (Client& client : all) client.finish();
  for (Client& client : all) EXPECT_EQ(client.receive_end(), 0);
}

TEST(MirrorServer, AgreesWithTheKernelWhenItIsEdgeTriggered) {
  MirroredServer mirrored({.poller = server::PollerKind::epoll_edge});
  talk(mirrored.endpoint(), 5, 6);
  const Figures figures = mirrored.stop();
  expect_agreement(figures);
  EXPECT_GT(figures.checked, 100U);
}

TEST(MirrorServer, AgreesWithTheKernelWhenItIsTurnedOffAndOnAndEdgesWereToldBefore) {
  MirroredServer mirrored({.poller = server::PollerKind::epoll_edge}, {.starts_accepted = true});
  Client stays(mirrored.endpoint());
  for (int turn = 0; turn < 4; ++turn) {
    mirrored.follower().turn(turn % 2 != 0);
    for (int i = 0; i < 5; ++i) {
      const std::string words = server::pattern(static_cast<size_t>(1 + i * 97));
      stays.send(words);
      EXPECT_EQ(stays.receive(words.size()), words);
    }
    talk(mirrored.endpoint(), 3, 3);
  }
  expect_agreement(mirrored.stop());
}

TEST(MirrorServer, AgreesWithTheKernelWhenConnectionsAreAcceptedInRowsAndStartedAtOnce) {
  MirroredServer mirrored({}, {.backlog = 128, .starts_accepted = true, .nodelay = true});
  talk(mirrored.endpoint(), 40, 2);
  expect_agreement(mirrored.stop());
}

TEST(MirrorServer, TellsPeersOfOnePortOnSeveralAddressesApart) {
  MirroredServer mirrored({}, {.starts_accepted = true});
  std::list<Client> clients;
  uint16_t port = 0;
  for (const uint32_t ip : {0x7F000001U, 0x7F000002U, 0x7F000003U}) {
    clients.emplace_back();
    clients.back().bind({.address = ip, .port = port});
    ASSERT_EQ(clients.back().connect(mirrored.endpoint()), 0);
    port = clients.back().bound_to().port;
  }
  for (Client& client : clients) {
    client.send("hello");
    EXPECT_EQ(client.receive(5), "hello");
  }
  clients.clear();
  expect_agreement(mirrored.stop());
}

TEST(MirrorServer, KeepsTheOrderOfWhatManyThreadsSend) {
  MirroredServer mirrored({}, {.starts_accepted = true});
  std::list<Client> clients;
  for (int i = 0; i < 3; ++i) {
    clients.emplace_back(mirrored.endpoint());
    clients.back().send("hello");
    EXPECT_EQ(clients.back().receive(5), "hello");
  }
  std::vector<server::SocketId> ids;
  for (const server::SocketInfo& info : mirrored.server().info())
    if (info.state == server::SlotState::connected) ids.push_back(info.id);
  ASSERT_EQ(ids.size(), 3U);
  std::vector<int> senders;
  for (int i = 0; i < 3; ++i)
    senders.push_back(mirrored.os().thread_start("sender", [&] {
      for (int n = 0; n < 40; ++n)
        for (server::SocketId id : ids) EXPECT_EQ(mirrored.server().send(id, "tick"), 0);
    }));
  for (Client& client : clients) EXPECT_EQ(client.receive(3 * 40 * 4).size(), 480U);
  for (int sender : senders) EXPECT_EQ(mirrored.os().thread_join(sender), 0);
  const Figures figures = mirrored.stop();
  EXPECT_EQ(figures.divergences, 0U) << in_words(figures);
  EXPECT_EQ(figures.lost, 0U) << in_words(figures);
  EXPECT_GE(figures.checked, 360U) << in_words(figures);
}

/// A UDP socket of another program.
class Outsider {
 public:
  Outsider() : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    const timeval limit{.tv_sec = 10, .tv_usec = 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    const sockaddr_in own = os::Endpoint{.address = INADDR_LOOPBACK}.to_sockaddr();
    EXPECT_EQ(::bind(fd_, reinterpret_cast<const sockaddr*>(&own), sizeof own), 0);
  }
  ~Outsider() { ::close(fd_); }
  Outsider(const Outsider&) = delete;
  Outsider& operator=(const Outsider&) = delete;
  os::Endpoint address() const {
    sockaddr_in own{};
    socklen_t size = sizeof own;
    getsockname(fd_, reinterpret_cast<sockaddr*>(&own), &size);
    return os::Endpoint::from_sockaddr(own);
  }
  void send(os::Endpoint to, const std::string& words) {
    const sockaddr_in there = to.to_sockaddr();
    ::sendto(fd_, words.data(), words.size(), 0, reinterpret_cast<const sockaddr*>(&there), sizeof there);
  }
  /// The next datagram, and who has sent it.
  std::pair<std::string, os::Endpoint> receive() {
    std::string words(65536, 'x');
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const ssize_t got = ::recvfrom(fd_, words.data(), words.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
    words.resize(got > 0 ? static_cast<size_t>(got) : 0);
    return {words, os::Endpoint::from_sockaddr(from)};
  }

 private:
  int fd_;
};

TEST(MirrorServer, FollowsDatagramsOfProgramsOutside) {
  MirroredServer mirrored;
  const server::Opened here = mirrored.server().udp(1, os::Endpoint{.address = INADDR_LOOPBACK});
  ASSERT_EQ(here.error, 0);
  Outsider first, second;
  for (int round = 0; round < 40; ++round) {
    const std::string words = server::pattern(static_cast<size_t>(1 + round * 37));
    first.send(*here.address.ipv4(), words);
    second.send(*here.address.ipv4(), words + "!");
    EXPECT_EQ(second.receive().first, words + "!");
    EXPECT_EQ(first.receive().first, words);
  }
  const Figures figures = mirrored.stop();
  expect_agreement(figures);
  EXPECT_EQ(figures.unchecked, 0U) << in_words(figures);
  EXPECT_EQ(figures.injected, 80U) << in_words(figures);
}

TEST(MirrorServer, FollowsAConnectedDatagramSocketAndARefusal) {
  MirroredServer mirrored;
  Outsider outside;
  server::SocketServer& server = mirrored.server();
  const server::Opened dialled = server.udp_dial(1, os::SocketAddress(outside.address()));
  ASSERT_EQ(dialled.error, 0);
  EXPECT_EQ(server.send(dialled.id, "hello"), 0);
  os::Endpoint dialler;
  for (int round = 0; round < 20; ++round) {
    const auto [words, from] = outside.receive();
    EXPECT_EQ(words, round == 0 ? "hello" : "and again");
    dialler = from;
    outside.send(from, "and again");
  }
  os::Endpoint nobody;
  {
    const Outsider gone;
    nobody = gone.address();
  }
  const server::Opened refused = server.udp_dial(1, os::SocketAddress(nobody));
  EXPECT_EQ(server.send(refused.id, "is anybody there?"), 0);
  EXPECT_EQ(outside.receive().first, "and again");
  outside.send(dialler, "after the refusal");  // which the server's thread has read by the time that it answers
  EXPECT_EQ(outside.receive().first, "after the refusal");
  const Figures figures = mirrored.stop();
  expect_agreement(figures);
  EXPECT_EQ(figures.injected, 22U) << "twenty-one datagrams and a refusal\n" << in_words(figures);
}

TEST(MirrorServer, FollowsDatagramsInsideAndSaysOfForeignDescriptorsThatTheyAreNotChecked) {
  MirroredServer mirrored;
  server::SocketServer& server = mirrored.server();
  const server::Opened here = server.udp(1, os::Endpoint{});
  const server::Opened there = server.udp_dial(1, here.address);
  int fds[2];
  ASSERT_EQ(pipe2(fds, O_CLOEXEC), 0);
  const server::Opened bound = server.bind(1, fds[0]);
  EXPECT_EQ(server.send(there.id, "to itself"), 0);  // both echo, for ever
  ASSERT_EQ(::write(fds[1], "x", 1), 1);
  talk(mirrored.endpoint(), 3, 5);
  server.close(bound.id);
  const Figures figures = mirrored.stop();
  EXPECT_EQ(figures.divergences, 0U) << in_words(figures);
  EXPECT_GT(figures.checked, 50U) << in_words(figures);
  EXPECT_GT(figures.reasons.at("a descriptor that the model does not have"), 5U) << in_words(figures);
  for (int fd : fds) ::close(fd);
}

}  // namespace
}  // namespace wakepath::mirror
