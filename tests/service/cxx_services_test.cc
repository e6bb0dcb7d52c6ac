// Echo, gate and chat, as their clients see them.

#include "src/service/chat.hh"
#include "src/service/echo.hh"
#include "src/service/framing.hh"
#include "src/service/gate.hh"
#include "tests/service/fixture.hh"

namespace wakepath::service {
namespace {

TEST(Framing, MessagesAreFoundHoweverTheStreamIsCut) {
  const std::string stream = framed("one") + framed("") + framed(std::string(65'535, 'x')) + framed("four");
  for (const size_t piece : {1UL, 2UL, 3UL, 1000UL, stream.size()}) {
    FrameReader reader;
    std::vector<std::string> messages;
    for (size_t at = 0; at < stream.size(); at += piece) {
      reader.add(std::string_view(stream).substr(at, piece));
      while (const auto message = reader.next()) messages.emplace_back(*message);
    }
    ASSERT_EQ(messages.size(), 4U) << "in pieces of " << piece;
    EXPECT_EQ(messages[0], "one");
    EXPECT_EQ(messages[1], "");
    EXPECT_EQ(messages[2].size(), 65'535U);
    EXPECT_EQ(messages[3], "four");
    EXPECT_EQ(reader.pending(), 0U);
  }
}

TEST(Framing, TheHigherByteComesFirstAndTooLongIsNothing) {
  EXPECT_EQ(framed("abc"), std::string("\0\3abc", 5));
  EXPECT_EQ(framed(std::string(258, 'a')).substr(0, 2), "\1\2");
  EXPECT_EQ(framed(std::string(65'536, 'a')), "");
}

class CxxServicesTest : public RuntimeTest {
 protected:
  void gate(size_t max_clients, GateHandler handler) {
    run();
    launch_as<Gate>(Gate::Options{.max_clients = max_clients}, std::move(handler));
  }
};

TEST_F(CxxServicesTest, TheGateTellsOfClientsAndTheirMessages) {
  gate(10, {.connect =
                [&](Gate&, server::SocketId, const std::string&) {
                  heard_.add("connect");
                  return true;
                },
            .message =
                [&](Gate& gate, server::SocketId client, std::string_view message) {
                  heard_.add("message " + std::string(message));
                  gate.send(client, "got " + std::string(message));
                },
            .disconnect = [&](Gate&, server::SocketId, std::string_view) { heard_.add("disconnect"); }});
  {
    Client client(endpoint());
    client.send(framed("one") + framed("two").substr(0, 3));
    EXPECT_EQ(client.receive(9), framed("got one"));
    client.send(framed("two").substr(3));
    EXPECT_EQ(client.receive(9), framed("got two"));
  }
  EXPECT_TRUE(heard_.wait_for("disconnect"));
  EXPECT_EQ(heard_.lines(), (std::vector<std::string>{"connect", "message one", "message two", "disconnect"}));
}

TEST_F(CxxServicesTest, AGateThatIsFullTurnsAwayAndHasRoomAgain) {
  gate(1, echoing_handler());
  {
    Client first(endpoint());
    first.send(framed("in"));
    EXPECT_EQ(first.receive(4), framed("in"));
    Client second(endpoint());
    EXPECT_LE(second.receive_end(), 0) << "one too many";
    first.send(framed("still in"));
    EXPECT_EQ(first.receive(10), framed("still in"));
  }
  for (;;) {  // until the gate has seen the first one go
    Client third(endpoint());
    const std::string frame = framed("x");
    if (::send(third.fd(), frame.data(), frame.size(), MSG_NOSIGNAL) < 0) continue;
    if (third.receive(3) == frame) break;
  }
}

TEST_F(CxxServicesTest, AClientThatIsKickedInTheMiddleOfItsMessagesIsDisconnectedOnce) {
  gate(10, {.message =
                [](Gate& gate, server::SocketId client, std::string_view message) {
                  if (message == "kick me") gate.kick(client);
                  if (message == "after") ADD_FAILURE() << "a message of a client that is gone";
                },
            .disconnect = [&](Gate&, server::SocketId, std::string_view reason) { heard_.add(std::string(reason)); }});
  Client client(endpoint());
  client.send(framed("kick me") + framed("after"));
  EXPECT_LE(client.receive_end(), 0);
  runtime_->stop();
  EXPECT_EQ(heard_.lines(), std::vector<std::string>{"kicked"});
}

TEST_F(CxxServicesTest, AHandlerMayTurnAClientAway) {
  gate(10, {.connect = [](Gate&, server::SocketId, const std::string&) { return false; },
            .disconnect = [&](Gate&, server::SocketId, std::string_view) { heard_.add("disconnect"); }});
  Client client(endpoint());
  EXPECT_LE(client.receive_end(), 0);
  runtime_->stop();
  EXPECT_TRUE(heard_.lines().empty()) << "it was never in";
}

TEST_F(CxxServicesTest, EchoGivesALargeMessageBackToASlowReader) {
  run();
  launch_as<EchoService>();
  Client client;
  client.little_room();
  ASSERT_EQ(client.connect(endpoint()), 0);
  const std::string sent = pattern(8 * 1024 * 1024);
  const int writer = os_.thread_start("writer", [&] {
    client.send(sent);
    client.finish();
  });
  const std::string received = client.receive(sent.size() + 1);
  os_.thread_join(writer);
  EXPECT_TRUE(received == sent) << received.size() << " bytes of " << sent.size();
}

TEST_F(CxxServicesTest, GuestsHearEachOther) {
  run();
  launch_as<ChatService>();
  auto line = [](Client& client) {
    std::string text;
    while (text.empty() || text.back() != '\n') {
      const std::string letter = client.receive(1);
      if (letter.empty()) break;
      text += letter;
    }
    return text;
  };
  Client first(endpoint());
  EXPECT_EQ(line(first), "you are 1, 0 others are here\n");
  {
    Client second(endpoint());
    EXPECT_EQ(line(second), "you are 2, 1 others are here\n");
    EXPECT_EQ(line(first), "2 has come\n");
    second.send("good ");
    second.send("morning\nand more\n");
    EXPECT_EQ(line(first), "2: good morning\n");
    EXPECT_EQ(line(first), "2: and more\n");
    first.send("hello\n");
    EXPECT_EQ(line(second), "1: hello\n");
  }
  EXPECT_EQ(line(first), "2 has gone\n");
  first.send(std::string(ChatService::kLongestLine + 1, 'x'));
  EXPECT_LE(first.receive_end(), 0) << "no line is that long";
}

}  // namespace
}  // namespace wakepath::service
