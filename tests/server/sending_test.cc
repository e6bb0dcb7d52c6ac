// Sending: by the caller's thread, from many threads at once, to peers that do not read.

#include <atomic>

#include "tests/server/server_fixture.hh"

namespace wakepath::server {
namespace {

/// Counts the commands that go through the pipe.
class CountCommands : public probe::Probe {
 public:
  void command_sent(const probe::CommandStep& step) override { count += step.in_place ? 0 : 1; }
  std::atomic<int> count{0};
};

class SendingTest : public BothPollers {
 protected:
  /// The server is polled by a thread of its own; what happens but data is dropped.
  void poll_in_background() {
    poller_thread_ = machine_.thread_start("poll", [this] {
      while (server_->poll().type != MessageType::exit) {
      }
    });
  }
  void TearDown() override {
    if (poller_thread_ > 0) {
      server_->exit();
      EXPECT_EQ(machine_.thread_join(poller_thread_), 0);
    }
    ServerFixture::TearDown();
  }
  int poller_thread_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Pollers, SendingTest, both_pollers(), poller_name);

TEST_P(SendingTest, AnotherThreadSendsByItselfWhenNothingWaits) {
  CountCommands commands;
  SocketServer server(os_, commands, {.poller = poller_});
  ASSERT_EQ(server.open(), 0);
  const Opened listening = server.listen(kOwner, os::Endpoint{});
  server.start(kOwner, listening.id);
  server.poll(), server.poll();
  Client client(*listening.address.ipv4());
  const SocketId id = server.poll().accepted;
  server.start(kOwner, id);
  server.poll();
  commands.count = 0;
  const int sender = machine_.thread_start("sender", [&] { EXPECT_EQ(server.send(id, "by myself"), 0); });
  EXPECT_EQ(machine_.thread_join(sender), 0);
  EXPECT_EQ(client.receive(9), "by myself") << "nobody polls";
  EXPECT_EQ(commands.count, 0);
}

TEST_P(SendingTest, WhatOneThreadSendsArrivesInItsOrderWhateverOthersSend) {
  SocketServer& server = serve();
  Client client;
  client.little_room();
  ASSERT_EQ(client.connect(endpoint_), 0);
  const SocketId id = accept();
  poll_in_background();
  constexpr int threads = 4, count = 3000;
  std::vector<int> senders;
  for (int i = 0; i < threads; ++i)
    senders.push_back(machine_.thread_start("sender", [&, i] {
      for (int number = 0; number < count; ++number) {
        char line[16];
        snprintf(line, sizeof line, "%c%06d\n", 'a' + i, number);
        const auto priority = number % 2 == 0 ? Priority::high : Priority::low;
        EXPECT_EQ(server.send(id, std::string(line), i == 0 ? priority : Priority::high), 0);
      }
    }));
  const std::string received = client.receive(size_t{threads} * count * 8);
  for (int sender : senders) EXPECT_EQ(machine_.thread_join(sender), 0);
  ASSERT_EQ(received.size(), size_t{threads} * count * 8) << "a line is whole, or the size would differ";
  int next[threads] = {};
  int lines_of_first = 0;
  for (size_t at = 0; at < received.size(); at += 8) {
    const int thread = received[at] - 'a';
    ASSERT_TRUE(thread >= 0 && thread < threads && received[at + 7] == '\n') << "a line in another one";
    if (thread == 0) {
      ++lines_of_first;  // of two priorities: no order
      continue;
    }
    ASSERT_EQ(std::stoi(received.substr(at + 1, 6)), next[thread]++);
  }
  EXPECT_EQ(lines_of_first, count);
}

TEST_P(SendingTest, ALargeMessageOfOneThreadIsNotTornByAnother) {
  SocketServer& server = serve();
  Client client;
  client.little_room();
  ASSERT_EQ(client.connect(endpoint_), 0);
  const SocketId id = accept();
  poll_in_background();
  constexpr size_t size = 700'000;
  std::vector<int> senders;
  for (char letter : {'a', 'b', 'c'})
    senders.push_back(machine_.thread_start("sender", [&, letter] {
      for (int i = 0; i < 5; ++i)
        EXPECT_EQ(server.send(id, std::string(size, letter), letter == 'c' ? Priority::low : Priority::high), 0);
    }));
  const std::string received = client.receive(15 * size);
  for (int sender : senders) EXPECT_EQ(machine_.thread_join(sender), 0);
  ASSERT_EQ(received.size(), 15 * size);
  for (size_t at = 0; at < received.size(); at += size)
    ASSERT_EQ(received.substr(at, size), std::string(size, received[at])) << "message " << at / size;
}

TEST_P(SendingTest, AKernelThatTakesOneByteAtATimeGetsItAll) {
  SocketServer& server = serve();
  Client client(endpoint_);
  const SocketId id = accept();
  os_.most_sent = 1;
  const std::string sent = pattern(2000);
  EXPECT_EQ(server.send(id, sent), 0);
  server.close(id);
  EXPECT_EQ(poll(MessageType::close).id, id);
  EXPECT_EQ(client.receive(3000), sent);
}

TEST_P(SendingTest, APeerThatNeverReadsCostsItsLimitAndNoMore) {
  SocketServer& server = serve();
  Client client;
  client.little_room();
  ASSERT_EQ(client.connect(endpoint_), 0);
  const SocketId id = accept();
  EXPECT_EQ(server.limit(id, 4 << 20), 0);
  const std::string piece = pattern(100'000);
  size_t most = 0;
  int result = 0;
  for (int i = 0; i < 1000 && result == 0; ++i) {
    result = server.send(id, piece);
    most = std::max(most, server.info(id).waiting);
  }
  EXPECT_EQ(result, -ENOBUFS);
  EXPECT_LE(most, size_t{4} << 20);
  const Message message = poll_past(MessageType::warning);
  EXPECT_EQ(message.type, MessageType::error);
  EXPECT_EQ(message.error, ENOBUFS);
  EXPECT_EQ(message.text, "send: more than 4194304 bytes wait to be sent: the connection is given up");
  EXPECT_EQ(server.send(id, "x"), -EBADF) << "it is gone";
}

TEST_P(SendingTest, AThreadThatRunsIntoTheLimitIsToldAtOnceAndTheOwnerByAMessage) {
  SocketServer& server = serve({.write_limit = 1 << 20});
  Client client;
  client.little_room();
  ASSERT_EQ(client.connect(endpoint_), 0);
  const SocketId id = accept();
  const int sender = machine_.thread_start("sender", [&] {
    EXPECT_EQ(server.send(id, pattern(64 << 20)), -ENOBUFS);
    EXPECT_EQ(server.send(id, "more"), -ENOBUFS) << "nobody has polled yet";
  });
  EXPECT_EQ(machine_.thread_join(sender), 0);
  EXPECT_EQ(poll(MessageType::error).error, ENOBUFS);
}

TEST_P(SendingTest, AFailureInAnotherThreadIsReportedByThePollThread) {
  SocketServer& server = serve();
  Client client(endpoint_);
  const SocketId id = accept();
  client.send("said before");
  os_.send_script = {-EPIPE};
  const int sender = machine_.thread_start("sender", [&] {
    EXPECT_EQ(server.send(id, "lost"), -EPIPE);
    EXPECT_EQ(server.send(id, "lost as well"), -EPIPE);
  });
  EXPECT_EQ(machine_.thread_join(sender), 0);
  EXPECT_EQ(poll(MessageType::error).error, EPIPE);
  EXPECT_EQ(poll(MessageType::data).data.view(), "said before");
  EXPECT_EQ(client.receive_end(), 0);
}

TEST_P(SendingTest, WhoMayNotBeSentToIsSaidAtOnce) {
  SocketServer& server = serve();
  Client client(endpoint_);
  const SocketId id = poll(MessageType::accept).accepted;
  EXPECT_EQ(server.send(listener_, "x"), -ENOTCONN);
  EXPECT_EQ(server.send(id, "x"), -ENOTCONN) << "accepted, not started";
  EXPECT_EQ(server.send(id + kIdStride, "x"), -EBADF);
  EXPECT_EQ(server.send(0, "x"), -EBADF);
  EXPECT_EQ(server.udp_send(id, os::Endpoint{}, "x"), -EISCONN) << "no datagram socket";
}

TEST_P(SendingTest, WarningsComeFromTheSendsOfOtherThreadsToo) {
  SocketServer& server = serve({.first_warning = 1 << 20});
  Client client;
  client.little_room();
  ASSERT_EQ(client.connect(endpoint_), 0);
  const SocketId id = accept();
  const int sender = machine_.thread_start("sender", [&] {
    for (int i = 0; i < 8; ++i) EXPECT_EQ(server.send(id, pattern(1 << 20)), 0);
  });
  EXPECT_EQ(machine_.thread_join(sender), 0);
  EXPECT_GE(poll(MessageType::warning).kilobytes, 4U * 1024) << "as much as waits when the poll thread looks";
  const int reader = machine_.thread_start("reader", [&] { client.receive(8 << 20); });
  EXPECT_EQ(poll(MessageType::warning).kilobytes, 0U);
  EXPECT_EQ(machine_.thread_join(reader), 0);
  EXPECT_EQ(server.info(id).written, size_t{8} << 20);
}

TEST_P(SendingTest, ABorrowedPayloadIsTheCallersAgainWhenSendReturns) {
  SocketServer& server = serve();
  Client client;
  client.little_room();
  ASSERT_EQ(client.connect(endpoint_), 0);
  const SocketId id = accept();
  const std::string sent = pattern(8 << 20);
  std::string lent = sent;
  EXPECT_EQ(server.send(id, Payload::borrowed(lent)), 0);
  std::fill(lent.begin(), lent.end(), '!');
  server.close(id);
  std::string received;
  const int reader = machine_.thread_start("reader", [&] { received = client.receive(sent.size()); });
  EXPECT_EQ(poll_past(MessageType::warning).type, MessageType::close);
  EXPECT_EQ(machine_.thread_join(reader), 0);
  EXPECT_TRUE(received == sent);
}

TEST_P(SendingTest, AnAnswerCostsTwoCallsAndAShareOfAWait) {
  SocketServer& server = serve();
  std::vector<Client> clients;
  for (int i = 0; i < 32; ++i) clients.emplace_back(endpoint_);
  for (int accepted = 0, started = 0; started < 32;) {  // some are accepted in a row
    const Message message = server.poll();
    if (message.type == MessageType::accept) server.start(kOwner, message.accepted), ++accepted;
    if (message.type == MessageType::open) ++started;
    ASSERT_LE(started, accepted);
  }
  for (int round = 0; round < 3; ++round) {
    for (Client& client : clients) client.send("hello");
    const int before = os_.calls;
    for (int i = 0; i < 32; ++i) {
      Message message = poll(MessageType::data);
      EXPECT_EQ(server.send(message.id, std::move(message.data)), 0);
    }
    const int level = 32 * 2 + 2, edge = 32 * 3 + 4;  // edge triggered: until there is nothing more
    EXPECT_LE(os_.calls - before, poller_ == PollerKind::epoll_edge ? edge : level);
    for (Client& client : clients) EXPECT_EQ(client.receive(5), "hello");
  }
}

}  // namespace
}  // namespace wakepath::server
