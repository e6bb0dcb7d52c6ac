#include "src/server/socket_server.hh"

#include <sys/resource.h>

#include <deque>
#include <functional>
#include <map>

#include "src/os/forwarding_os.hh"
#include "tests/server/fixture.hh"

namespace wakepath::server {
namespace {

/// The running kernel with some answers replaced: each call of a kind first takes the next entry of its script;
/// 0 lets the call through, a negative errno is returned instead.
class FaultyOs : public os::ForwardingOs {
 public:
  using ForwardingOs::ForwardingOs;
  std::deque<int> accept4_script, send_script, socket_script;
  bool interrupt_everything = false;  ///< every second call of those that may be interrupted returns -EINTR
  int interruptions = 0;
  int waits = 0;

  int socket(int domain, int type, int protocol) override {
    const int fault = next(socket_script);
    return fault != 0 ? fault : inner_.socket(domain, type, protocol);
  }
  int accept4(int fd, sockaddr* address, socklen_t* size, int flags) override {
    if (interrupted()) return -EINTR;
    const int fault = next(accept4_script);
    return fault != 0 ? fault : inner_.accept4(fd, address, size, flags);
  }
  ssize_t send(int fd, const void* data, size_t size, int flags) override {
    if (interrupted()) return -EINTR;
    const int fault = next(send_script);
    return fault != 0 ? fault : inner_.send(fd, data, size, flags);
  }
  ssize_t recv(int fd, void* data, size_t size, int flags) override {
    return interrupted() ? -EINTR : inner_.recv(fd, data, size, flags);
  }
  ssize_t read(int fd, void* data, size_t size) override {
    return interrupted() ? -EINTR : inner_.read(fd, data, size);
  }
  ssize_t write(int fd, const void* data, size_t size) override {
    return interrupted() ? -EINTR : inner_.write(fd, data, size);
  }
  int epoll_wait(int epfd, epoll_event* events, int max_events, int timeout_ms) override {
    ++waits;
    return interrupted() ? -EINTR : inner_.epoll_wait(epfd, events, max_events, timeout_ms);
  }

 private:
  static int next(std::deque<int>& script) {
    if (script.empty()) return 0;
    const int fault = script.front();
    script.pop_front();
    return fault;
  }
  bool interrupted() {
    if (!interrupt_everything) return false;
    odd_ = !odd_;
    interruptions += odd_ ? 1 : 0;
    return odd_;
  }
  bool odd_ = false;
};

constexpr ServiceId kOwner = 1;

/// The server is polled by the test itself, one message after the other: no second thread, no race.
class SocketServerTest : public DescriptorsStay {
 protected:
  SocketServer& serve(SocketServerOptions options = {}) {
    server_ = std::make_unique<SocketServer>(os_, probe_, options);
    EXPECT_EQ(server_->open(), 0);
    const Opened listening = server_->listen(kOwner, {}, 16);
    EXPECT_EQ(listening.error, 0);
    listener_ = listening.id;
    endpoint_ = listening.endpoint;
    server_->start(kOwner, listener_);
    EXPECT_EQ(poll(MessageType::open).text, "listening " + endpoint_.to_string());
    EXPECT_EQ(poll(MessageType::open).text, "start");
    return *server_;
  }
  void TearDown() override {
    server_.reset();
    DescriptorsStay::TearDown();
  }

  /// The next message, which must be of this type.
  Message poll(MessageType type) {
    Message message = server_->poll();
    EXPECT_EQ(name_of(message.type), name_of(type)) << message.text << message.data.substr(0, 80);
    return message;
  }
  /// Accepts and starts the next connection.
  SocketId accept() {
    const SocketId id = poll(MessageType::accept).accepted;
    server_->start(kOwner, id);
    EXPECT_EQ(poll(MessageType::open).id, id);
    return id;
  }

