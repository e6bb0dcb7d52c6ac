// A log of calls, followed while it grows, later, or from its middle on.

#include <algorithm>
#include <fstream>
#include <iterator>
#include <list>
#include <thread>
#include <vector>

#include "sim/trace/file.hh"
#include "src/mirror/afterwards.hh"
#include "tests/mirror/fixture.hh"
#include "tests/temporary_folder.hh"

namespace wakepath::mirror {
namespace {

using server::Client;

class MirrorLog : public server::DescriptorsStay {};

/// The echo server, whose calls are recorded and not followed yet.
class Recorded {
 public:
  explicit Recorded(const os::CallLogOptions& options) : log_(options) { EXPECT_EQ(session_.start(0), 0); }
  os::Endpoint endpoint() const { return session_.endpoint(); }
  os::CallLog& log() { return log_; }
  cli::ServeSession& session() { return session_; }

 private:
  os::LinuxOs machine_;
  os::CallLog log_;
  os::RecordedOs os_{machine_, log_};
  StepLog steps_{log_};
  cli::ServeSession session_{os_, steps_};
};

void talk(Client& client, int rounds) {
  for (int round = 0; round < rounds; ++round) {
    const std::string words = server::pattern(static_cast<size_t>(1 + round % 150));
    client.send(words);
    EXPECT_EQ(client.receive(words.size()), words);
  }
}

std::string in_a_file(const Mirror& mirror, const std::filesystem::path& path) {
  { trace::FileWriter writer(*mirror.trace(), path); }
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_F(MirrorLog, FollowedLaterItGivesTheSameTraceAsAtOnce) {
  Recorded server({.slots = 65536});
  {
    std::list<Client> clients;
    for (int i = 0; i < 5; ++i) clients.emplace_back(server.endpoint());
    for (Client& client : clients) talk(client, 10);
    clients.front().finish();
    clients.back().reset();
  }
  server.session().stop();
  std::vector<os::LogItem> items;
  for (os::LogItem item; server.log().next(item);) items.push_back(item);
  Mirror at_once;
  Mirror later;
  for (os::LogItem item : items) {
    at_once.take(item);
    at_once.follow(false);
  }
  at_once.follow(true);
  for (os::LogItem item : items) later.take(item);
  EXPECT_TRUE(later.follow(true));
  expect_agreement(at_once.figures());
  EXPECT_GT(at_once.figures().injected, 50U);
  EXPECT_EQ(in_words(at_once.figures()), in_words(later.figures()));
  const test::TemporaryFolder folder;
  EXPECT_TRUE(in_a_file(at_once, folder / "at-once.wkp") == in_a_file(later, folder / "later.wkp"));
}

TEST_F(MirrorLog, AMirrorThatIsSlowerThanTheServerLosesNothing) {
  os::LinuxOs machine;
  Mirror mirror;
  os::CallLog log({.slots = 256});
  os::RecordedOs os(machine, log);
  StepLog steps(log);
  cli::ServeSession session(os, steps);
  {
    Follower follower(log, mirror);
    ASSERT_EQ(session.start(0), 0);
    std::vector<std::thread> talkers;
    for (int i = 0; i < 4; ++i)
      talkers.emplace_back([&] {
        Client client(session.endpoint());
        talk(client, 100);
      });
    for (std::thread& talker : talkers) talker.join();
    session.stop();
  }
  const Figures figures = mirror.figures();
  expect_agreement(figures);
  EXPECT_EQ(mirror.followed(), log.given());
  EXPECT_EQ(figures.checked + figures.unchecked, figures.calls);
}

TEST_F(MirrorLog, TheLastCallsAreFollowedFromWhatTheDescriptorsWereThen) {
  Recorded server(ring_of(1024));
  std::list<Client> clients;
  for (int i = 0; i < 10; ++i) clients.emplace_back(server.endpoint());
  for (Client& client : clients) talk(client, 60);
  clients.pop_front();
  Client late(server.endpoint());
  talk(late, 3);
  server.log().turn(false);
  Mirror mirror;
  follow_afterwards(server.log(), mirror);
  const Figures figures = mirror.figures();
  expect_agreement(figures);
  EXPECT_GT(figures.established, 20U) << "the listener, the pipe, the epoll and nine connections";
  EXPECT_GT(figures.checked, 50U);
  EXPECT_LT(figures.checked, 1000U) << "there were more, but they are not kept";
  server.session().stop();
}

TEST_F(MirrorLog, ALogThatIsAskedTwiceTellsOnlyWhatIsNew) {
  Recorded server(ring_of(16384));
  Client client(server.endpoint());
  talk(client, 20);
  const os::LogHistory first = server.log().history();
  talk(client, 5);
  const os::LogHistory second = server.log().history();
  const auto received = [](const os::LogHistory& history) {
    return std::count_if(history.kept.begin(), history.kept.end(), [](const os::LogItem& item) {
      return item.kind == os::LogItem::Kind::returned && item.record.call() == os::Call::recv && item.record.result > 0;
    });
  };
  EXPECT_TRUE(first.origins.empty()) << "it has everything from the beginning";
  EXPECT_GE(received(first), 20);
  EXPECT_GE(received(second), 5);
  EXPECT_LT(received(second), 20);
  EXPECT_FALSE(second.origins.empty());
  server.session().stop();
}

}  // namespace
}  // namespace wakepath::mirror
