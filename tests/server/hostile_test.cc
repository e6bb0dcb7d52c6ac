// Peers that do not behave, and too many of them.

#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>

#include <functional>
#include <list>

#include "src/server/echo_service.hh"
#include "src/server/service_loop.hh"
#include "tests/server/server_fixture.hh"

namespace wakepath::server {
namespace {

class HostileTest : public BothPollers {
 protected:
  /// An echo service on a thread of its own.
  void serve_echo(SocketServerOptions options = {}) {
    options.poller = poller_;
    server_ = std::make_unique<SocketServer>(machine_, probe_, options);
    ASSERT_EQ(server_->open(), 0);
    const Opened listening = server_->listen(kOwner, os::Endpoint{.address = INADDR_ANY}, {.backlog = 4096});
    ASSERT_EQ(listening.error, 0);
    endpoint_ = {.port = listening.address.port};
    service_ = std::make_unique<EchoService>(*server_, kOwner);
    loop_ = std::make_unique<ServiceLoop>(machine_, probe_, *server_, *service_, kOwner);
    server_->start(kOwner, listening.id);
    thread_ = machine_.thread_start("server", [this] { loop_->run(); });
  }
  void stop() {
    if (thread_ == 0) return;
    server_->exit();
    EXPECT_EQ(machine_.thread_join(std::exchange(thread_, 0)), 0);
    loop_.reset();
    service_.reset();
    server_.reset();
  }
  void TearDown() override {
    stop();
    ServerFixture::TearDown();
  }
  static void expect_echo(Client& client, const std::string& text) {
    client.send(text);
    EXPECT_EQ(client.receive(text.size()), text);
  }
  /// Until the server has as many sockets as that, listener included.
  void wait_for_sockets(size_t count) {
    for (int i = 0; i < 20'000 && server_->info().size() != count; ++i) machine_.sleep_ns(500'000);
    EXPECT_EQ(server_->info().size(), count);
  }

