// Opening: listeners and their options, connections by name, foreign descriptors, and the list of it all.

#include <netinet/tcp.h>

#include "tests/server/server_fixture.hh"

namespace wakepath::server {
namespace {

using OpeningTest = BothPollers;
INSTANTIATE_TEST_SUITE_P(Pollers, OpeningTest, both_pollers(), poller_name);

/// A port of the loopback interface on which nobody listens, for as long as this lives.
class RefusingPort {
 public:
  RefusingPort() {
    sockaddr_in address = os::Endpoint{}.to_sockaddr();
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(holder_.fd(), reinterpret_cast<sockaddr*>(&address), size), 0);
    getsockname(holder_.fd(), reinterpret_cast<sockaddr*>(&address), &size);
    endpoint_ = os::Endpoint::from_sockaddr(address);
  }
  os::Endpoint endpoint() const { return endpoint_; }

 private:
  Client holder_;
  os::Endpoint endpoint_;
};

int option_of(int fd, int level, int option) {
  int value = -1;
  socklen_t size = sizeof value;
  getsockopt(fd, level, option, &value, &size);
  return value;
}

TEST_P(OpeningTest, AConnectionThatFailsSaysWhereItShouldHaveGone) {
  SocketServer& server = open();
  RefusingPort nobody;
  const Opened out = server.connect(kOwner, nobody.endpoint());
  const Message message = poll(MessageType::error);
  EXPECT_EQ(message.id, out.id);
  EXPECT_EQ(message.error, ECONNREFUSED);
  EXPECT_EQ(message.text, "connect " + nobody.endpoint().to_string() + ": Connection refused");
}

TEST_P(OpeningTest, EveryAddressOfANameIsTried) {
  SocketServer& server = serve();
  RefusingPort first, second;
  os_.names["service.test"] = {first.endpoint(), second.endpoint(), endpoint_};
  const Opened out = server.connect(3, "service.test", 0);
  EXPECT_EQ(server.send(out.id, "sent before anything"), 0);
  EXPECT_EQ(poll_past(MessageType::accept).text, "connected " + endpoint_.to_string());
}

TEST_P(OpeningTest, OnlyTheLastAddressOfANameIsReportedWhenAllFail) {
  SocketServer& server = open();
  RefusingPort first, second;
  os_.names["service.test"] = {first.endpoint(), second.endpoint()};
  server.connect(kOwner, "service.test", 0);
  EXPECT_EQ(poll(MessageType::error).text, "connect " + second.endpoint().to_string() + ": Connection refused");
  server.exit();
  poll(MessageType::exit);
}

TEST_P(OpeningTest, AnUnknownNameIsAnErrorAtOnce) {
  SocketServer& server = open();
  os_.names["nobody.test"] = {};
  EXPECT_EQ(server.connect(kOwner, "nobody.test", 80).error, -ENOENT);
  EXPECT_EQ(server.listen(kOwner, "nobody.test", 0).error, -ENOENT);
}

TEST_P(OpeningTest, AConnectionMayBeClosedBeforeItIsThereAndStillDelivers) {
  SocketServer& server = serve();
  const Opened out = server.connect(3, endpoint_);
  EXPECT_EQ(server.send(out.id, "only this"), 0);
  server.close(out.id);
  SocketId accepted = 0;
  for (bool closed = false; !closed || accepted == 0;) {
    const Message message = server.poll();
    if (message.type == MessageType::accept) accepted = message.accepted;
    if (message.type == MessageType::close) {
      EXPECT_EQ(message.id, out.id);
      closed = true;
    }
  }
  server.start(kOwner, accepted);
  EXPECT_EQ(data_until_close(accepted), "only this");
}

TEST_P(OpeningTest, AConnectionWhoseSynGoesUnansweredTimesOut) {
  SocketServer& server = open();
  Client full;  // a listener whose queue is full drops what comes
  sockaddr_in address = os::Endpoint{}.to_sockaddr();
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(full.fd(), reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(full.fd(), 0), 0);
  getsockname(full.fd(), reinterpret_cast<sockaddr*>(&address), &size);
  const os::Endpoint endpoint = os::Endpoint::from_sockaddr(address);
  Client waiting(endpoint);
  const Opened out = server.connect(kOwner, endpoint);
  ASSERT_EQ(server.set_option(out.id, IPPROTO_TCP, TCP_SYNCNT, 1), 0);
  ASSERT_EQ(server.set_option(out.id, IPPROTO_TCP, TCP_USER_TIMEOUT, 100), 0);
  const Message message = poll(MessageType::error);
  EXPECT_EQ(message.error, ETIMEDOUT);
  EXPECT_EQ(message.text, "connect " + endpoint.to_string() + ": Connection timed out");
}

TEST_P(OpeningTest, MoreConnectionsThanTheBacklogHoldsAreAllServedInTheEnd) {
  SocketServer& server = open();
  const Opened listening = server.listen(kOwner, os::Endpoint{}, {.backlog = 2, .starts_accepted = true});
  server.start(kOwner, listening.id);
  poll(MessageType::open), poll(MessageType::open);
  std::vector<Client> clients(20);
  std::vector<int> connected;
  const int connector = machine_.thread_start("connector", [&] {
    for (Client& client : clients) connected.push_back(client.connect(*listening.address.ipv4()));
  });
  for (int i = 0; i < 20; ++i) poll(MessageType::accept);  // some only when their SYN was sent a second time
  EXPECT_EQ(machine_.thread_join(connector), 0);
  EXPECT_EQ(std::count(connected.begin(), connected.end(), 0), 20);
  EXPECT_EQ(server.accepted(), 20U);
}

TEST_P(OpeningTest, AListenerMayStartWhatItAccepts) {
  SocketServer& server = open();
  const Opened listening = server.listen(kOwner, os::Endpoint{}, {.starts_accepted = true, .nodelay = true});
  server.start(5, listening.id);
  poll(MessageType::open), poll(MessageType::open);
  Client client(*listening.address.ipv4());
  client.send("at once");
  const Message accepted = poll(MessageType::accept);
  EXPECT_EQ(accepted.owner, 5U);
  const Message data = poll(MessageType::data);
  EXPECT_EQ(data.id, accepted.accepted);
  EXPECT_EQ(data.data.view(), "at once");
  const int fd = server.info(accepted.accepted).fd;
  EXPECT_EQ(option_of(fd, IPPROTO_TCP, TCP_NODELAY), 1) << "the kernel hands it on";
  EXPECT_EQ(option_of(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
}

TEST_P(OpeningTest, AQueueOfConnectionsIsTakenInRows) {
  SocketServer& server = open();
  const Opened listening = server.listen(kOwner, os::Endpoint{}, {.starts_accepted = true});
  server.start(kOwner, listening.id);
  poll(MessageType::open), poll(MessageType::open);
  std::vector<Client> clients(100);
  for (Client& client : clients) ASSERT_EQ(client.connect(*listening.address.ipv4()), 0);
  const int before = os_.waits;
  for (int i = 0; i < 100; ++i) poll(MessageType::accept);
  EXPECT_LE(os_.waits - before, 12);
  EXPECT_EQ(server.info(listening.id).read, 100U) << "of a listener, connections are counted";
}

TEST_P(OpeningTest, OptionsAreSetAtOnceAndFailuresTold) {
  SocketServer& server = serve();
  Client client(endpoint_);
  const SocketId id = accept();
  const int fd = server.info(id).fd;
  EXPECT_EQ(option_of(fd, IPPROTO_TCP, TCP_NODELAY), 0);
  EXPECT_EQ(server.nodelay(id), 0);
  EXPECT_EQ(option_of(fd, IPPROTO_TCP, TCP_NODELAY), 1);
  EXPECT_EQ(server.set_option(id, SOL_SOCKET, SO_KEEPALIVE, 0), 0);
  EXPECT_EQ(option_of(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
  EXPECT_EQ(server.set_option(id, SOL_SOCKET, 9999, 1), -ENOPROTOOPT);
  EXPECT_EQ(server.nodelay(id + kIdStride), -EBADF);
}

TEST_P(OpeningTest, TwoListenersMayShareAPortWhenBothSaySo) {
  SocketServer& server = open();
  const Opened first = server.listen(kOwner, os::Endpoint{}, {.reuse_port = true});
  EXPECT_EQ(server.listen(kOwner, first.address, {.reuse_port = true}).error, 0);
  EXPECT_EQ(server.listen(kOwner, first.address).error, -EADDRINUSE);
}

TEST_P(OpeningTest, ListensAndConnectsByIpv6) {
  SocketServer& server = open();
  const Opened listening = server.listen(kOwner, "::1", 0);
  if (listening.error == -EAFNOSUPPORT || listening.error == -EADDRNOTAVAIL) GTEST_SKIP() << "no IPv6 here";
  ASSERT_EQ(listening.error, 0);
  server.start(kOwner, listening.id);
  EXPECT_EQ(poll(MessageType::open).text, "listening [::1]:" + std::to_string(listening.address.port));
  poll(MessageType::open);
  const Opened out = server.connect(3, "::1", listening.address.port);
  EXPECT_EQ(server.send(out.id, "six"), 0);
  SocketId accepted = 0;
  for (int i = 0; i < 2; ++i) {
    const Message message = server.poll();
    if (message.type != MessageType::accept) continue;
    accepted = message.accepted;
    EXPECT_EQ(message.text.substr(0, 6), "[::1]:");
  }
  server.start(kOwner, accepted);
  poll(MessageType::open);
  EXPECT_EQ(poll(MessageType::data).data.view(), "six");
}

class Pipe {
 public:
  explicit Pipe(int flags = 0) { EXPECT_EQ(pipe2(fds_, O_CLOEXEC | flags), 0); }
  ~Pipe() {
    for (int which : {0, 1}) close(which);
  }
  int read_end() const { return fds_[0]; }
  int write_end() const { return fds_[1]; }
  void close(int which) {
    if (fds_[which] >= 0) ::close(std::exchange(fds_[which], -1));
  }

 private:
  int fds_[2];
};

TEST_P(OpeningTest, AForeignDescriptorIsReadAndGivenBackAsItWas) {
  SocketServer& server = open();
  Pipe pipe;
  const Opened bound = server.bind(kOwner, pipe.read_end());
  ASSERT_EQ(bound.error, 0);
  EXPECT_EQ(poll(MessageType::open).text, "binding");
  EXPECT_EQ(server.info(bound.id).state, SlotState::bind);
  EXPECT_NE(fcntl(pipe.read_end(), F_GETFL) & O_NONBLOCK, 0);
  ASSERT_EQ(::write(pipe.write_end(), "by pipe", 7), 7);
  EXPECT_EQ(poll(MessageType::data).data.view(), "by pipe");
  server.close(bound.id);
  EXPECT_EQ(poll(MessageType::close).id, bound.id);
  EXPECT_EQ(fcntl(pipe.read_end(), F_GETFL) & O_NONBLOCK, 0) << "open, and blocking as before";
}

TEST_P(OpeningTest, TheEndOfAForeignPipeIsAClose) {
  SocketServer& server = open();
  Pipe pipe(O_NONBLOCK);
  const Opened bound = server.bind(kOwner, pipe.read_end());
  poll(MessageType::open);
  ASSERT_EQ(::write(pipe.write_end(), "last", 4), 4);
  pipe.close(1);
  EXPECT_EQ(data_until_close(bound.id), "last");
  server.close(bound.id);
  EXPECT_NE(fcntl(pipe.read_end(), F_GETFL) & O_NONBLOCK, 0) << "it was non-blocking before";
}

TEST_P(OpeningTest, AForeignPipeIsWrittenToAndDrained) {
  SocketServer& server = open();
  Pipe pipe;
  const Opened bound = server.bind(kOwner, pipe.write_end());
  const std::string sent = pattern(300'000);
  EXPECT_EQ(server.send(bound.id, sent), 0) << "before the poll thread has even heard of it";
  poll(MessageType::open);
  server.close(bound.id);
  std::string received(sent.size(), '\0');
  const int reader = machine_.thread_start("reader", [&] {
    for (size_t got = 0; got < received.size();) {
      const ssize_t more = ::read(pipe.read_end(), received.data() + got, received.size() - got);
      if (more <= 0) return;
      got += static_cast<size_t>(more);
    }
  });
  EXPECT_EQ(poll_past(MessageType::warning).type, MessageType::close);
  EXPECT_EQ(machine_.thread_join(reader), 0);
  EXPECT_TRUE(received == sent);
}

TEST_P(OpeningTest, AFileThatCannotBeWaitedForIsRefusedAndNotClosed) {
  SocketServer& server = open();
  FILE* file = tmpfile();
  server.bind(kOwner, fileno(file));
  EXPECT_EQ(poll(MessageType::error).error, EPERM) << "epoll_ctl(2): a regular file";
  EXPECT_NE(fcntl(fileno(file), F_GETFL), -1);
  fclose(file);
}

TEST_P(OpeningTest, TheListTellsWhatThereIs) {
  SocketServer& server = serve();
  Client client(endpoint_);
  const SocketId id = accept();
  client.send("12345");
  poll(MessageType::data);
  server.send(id, "123");
  server.pause(id);
  const std::vector<SocketInfo> list = server.info();
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].id, listener_);
  EXPECT_EQ(list[0].state, SlotState::listen);
  EXPECT_EQ(list[0].address, endpoint_.to_string());
  EXPECT_EQ(list[0].read, 1U);
  const SocketInfo& connection = list[1];
  EXPECT_EQ(connection.id, id);
  EXPECT_EQ(connection.kind, "tcp");
  EXPECT_EQ(connection.read, 5U);
  EXPECT_EQ(connection.written, 3U);
  EXPECT_EQ(connection.waiting, 0U);
  EXPECT_FALSE(connection.reading);
  EXPECT_GT(connection.last_read_ns, 0);
  EXPECT_GE(connection.last_write_ns, connection.last_read_ns);
  EXPECT_EQ(server.info(id + kIdStride).id, 0U);
}

}  // namespace
}  // namespace wakepath::server
