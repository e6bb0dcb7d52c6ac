#include <algorithm>
#include <list>
#include <map>
#include <mutex>
#include <string>

#include "src/cli/serve_session.hh"
#include "src/os/recorded_os.hh"
#include "tests/server/fixture.hh"

namespace wakepath::server {
namespace {

class EchoTest : public DescriptorsStay {
 protected:
  void TearDown() override {
    session_.stop();
    DescriptorsStay::TearDown();
  }
  os::LinuxOs os_;
  probe::Probe probe_;
  cli::ServeSession session_{os_, probe_};
};

TEST_F(EchoTest, ManyConnectionsAtOnceEachGetTheirOwnWordsBack) {
  ASSERT_EQ(session_.start(0), 0);
  std::list<Client> clients;
  for (int i = 0; i < 50; ++i) clients.emplace_back(session_.endpoint());
  for (int round = 0; round < 3; ++round) {
    int number = 0;
    for (Client& client : clients) client.send("client " + std::to_string(number++) + "\n");
    number = 0;
    for (Client& client : clients) {
      const std::string expected = "client " + std::to_string(number++) + "\n";
      ASSERT_EQ(client.receive(expected.size()), expected);
    }
  }
  clients.clear();
  session_.stop();
  EXPECT_EQ(session_.connections(), 50U);
}

TEST_F(EchoTest, ASlowReaderGetsEveryByteInOrder) {
  ASSERT_EQ(session_.start(0), 0);
  Client client;
  client.little_room();
  ASSERT_EQ(client.connect(session_.endpoint()), 0);
  const std::string sent = pattern(16 * 1024 * 1024);
  const int writer = os_.thread_start("writer", [&] {
    client.send(sent);
    client.finish();
  });
  const std::string received = client.receive(sent.size() + 1);
  EXPECT_EQ(os_.thread_join(writer), 0);
  EXPECT_EQ(received.size(), sent.size());
  EXPECT_TRUE(received == sent);
}

TEST_F(EchoTest, AFloodThatNeverReadsIsHeldUpAndOthersAreServed) {
  ASSERT_EQ(session_.start(0), 0);
  Client flood;
  flood.little_room();
  ASSERT_EQ(flood.connect(session_.endpoint()), 0);
  const timeval limit{.tv_sec = 0, .tv_usec = 300'000};
  setsockopt(flood.fd(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  const std::string piece(1024 * 1024, 'f');
  size_t accepted = 0;
  constexpr size_t far_too_much = 256;
  while (accepted < far_too_much &&
         ::send(flood.fd(), piece.data(), piece.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(piece.size()))
    ++accepted;
  EXPECT_LT(accepted, far_too_much) << "the server took it all: nothing holds a flood up";
  Client polite(session_.endpoint());
  polite.send("excuse me");
  EXPECT_EQ(polite.receive(9), "excuse me");
  flood.reset();
}

TEST_F(EchoTest, ResetsInTheMiddleOfThingsAreSurvived) {
  ASSERT_EQ(session_.start(0), 0);
  for (int i = 0; i < 50; ++i) {
    Client rude(session_.endpoint());
    if (i % 2 == 0) rude.send("unanswered");
    if (i % 10 == 0) rude.receive(1);  // some wait until the server has begun to answer
    rude.reset();
  }
  Client polite(session_.endpoint());
  polite.send("hello");
  EXPECT_EQ(polite.receive(5), "hello");
}

TEST_F(EchoTest, StoppingEndsTheConnectionsAndStoppingTwiceIsNothing) {
  ASSERT_EQ(session_.start(0), 0);
  Client client(session_.endpoint());
  client.send("hello");
  EXPECT_EQ(client.receive(5), "hello");
  session_.stop();
  EXPECT_EQ(client.receive_end(), 0);
  session_.stop();
  EXPECT_EQ(session_.messages(), 5U) << "two opens and an accept, one open, one data";
}

TEST_F(EchoTest, ThePortIsFreeAgainAfterwards) {
  ASSERT_EQ(session_.start(0), 0);
  const uint16_t port = session_.endpoint().port;
  {
    cli::ServeSession second(os_, probe_);
    EXPECT_EQ(second.start(port), -EADDRINUSE);
  }
  {
    Client client(session_.endpoint());
    client.send("leave a TIME_WAIT");
    client.receive(17);
  }
  session_.stop();
  cli::ServeSession third(os_, probe_);
  EXPECT_EQ(third.start(port), 0);
}

TEST_F(EchoTest, TheDemoClientGetsItsAnswers) {
  ASSERT_EQ(session_.start(0), 0);
  ASSERT_GE(session_.start_demo(0), 0);
  const cli::DemoReport report = session_.join_demo();
  EXPECT_TRUE(session_.demo_done());
  EXPECT_EQ(report.error, 0);
  EXPECT_EQ(report.connections, 3);
  EXPECT_EQ(report.messages, 6);
  session_.stop();
  EXPECT_EQ(session_.connections(), 3U);
}

TEST_F(EchoTest, StoppingTheServerEndsADemoInItsMiddle) {
  ASSERT_EQ(session_.start(0), 0);
  ASSERT_GE(session_.start_demo(1'000'000), 0);
  session_.stop();
  EXPECT_TRUE(session_.demo_done());
}

TEST_F(EchoTest, ServerAndDemoRunThroughARecorderWithoutHoldingEachOtherUp) {
  os::CallLog log;
  os::RecordedOs recorded(os_, log);
  cli::ServeSession session(recorded, probe_);
  ASSERT_EQ(session.start(0), 0);
  ASSERT_GE(session.start_demo(0), 0);
  EXPECT_EQ(session.join_demo().error, 0);
  session.stop();
  int slept = 0;
  std::map<std::string, int, std::less<>> at_once;  // calls that did not sleep, by thread
  for (os::LogItem item; log.next(item);) {
    if (item.kind == os::LogItem::Kind::entering) ++slept;
    if (item.kind == os::LogItem::Kind::returned && !item.record.sleeps)
      ++at_once[std::string(item.record.thread_name)];
  }
  EXPECT_GT(slept, 10);
  EXPECT_GT(at_once["socket-server"], 30);
  EXPECT_GE(at_once["demo-client"], 9) << "socket, shutdown, close of each connection";
}

/// Writes down user-level events as one line each.
class Diary : public probe::Probe {
 public:
  void command_sent(const probe::CommandStep& step) override { add("sent " + std::string(step.name)); }
  void command_executed(const probe::CommandStep& step) override { add("executed " + std::string(step.name)); }
  void sent(const probe::SendStep& step) override {
    add("sends " + std::to_string(step.taken) + " of " + std::to_string(step.bytes));
  }
  void message_pushed(const probe::MessageStep& step) override { add("pushed " + std::string(step.type)); }
  void message_taken(const probe::MessageStep& step) override { add("taken " + std::string(step.type)); }
  void callback_entered(const probe::CallbackStep& step) override { add("enters " + std::string(step.name)); }
  void callback_left(const probe::CallbackStep& step) override { add("leaves " + std::string(step.name)); }
  std::vector<std::string> lines() {
    std::lock_guard hold(lock_);
    return lines_;
  }

 private:
  void add(std::string line) {
    std::lock_guard hold(lock_);
    lines_.push_back(std::move(line));
  }
  std::mutex lock_;
  std::vector<std::string> lines_;
};

TEST_F(EchoTest, TheProbeHearsTheWayOfOneMessageInOrder) {
  Diary diary;
  cli::ServeSession session(os_, diary);
  ASSERT_EQ(session.start(0), 0);
  Client client(session.endpoint());
  for (int i = 0; i < 2; ++i) {  // when the second has come back, everything about the first is written down
    client.send("hello");
    EXPECT_EQ(client.receive(5), "hello");
  }
  session.stop();
  const std::vector<std::string> lines = diary.lines();
  const std::vector<std::string> way = {"pushed data", "taken data", "enters on_data", "sends 5 of 5",
                                        "leaves on_data"};
  EXPECT_NE(std::search(lines.begin(), lines.end(), way.begin(), way.end()), lines.end())
      << testing::PrintToString(lines);
}

}  // namespace
}  // namespace wakepath::server