  std::unique_ptr<EchoService> service_;
  std::unique_ptr<ServiceLoop> loop_;
  int thread_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Pollers, HostileTest, both_pollers(), poller_name);

TEST_P(HostileTest, AResetAtAnyPointOfAConversationHurtsNobodyElse) {
  const std::string large = pattern(6 << 20);
  using Point = std::function<void(SocketServer&, Client&, SocketId)>;
  const std::map<std::string, Point> points = {
      {"before accept", nullptr},
      {"accepted", [](SocketServer&, Client&, SocketId) {}},
      {"started", [](SocketServer& server, Client&, SocketId id) { server.start(kOwner, id); }},
      {"with data under way",
       [](SocketServer& server, Client& client, SocketId id) {
         server.start(kOwner, id);
         client.send("half a requ");
       }},
      {"paused",
       [](SocketServer& server, Client& client, SocketId id) {
         server.start(kOwner, id);
         server.pause(id);
         client.send("unread");
       }},
      {"with an answer waiting",
       [&](SocketServer& server, Client&, SocketId id) {
         server.start(kOwner, id);
         EXPECT_EQ(server.send(id, large), 0);
       }},
      {"while draining",
       [&](SocketServer& server, Client&, SocketId id) {
         server.start(kOwner, id);
         EXPECT_EQ(server.send(id, large), 0);
         server.close(id);
       }},
      {"while finishing",
       [&](SocketServer& server, Client&, SocketId id) {
         server.start(kOwner, id);
         EXPECT_EQ(server.send(id, large), 0);
         server.finish(id);
       }},
      {"after our FIN",
       [](SocketServer& server, Client&, SocketId id) {
         server.start(kOwner, id);
         server.finish(id);
       }},
      {"after its own FIN",
       [](SocketServer& server, Client& client, SocketId id) {
         server.start(kOwner, id);
         client.finish();
         Message message;
         while (server.try_poll(message)) {
         }
       }},
  };
  SocketServer& server = serve();
  for (const auto& [name, point] : points) {
    SCOPED_TRACE(name);
    Client rude;
    rude.little_room();
    ASSERT_EQ(rude.connect(endpoint_), 0);
    if (point) point(server, rude, poll_past(MessageType::close).accepted);
    rude.reset();
    Message message;
    for (int i = 0; i < 50; ++i) {  // whatever comes of it; an owner closes what is left
      if (!server.try_poll(message)) continue;
      if (message.type == MessageType::accept) server.start(kOwner, message.accepted);
      if (message.type == MessageType::close || message.type == MessageType::error) server.close(message.id);
    }
    for (const SocketInfo& left : server.info())
      if (left.id != listener_) server.shutdown(left.id);
    while (server.try_poll(message)) {
    }
    EXPECT_EQ(server.info().size(), 1U) << "but for the listener, nothing is left";
    Client polite(endpoint_);
    const SocketId id = accept();
    polite.send("me");
    EXPECT_EQ(poll(MessageType::data).data.view(), "me");
    server.shutdown(id);
    poll(MessageType::close);
  }
}

TEST_P(HostileTest, ResetsDoNotCostTheServerAnythingButTheirConnection) {
  serve_echo();
  for (int i = 0; i < 200; ++i) {
    Client rude(endpoint_);
    if (i % 2 == 0) rude.send(pattern(static_cast<size_t>(i) * 100));
    if (i % 10 == 4) rude.receive(1);
    rude.reset();
  }
  Client polite(endpoint_);
  expect_echo(polite, "hello");
  wait_for_sockets(2);
}

TEST_P(HostileTest, OneByteAtATimeIsServedAndHoldsNobodyUp) {
  serve_echo();
  std::list<Client> loris;
  for (int i = 0; i < 50; ++i) loris.emplace_back(endpoint_);
  const std::string slow = "GET / HTTP/1.1\r\n";
  for (char byte : slow) {
    for (Client& client : loris) client.send(std::string(1, byte));
    Client polite(endpoint_);
    expect_echo(polite, "quick");
  }
  for (Client& client : loris) EXPECT_EQ(client.receive(slow.size()), slow);
}

TEST_P(HostileTest, AFloodLeavesOthersTheirTurn) {
  SocketServer& server = serve();
  Client flood(endpoint_);
  accept();
  Client polite(endpoint_);
  const SocketId id = accept();
  std::atomic<bool> stop{false};
  const int flooder = machine_.thread_start("flooder", [&] {
    const std::string much = pattern(1 << 20);
    const timeval limit{.tv_sec = 0, .tv_usec = 50'000};
    setsockopt(flood.fd(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    while (!stop.load()) ::send(flood.fd(), much.data(), much.size(), MSG_NOSIGNAL);
  });
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < 5; ++i) server.poll();  // in the midst of the flood
    polite.send("x");
    size_t before = 0;
    for (;;) {
      const Message message = server.poll();
      if (message.id == id) break;
      before += message.data.size();
    }
    EXPECT_LE(before, 3 * 64U * 1024) << "a piece or two of the flood, not all that it has";
  }
  stop.store(true);
  server.shutdown(server.info()[1].id);
  EXPECT_EQ(machine_.thread_join(flooder), 0);
}

TEST_P(HostileTest, ADescriptorThatSomebodyHasDuplicatedDoesNotKeepTheLoopAwake) {
  SocketServer& server = serve();
  Client client(endpoint_);
  const SocketId id = accept();
  const int copy = fcntl(server.info(id).fd, F_DUPFD_CLOEXEC, 0);
  server.shutdown(id);
  poll(MessageType::close);
  client.send("to the copy, which epoll still watches");
  Client other(endpoint_);
  const SocketId next = accept();
  Message message;
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(server.try_poll(message)) << name_of(message.type);
  const int waits = os_.waits;
  const int waker = machine_.thread_start("waker", [&] {
    machine_.sleep_ns(20'000'000);
    server.shutdown(next);
  });
  EXPECT_EQ(poll(MessageType::close).id, next) << "and everybody else is watched as before";
  EXPECT_LE(os_.waits - waits, 2) << "it slept";
  EXPECT_EQ(machine_.thread_join(waker), 0);
  ::close(copy);
}

TEST_P(HostileTest, AForeignDescriptorThatItsOwnerClosesIsForgottenInTheEnd) {
  SocketServer& server = open();
  int fds[2];
  ASSERT_EQ(pipe2(fds, O_CLOEXEC), 0);
  const int copy = fcntl(fds[0], F_DUPFD_CLOEXEC, 0);
  const Opened bound = server.bind(kOwner, fds[0]);
  poll(MessageType::open);
  ::close(fds[0]);  // without telling the server
  server.close(bound.id);
  poll(MessageType::close);
  ASSERT_EQ(::write(fds[1], "x", 1), 1);
  Message message;
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(server.try_poll(message));
  server.exit();
  poll(MessageType::exit);
  ::close(fds[1]);
  ::close(copy);
}

TEST_P(HostileTest, RealSignalsInterruptEveryCallAndNothingIsLost) {
  serve_echo();
  struct sigaction noted {};
  noted.sa_handler = [](int) {};  // without SA_RESTART: calls return EINTR
  struct sigaction before {};
  sigaction(SIGALRM, &noted, &before);
  const itimerval often{.it_interval = {0, 500}, .it_value = {0, 500}};
  setitimer(ITIMER_REAL, &often, nullptr);
  std::string received;
  const std::string sent = pattern(2 << 20);
  const int clients = machine_.thread_start("clients", [&] {
    Client client(endpoint_);
    size_t out = 0;
    received.resize(sent.size());
    for (size_t in = 0; in < sent.size();) {
      const ssize_t gone = ::send(client.fd(), sent.data() + out, std::min<size_t>(sent.size() - out, 8192),
                                  MSG_DONTWAIT | MSG_NOSIGNAL);
      if (gone > 0) out += static_cast<size_t>(gone);
      const ssize_t got = ::recv(client.fd(), received.data() + in, sent.size() - in, MSG_DONTWAIT);
      if (got > 0) in += static_cast<size_t>(got);
      if (got == 0) return;
    }
  });
  EXPECT_EQ(machine_.thread_join(clients), 0);
  const itimerval never{};
  setitimer(ITIMER_REAL, &never, nullptr);
  sigaction(SIGALRM, &before, nullptr);
  EXPECT_TRUE(received == sent);
}

TEST_P(HostileTest, TenThousandIdleConnectionsComeAndGo) {
  rlimit limit{}, before{};
  getrlimit(RLIMIT_NOFILE, &before);
  limit = before;
  limit.rlim_cur = limit.rlim_max = std::max<rlim_t>(before.rlim_max, 24'000);
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) limit = before;
  const size_t most = std::min<size_t>(10'000, (limit.rlim_cur - 200) / 2);
  serve_echo();
  std::vector<Client> idle;
  auto endpoint = [&](size_t i) {
    return os::Endpoint{.address = INADDR_LOOPBACK + static_cast<uint32_t>(i % 16), .port = endpoint_.port};
  };
  for (size_t i = 0; i < most; ++i) {
    idle.emplace_back();
    ASSERT_EQ(idle.back().connect(endpoint(i)), 0) << "after " << i;
  }
  wait_for_sockets(most + 1);
  for (size_t i = 0; i < 2000; ++i) {  // one in so many goes, another one comes
    Client& one = idle[i * 7919 % most];
    if (i % 3 == 0) one.reset();
    one = Client();
    ASSERT_EQ(one.connect(endpoint(i)), 0);
  }
  for (size_t i = 0; i < most; i += most / 50) expect_echo(idle[i], "still there");
  wait_for_sockets(most + 1);
  for (Client& client : idle) client.reset();  // no TIME_WAIT is left
  wait_for_sockets(1);
  stop();
  idle.clear();
  setrlimit(RLIMIT_NOFILE, &before);
}

TEST_P(HostileTest, ShutdownUnderLoadLeavesNothingBehind) {
  for (int round = 0; round < 10; ++round) {
    serve_echo();
    std::atomic<bool> over{false};
    std::vector<int> clients;
    for (int i = 0; i < 3; ++i)
      clients.push_back(machine_.thread_start("client", [&, i] {
        const std::string words = pattern(static_cast<size_t>(1) << (6 + 5 * i));
        while (!over.load()) {
          Client client;
          if (client.connect(endpoint_) != 0) return;
          for (int n = 0; n < 20; ++n) {
            if (::send(client.fd(), words.data(), words.size(), MSG_NOSIGNAL) < 0) break;
            if (client.receive(words.size()).size() < words.size()) break;
          }
        }
      }));
    const int sender = machine_.thread_start("sender", [&] {  // and a thread that sends to whatever there is
      while (!over.load())
        for (const SocketInfo& info : server_->info())
          if (info.state == SlotState::connected) server_->send(info.id, "unasked");
    });
    while (loop_->handled() < 200) machine_.sleep_ns(200'000);
    server_->exit();
    EXPECT_EQ(machine_.thread_join(std::exchange(thread_, 0)), 0);
    over.store(true);
    EXPECT_EQ(machine_.thread_join(sender), 0);
    loop_.reset();
    service_.reset();
    server_.reset();
    for (int client : clients) EXPECT_EQ(machine_.thread_join(client), 0);
  }
}

}  // namespace
}  // namespace wakepath::server
