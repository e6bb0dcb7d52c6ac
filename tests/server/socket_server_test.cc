// The socket-server by its messages, level and edge triggered.

#include <sys/resource.h>

#include "tests/server/server_fixture.hh"

namespace wakepath::server {
namespace {

using SocketServerTest = BothPollers;
INSTANTIATE_TEST_SUITE_P(Pollers, SocketServerTest, both_pollers(), poller_name);

TEST_P(SocketServerTest, AcceptsThenStartsThenReceivesThenSendsThenCloses) {
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
  EXPECT_EQ(data.data.view(), "early") << "sent before start, kept by the kernel until then";
  EXPECT_EQ(data.owner, 2U) << "start() changed the owner";
  server.send(id, "answer");
  server.close(id);
  EXPECT_EQ(poll(MessageType::close).id, id);
  EXPECT_EQ(client.receive(100), "answer");
}

TEST_P(SocketServerTest, CommandsGoBeforeEvents) {
  SocketServer& server = serve();
  Client client(endpoint_);
  const SocketId id = accept();
  client.send("never read");  // readable before the command is sent
  server.shutdown(id);
  EXPECT_EQ(poll(MessageType::close).id, id);
  server.exit();
  poll(MessageType::exit);
}

TEST_P(SocketServerTest, APeerThatFinishesIsReportedOnceAndCanStillBeAnswered) {
  SocketServer& server = serve();
  Client client(endpoint_);
  const SocketId id = accept();
  client.send("last words");
  client.finish();
  EXPECT_EQ(poll(MessageType::data).data.view(), "last words");
  EXPECT_EQ(poll(MessageType::close).id, id);
  server.send(id, "heard");
  server.close(id);  // no second close message: the next one is the exit
  server.exit();
  poll(MessageType::exit);
  EXPECT_EQ(client.receive(100), "heard");
}

TEST_P(SocketServerTest, ConnectsToItselfAndIsToldOfARefusal) {
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
  EXPECT_EQ(poll(MessageType::data).data.view(), "sent while connecting");

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

TEST_P(SocketServerTest, APortInUseIsAnErrorAndLeavesNothingBehind) {
  SocketServer& server = serve();
  const Opened again = server.listen(kOwner, endpoint_, {.backlog = 16});
  EXPECT_EQ(again.error, -EADDRINUSE);
  EXPECT_EQ(again.id, 0U);
}

TEST_P(SocketServerTest, StaleIdsHarmNobody) {
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
  EXPECT_EQ(id % kIdStride, stale % kIdStride) << "the same slot";
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

TEST_P(SocketServerTest, WithoutAFreeSlotAConnectionIsClosedAndTheListenerGoesOn) {
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

TEST_P(SocketServerTest, AResetEndsThatConnectionAlone) {
  serve();
  Client polite(endpoint_);
  const SocketId stays = accept();
  Client rude(endpoint_);
  const SocketId id = accept();
  rude.reset();
  const Message error = poll(MessageType::reset);
  EXPECT_EQ(error.id, id);
  EXPECT_EQ(error.error, ECONNRESET);
  polite.send("still here");
  const Message data = poll(MessageType::data);
  EXPECT_EQ(data.id, stays);
  EXPECT_EQ(data.data.view(), "still here");
}

TEST_P(SocketServerTest, AResetBeforeStartIsNoticedToo) {
  SocketServer& server = serve();
  Client rude(endpoint_);
  const SocketId id = poll(MessageType::accept).accepted;
  rude.reset();
  const Message error = poll(MessageType::reset);
  EXPECT_EQ(error.id, id);
  EXPECT_EQ(error.error, ECONNRESET);
  server.start(kOwner, id);
  EXPECT_EQ(poll(MessageType::error).text, "start: the socket is closed");
}

TEST_P(SocketServerTest, CloseDrainsWhatASlowReaderHasNotTakenYet) {
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

TEST_P(SocketServerTest, ShutdownDropsWhatIsNotSent) {
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

TEST_P(SocketServerTest, TheWarningComesOnceALevelAndIsTakenBackWhenAllIsSent) {
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

TEST_P(SocketServerTest, PauseHoldsDataBackUntilStart) {
  SocketServer& server = serve();
  Client client(endpoint_);
  const SocketId id = accept();
  server.pause(id);
  client.send("held");
  const Opened probe = server.connect(kOwner, endpoint_);  // something else to happen meanwhile
  ASSERT_EQ(probe.error, 0);
  for (int i = 0; i < 2; ++i) EXPECT_NE(server.poll().type, MessageType::data);
  server.start(kOwner, id);
  EXPECT_EQ(poll(MessageType::data).data.view(), "held");
}

TEST_P(SocketServerTest, AFailedSendStillLetsTheRestBeRead) {
  SocketServer& server = serve();
  Client client(endpoint_);
  const SocketId id = accept();
  os_.send_script = {-EPIPE};
  client.send("said before");
  server.send(id, "lost");
  EXPECT_EQ(poll(MessageType::error).error, EPIPE);
  EXPECT_EQ(poll(MessageType::data).data.view(), "said before");
  EXPECT_EQ(client.receive_end(), 0) << "our side has finished sending";
  client.close();
  EXPECT_EQ(poll(MessageType::close).id, id);
  server.start(kOwner, id);
  EXPECT_EQ(poll(MessageType::error).text, "start: the socket is closed") << "both directions are over: it is gone";
}

TEST_P(SocketServerTest, InterruptedCallsAreRepeatedAndNothingIsLost) {
  SocketServer& server = serve();
  os_.interrupt_everything = true;
  Client client(endpoint_);
  const SocketId id = accept();
  client.send("ping");
  EXPECT_EQ(poll(MessageType::data).data.view(), "ping");
  server.send(id, "pong");
  server.close(id);
  poll(MessageType::close);
  EXPECT_EQ(client.receive(100), "pong");
  EXPECT_GE(os_.interruptions, 5);
}

TEST_P(SocketServerTest, AConnectionAbortedInTheQueueIsPassedOver) {
  serve();
  os_.accept4_script = {-ECONNABORTED, -EPROTO, -ENETDOWN};
  Client client(endpoint_);
  EXPECT_NE(accept(), 0U);
}

TEST_P(SocketServerTest, WithoutDescriptorsTheListenerTurnsConnectionsAwayAndGoesOn) {
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

TEST_P(SocketServerTest, WithoutEvenASpareTheListenerRestsUntilASocketIsClosed) {
  SocketServer& server = serve();
  Client first(endpoint_);
  const SocketId id = accept();
  Client second(endpoint_);
  os_.accept4_script = {-EMFILE, -EMFILE};
  os_.socket_script = {-EMFILE};
  EXPECT_EQ(poll(MessageType::error).error, EMFILE);
  const int waits = os_.waits;
  first.send("meanwhile");
  EXPECT_EQ(poll(MessageType::data).data.view(), "meanwhile");
  EXPECT_LE(os_.waits, waits + 3) << "the listener does not keep the loop awake";
  server.close(id);
  poll(MessageType::close);
  EXPECT_NE(accept(), 0U) << "the second client, who has waited";
}

TEST_P(SocketServerTest, AProcessOutOfDescriptorsSurvivesOnTheRealKernel) {
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

TEST_P(SocketServerTest, AThreadMayAskForMoreThanThePipeHolds) {
  SocketServer& server = serve();
  Client client(endpoint_);
  const SocketId id = accept();
  const int asker = machine_.thread_start("asker", [&] {
    for (int i = 0; i < 5000; ++i) server.pause(id);
    server.close(id);
  });
  EXPECT_EQ(poll(MessageType::close).id, id);
  EXPECT_EQ(machine_.thread_join(asker), 0);
}

TEST_P(SocketServerTest, TheLastThingAThreadAskedForIsDoneBeforeWhatTheCallbackAsksNext) {
  SocketServer& server = serve();
  Client client(endpoint_);
  const SocketId id = accept();
  const int asker = machine_.thread_start("asker", [&] { server.start(7, id); });
  EXPECT_EQ(machine_.thread_join(asker), 0);
  server.start(8, id);  // on the poll thread, which has not looked into the pipe yet
  client.send("for whom?");
  EXPECT_EQ(poll(MessageType::data).owner, 8U);
}

TEST_P(SocketServerTest, TryPollNeverWaits) {
  SocketServer& server = serve();
  Message message;
  EXPECT_FALSE(server.try_poll(message));
  Client client(endpoint_);
  const SocketId id = accept();
  client.send("x");
  while (!server.try_poll(message)) {
  }
  EXPECT_EQ(message.id, id);
  EXPECT_EQ(message.data.view(), "x");
}

TEST_P(SocketServerTest, FinishSendsEverythingThenFinAndGoesOnReading) {
  SocketServer& server = serve();
  Client client;
  client.little_room();
  ASSERT_EQ(client.connect(endpoint_), 0);
  const SocketId id = accept();
  const std::string sent = pattern(4 << 20);
  EXPECT_EQ(server.send(id, sent), 0);
  server.finish(id);
  EXPECT_EQ(server.send(id, "too late"), -EPIPE);
  std::string received;
  const int reader = machine_.thread_start("reader", [&] {
    received = client.receive(sent.size() + 1);
    client.send("thanks");
    client.finish();
  });
  std::string heard;
  for (Message message = server.poll(); message.type != MessageType::close; message = server.poll())
    heard += message.data.view();
  EXPECT_EQ(machine_.thread_join(reader), 0);
  EXPECT_TRUE(received == sent);
  EXPECT_EQ(heard, "thanks");
  EXPECT_EQ(server.info(id).id, 0U) << "both directions are over: it is gone";
}

TEST_P(SocketServerTest, FinishAfterThePeerHasFinishedIsAClose) {
  SocketServer& server = serve();
  Client client(endpoint_);
  const SocketId id = accept();
  client.finish();
  poll(MessageType::close);
  EXPECT_EQ(server.send(id, "last"), 0);
  server.finish(id);
  EXPECT_EQ(client.receive(10), "last");
  EXPECT_EQ(server.info(id).id, 0U);
}

TEST_P(SocketServerTest, APausedConnectionThatEndsKeepsItsDataForLater) {
  SocketServer& server = serve();
  Client client(endpoint_);
  const SocketId id = accept();
  server.pause(id);
  server.finish(id);
  client.send("read me later");
  client.close();  // now both directions are shut, which epoll reports whether it was asked or not
  Client other(endpoint_);
  const SocketId next = accept();
  EXPECT_NE(next, id);
  const int waits = os_.waits;
  server.start(kOwner, id);
  EXPECT_EQ(poll(MessageType::data).data.view(), "read me later");
  EXPECT_EQ(poll(MessageType::close).id, id);
  EXPECT_LE(os_.waits, waits + 4);
}

TEST_P(SocketServerTest, ExitTakesTheOpenConnectionsAlong) {
  SocketServer& server = serve();
  Client client(endpoint_);
  accept();
  server.exit();
  poll(MessageType::exit);
  EXPECT_EQ(server.listen(kOwner, os::Endpoint{}).error, -EPIPE) << "too late";
  server_.reset();
  EXPECT_EQ(client.receive_end(), 0);
}

}  // namespace
}  // namespace wakepath::server