  os::LinuxOs machine_;
  FaultyOs os_{machine_};
  probe::Probe probe_;
  std::unique_ptr<SocketServer> server_;
  SocketId listener_ = 0;
  os::Endpoint endpoint_;
};

TEST_F(SocketServerTest, AcceptsThenStartsThenReceivesThenSendsThenCloses) {
  SocketServer& server = serve();
  Client client(endpoint_);
  client.send("early");
  const Message accepted = poll(MessageType::accept);
  EXPECT_EQ(accepted.id, listener_);
  EXPECT_EQ(accepted.owner, kOwner);
  EXPECT_EQ(accepted.text.substr(0, 10), "127.0.0.1:");
  const SocketId id = accepted.accepted;
  server.start(2, id);
  EXPECT_EQ(poll(MessageType::open).text, "start");
  const Message data = poll(MessageType::data);
  EXPECT_EQ(data.data, "early") << "sent before start, kept by the kernel until then";
  EXPECT_EQ(data.owner, 2U) << "start() changed the owner";
  server.send(id, "answer");
  server.close(id);
  EXPECT_EQ(poll(MessageType::close).id, id);
  EXPECT_EQ(client.receive(100), "answer");
}

TEST_F(SocketServerTest, CommandsGoBeforeEvents) {
  SocketServer& server = serve();
  Client client(endpoint_);
  const SocketId id = accept();
  client.send("never read");  // readable before the command is sent
  server.shutdown(id);
  EXPECT_EQ(poll(MessageType::close).id, id);
  server.exit();
  poll(MessageType::exit);
}

TEST_F(SocketServerTest, APeerThatFinishesIsReportedOnceAndCanStillBeAnswered) {
  SocketServer& server = serve();
  Client client(endpoint_);
  const SocketId id = accept();
  client.send("last words");
  client.finish();
  EXPECT_EQ(poll(MessageType::data).data, "last words");
  EXPECT_EQ(poll(MessageType::close).id, id);
  server.send(id, "heard");
  server.close(id);  // no second close message: the next one is the exit
  server.exit();
  poll(MessageType::exit);
  EXPECT_EQ(client.receive(100), "heard");
}

TEST_F(SocketServerTest, ConnectsToItselfAndIsToldOfARefusal) {
  SocketServer& server = serve();
  const Opened out = server.connect(3, endpoint_);
  ASSERT_EQ(out.error, 0);
  server.send(out.id, "sent while connecting");
  std::map<MessageType, Message> seen;  // which comes first is the kernel's choice
  for (int i = 0; i < 2; ++i) {
    Message message = server.poll();
    seen[message.type] = std::move(message);
  }
  EXPECT_EQ(seen[MessageType::open].id, out.id);
  EXPECT_EQ(seen[MessageType::open].owner, 3U);
  server.start(kOwner, seen[MessageType::accept].accepted);
  EXPECT_EQ(poll(MessageType::open).text, "start");
  EXPECT_EQ(poll(MessageType::data).data, "sent while connecting");

  Client taken;  // bound but not listening: the kernel refuses connections to this port
  sockaddr_in address = os::Endpoint{}.to_sockaddr();
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(taken.fd(), reinterpret_cast<sockaddr*>(&address), size), 0);
  getsockname(taken.fd(), reinterpret_cast<sockaddr*>(&address), &size);
  const Opened refused = server.connect(3, os::Endpoint::from_sockaddr(address));
  const Message error = poll(MessageType::error);
  EXPECT_EQ(error.id, refused.id);
  EXPECT_EQ(error.error, ECONNREFUSED);
}

TEST_F(SocketServerTest, APortInUseIsAnErrorAndLeavesNothingBehind) {
  SocketServer& server = serve();
  const Opened again = server.listen(kOwner, endpoint_, 16);
  EXPECT_EQ(again.error, -EADDRINUSE);
  EXPECT_EQ(again.id, 0U);
}

TEST_F(SocketServerTest, StaleIdsHarmNobody) {
  SocketServer& server = serve({.capacity = 2});  // one slot for the listener, one for everybody else
  SocketId stale = 0;
  {
    Client first(endpoint_);
    stale = accept();
    server.close(stale);
    poll(MessageType::close);
  }
  Client second(endpoint_);
  const SocketId id = accept();
  EXPECT_NE(id, stale);
  EXPECT_EQ(id % 2, stale % 2) << "the same slot";
  server.send(stale, "to nobody");
  server.pause(stale);
  server.close(stale);
  server.shutdown(stale);
  server.start(kOwner, stale);
  EXPECT_EQ(poll(MessageType::error).id, stale) << "only start has an answer";
  server.send(id, "to the second");
  server.close(id);
  poll(MessageType::close);
  EXPECT_EQ(second.receive(100), "to the second");
}

TEST_F(SocketServerTest, WithoutAFreeSlotAConnectionIsClosedAndTheListenerGoesOn) {
  SocketServer& server = serve({.capacity = 2});
  Client first(endpoint_);
  const SocketId id = accept();
  Client second(endpoint_);
  EXPECT_EQ(poll(MessageType::error).error, ENOSPC);
  EXPECT_EQ(second.receive_end(), 0);
  server.close(id);
  poll(MessageType::close);
  Client third(endpoint_);
  EXPECT_NE(accept(), 0U);
}

TEST_F(SocketServerTest, AResetIsAnErrorOfThatConnectionAlone) {
  serve();
  Client polite(endpoint_);
  const SocketId stays = accept();
  Client rude(endpoint_);
  const SocketId id = accept();
  rude.reset();
  const Message error = poll(MessageType::error);
  EXPECT_EQ(error.id, id);
  EXPECT_EQ(error.error, ECONNRESET);
  polite.send("still here");
  const Message data = poll(MessageType::data);
  EXPECT_EQ(data.id, stays);
  EXPECT_EQ(data.data, "still here");
}

TEST_F(SocketServerTest, AResetBeforeStartIsNoticedToo) {
  SocketServer& server = serve();
  Client rude(endpoint_);
  const SocketId id = poll(MessageType::accept).accepted;
  rude.reset();
  const Message error = poll(MessageType::error);
  EXPECT_EQ(error.id, id);
  EXPECT_EQ(error.error, ECONNRESET);
  server.start(kOwner, id);
  EXPECT_EQ(poll(MessageType::error).text, "start: the socket is closed");
}

TEST_F(SocketServerTest, CloseDrainsWhatASlowReaderHasNotTakenYet) {
  SocketServer& server = serve();
  Client client;
  client.little_room();
  ASSERT_EQ(client.connect(endpoint_), 0);
  const SocketId id = accept();
  const std::string sent = pattern(12 * 1024 * 1024);
  server.send(id, sent);
  server.close(id);
  EXPECT_GT(poll(MessageType::warning).kilobytes, 1024U) << "most of it waits in the write buffer";
  std::string received;
  const int reader = machine_.thread_start("reader", [&] { received = client.receive(sent.size() + 1); });
  EXPECT_EQ(poll(MessageType::close).id, id) << "not before everything is with the kernel";
  EXPECT_EQ(machine_.thread_join(reader), 0);
  EXPECT_EQ(received.size(), sent.size());
  EXPECT_TRUE(received == sent);
}

TEST_F(SocketServerTest, ShutdownDropsWhatIsNotSent) {
  SocketServer& server = serve();
  Client client;
  client.little_room();
  ASSERT_EQ(client.connect(endpoint_), 0);
  const SocketId id = accept();
  const std::string sent = pattern(32 * 1024 * 1024);
  server.send(id, sent);
  server.shutdown(id);
  poll(MessageType::warning);
  EXPECT_EQ(poll(MessageType::close).id, id);
  EXPECT_LT(client.receive(sent.size()).size(), sent.size());
}

TEST_F(SocketServerTest, TheWarningComesOnceALevelAndIsTakenBackWhenAllIsSent) {
  SocketServer& server = serve({.first_warning = 8 * 1024 * 1024});
  Client client;
  client.little_room();
  ASSERT_EQ(client.connect(endpoint_), 0);
  const SocketId id = accept();
  const std::string piece = pattern(4 * 1024 * 1024);
  for (int i = 0; i < 8; ++i) server.send(id, piece);
  EXPECT_GE(poll(MessageType::warning).kilobytes, 8U * 1024);
  EXPECT_GE(poll(MessageType::warning).kilobytes, 16U * 1024);
  const int reader = machine_.thread_start("reader", [&] { client.receive(8 * piece.size()); });
  EXPECT_EQ(poll(MessageType::warning).kilobytes, 0U);
  EXPECT_EQ(machine_.thread_join(reader), 0);
}

TEST_F(SocketServerTest, PauseHoldsDataBackUntilStart) {
  SocketServer& server = serve();
  Client client(endpoint_);
  const SocketId id = accept();
  server.pause(id);
  client.send("held");
  const Opened probe = server.connect(kOwner, endpoint_);  // something else to happen meanwhile
  ASSERT_EQ(probe.error, 0);
  for (int i = 0; i < 2; ++i) EXPECT_NE(server.poll().type, MessageType::data);
  server.start(kOwner, id);
  EXPECT_EQ(poll(MessageType::data).data, "held");
}

TEST_F(SocketServerTest, AFailedSendStillLetsTheRestBeRead) {
  SocketServer& server = serve();
  Client client(endpoint_);
  const SocketId id = accept();
  os_.send_script = {-EPIPE};
  client.send("said before");
  server.send(id, "lost");
  EXPECT_EQ(poll(MessageType::error).error, EPIPE);
  EXPECT_EQ(poll(MessageType::data).data, "said before");
  EXPECT_EQ(client.receive_end(), 0) << "our side has finished sending";
  client.close();
  EXPECT_EQ(poll(MessageType::close).id, id);
  server.start(kOwner, id);
  EXPECT_EQ(poll(MessageType::error).text, "start: the socket is closed") << "both directions are over: it is gone";
}

TEST_F(SocketServerTest, InterruptedCallsAreRepeatedAndNothingIsLost) {
  SocketServer& server = serve();
  os_.interrupt_everything = true;
  Client client(endpoint_);
  const SocketId id = accept();
  client.send("ping");
  EXPECT_EQ(poll(MessageType::data).data, "ping");
  server.send(id, "pong");
  server.close(id);
  poll(MessageType::close);
  EXPECT_EQ(client.receive(100), "pong");
  EXPECT_GE(os_.interruptions, 8);
}

TEST_F(SocketServerTest, AConnectionAbortedInTheQueueIsPassedOver) {
  serve();
  os_.accept4_script = {-ECONNABORTED, -EAGAIN, -EPROTO};
  Client client(endpoint_);
  EXPECT_NE(accept(), 0U);
}

TEST_F(SocketServerTest, WithoutDescriptorsTheListenerTurnsConnectionsAwayAndGoesOn) {
  SocketServer& server = serve();
  Client unlucky(endpoint_);
  os_.accept4_script = {-EMFILE};
  EXPECT_EQ(poll(MessageType::error).error, EMFILE);
  EXPECT_EQ(unlucky.receive_end(), 0) << "accepted with the spare descriptor and closed";
  Client lucky(endpoint_);
  EXPECT_NE(accept(), 0U);
  server.exit();
  poll(MessageType::exit);
}

TEST_F(SocketServerTest, WithoutEvenASpareTheListenerRestsUntilASocketIsClosed) {
  SocketServer& server = serve();
  Client first(endpoint_);
  const SocketId id = accept();
  Client second(endpoint_);
  os_.accept4_script = {-EMFILE, -EMFILE};
  os_.socket_script = {-EMFILE};
  EXPECT_EQ(poll(MessageType::error).error, EMFILE);
  const int waits = os_.waits;
  first.send("meanwhile");
  EXPECT_EQ(poll(MessageType::data).data, "meanwhile");
  EXPECT_LE(os_.waits, waits + 2) << "the listener does not keep the loop awake";
  server.close(id);
  poll(MessageType::close);
  EXPECT_NE(accept(), 0U) << "the second client, who has waited";
}

TEST_F(SocketServerTest, AProcessOutOfDescriptorsSurvivesOnTheRealKernel) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  auto story = [this] {
    serve();
    Client client(endpoint_);
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    const int lowest_free = dup(STDIN_FILENO);  // all below it are taken: as a limit, it leaves none
    ::close(lowest_free);
    limit.rlim_cur = static_cast<rlim_t>(lowest_free);
    setrlimit(RLIMIT_NOFILE, &limit);
    if (poll(MessageType::error).error != EMFILE) _exit(1);
    if (client.receive_end() != 0) _exit(2);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    Client after(endpoint_);
    _exit(accept() != 0 ? 42 : 3);
  };
  EXPECT_EXIT(story(), testing::ExitedWithCode(42), "");
}

TEST_F(SocketServerTest, ACallbackMayAskForMoreThanThePipeHolds) {
  SocketServer& server = serve();
  Client client(endpoint_);
  const SocketId id = accept();
  constexpr int count = 5000;
  for (int i = 0; i < count; ++i) server.send(id, "x");
  server.close(id);
  poll(MessageType::close);
  EXPECT_EQ(client.receive(count + 1), std::string(count, 'x'));
}

TEST_F(SocketServerTest, ExitTakesTheOpenConnectionsAlong) {
  SocketServer& server = serve();
  Client client(endpoint_);
  accept();
  server.exit();
  poll(MessageType::exit);
  EXPECT_EQ(server.listen(kOwner, {}, 16).error, -EPIPE) << "too late";
  server_.reset();
  EXPECT_EQ(client.receive_end(), 0);
}

}  // namespace
}  // namespace wakepath::server
