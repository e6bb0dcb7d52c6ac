// The mirror is turned off and on again while the server serves.

#include <atomic>
#include <list>
#include <thread>
#include <vector>

#include "tests/mirror/fixture.hh"

namespace wakepath::mirror {
namespace {

using server::Client;
using server::pattern;

class MirrorSwitch : public server::DescriptorsStay {};

TEST_F(MirrorSwitch, ItGoesOnFromWhatTheDescriptorsAreThen) {
  Mirrored server;
  std::list<Client> clients;
  for (int i = 0; i < 6; ++i) clients.emplace_back(server.endpoint());
  for (Client& client : clients) talk(client, 5);
  server.follower().turn(false);
  const Figures off = server.mirror().figures();
  clients.pop_front();
  for (int i = 0; i < 3; ++i) clients.emplace_back(server.endpoint());
  for (Client& client : clients) talk(client, 5);
  EXPECT_EQ(server.mirror().figures().calls, off.calls) << "nothing was followed";
  server.follower().turn(true);
  EXPECT_GE(server.mirror().figures().established, off.established + 10) << "listener, pipe, epoll and eight clients";
  for (Client& client : clients) talk(client, 5);
  for (int i = 0; i < 3; ++i) clients.emplace_back(server.endpoint());
  for (Client& client : clients) talk(client, 2);
  server.follower().consult_all_oracles();
  clients.clear();
  const Figures figures = server.stop();
  expect_agreement(figures);
  EXPECT_GT(figures.checked, off.checked + 100);
  EXPECT_GT(figures.readings + figures.readings_unchecked, 10U) << "of some it is still open what is on its way";
}

TEST_F(MirrorSwitch, EndsThatCameMeanwhileAreSeenWhenItIsOnAgain) {
  Mirrored server;
  Client half(server.endpoint()), paused(server.endpoint()), reset(server.endpoint()), later(server.endpoint());
  for (Client* client : {&half, &paused, &reset, &later}) talk(*client, 3);
  server.follower().turn(false);
  talk(half, 1);
  talk(reset, 1);
  talk(later, 1);
  server.follower().turn(true);
  half.finish();
  EXPECT_EQ(half.receive_end(), 0);
  later.send("abc");
  EXPECT_EQ(later.receive(3), "abc");
  later.finish();
  later.reset();
  reset.reset();
  talk(paused, 2);
  expect_agreement(server.stop());
}

TEST_F(MirrorSwitch, AConnectionThatTakesNoMoreIsUnknownFromThenOn) {
  Mirrored server;
  Client full(server.endpoint()), other(server.endpoint());
  talk(other, 2);
  server.follower().turn(false);
  const std::string flood = pattern(8'000'000);
  std::thread sender([&] { full.send(flood); });
  bool waits = false;  // bytes wait to be sent: the kernel takes no more
  while (!waits) {
    const std::string stat = server.session().console("stat");
    for (size_t end = 0, begin = 0; (end = stat.find('\n', begin)) != std::string::npos; begin = end + 1)
      waits = waits || std::stoul(stat.substr(stat.rfind(' ', end) + 1)) > 0;
    std::this_thread::yield();
  }
  server.follower().turn(true);
  talk(other, 5);
  EXPECT_EQ(full.receive(flood.size()), flood);
  sender.join();
  talk(full, 2);
  talk(other, 5);
  const Figures figures = server.stop();
  EXPECT_EQ(figures.divergences, 0U) << in_words(figures);
  EXPECT_EQ(figures.lost, 0U) << in_words(figures);
  const std::string why =
      "a descriptor that the model does not have: a connection whose send buffer was full when the mirror was turned "
      "on";
  EXPECT_TRUE(figures.reasons.contains(why)) << in_words(figures);
}

TEST_F(MirrorSwitch, ItIsTurnedWhileManyTalkAndComeAndGo) {
  Mirrored server;
  std::atomic<bool> over{false};
  std::vector<std::thread> talkers;
  for (int who = 0; who < 4; ++who)
    talkers.emplace_back([&, who] {
      while (!over.load()) {
        Client client(server.endpoint());
        talk(client, 7);
        if (who == 0) client.reset();
        if (who == 1) client.finish();
      }
    });
  Client stays(server.endpoint());
  for (int turn = 0; turn < 8; ++turn) {
    talk(stays, 20);
    server.follower().turn(turn % 2 != 0);
    EXPECT_EQ(server.follower().on(), turn % 2 != 0);
  }
  talk(stays, 20);
  over.store(true);
  for (std::thread& talker : talkers) talker.join();
  const Figures figures = server.stop();
  EXPECT_EQ(figures.divergences, 0U) << in_words(figures);
  EXPECT_EQ(figures.lost, 0U) << in_words(figures);
  EXPECT_GT(figures.checked, 200U) << in_words(figures);
}

TEST_F(MirrorSwitch, ItMayBeginWithoutAndTheDemoInsideIsUnknownThen) {
  os::LinuxOs machine;
  Mirror mirror;
  os::CallLog log;
  os::RecordedOs os(machine, log);
  StepLog steps(log);
  Follower follower(log, mirror, false);
  cli::ServeSession session(os, steps);
  ASSERT_EQ(session.start(0), 0);
  Client client(session.endpoint());
  talk(client, 3);
  EXPECT_EQ(mirror.figures().calls, 0U);
  EXPECT_GT(log.missed(), 6U);
  follower.turn(true);
  EXPECT_EQ(session.start_demo(0), 0);
  EXPECT_EQ(session.join_demo().error, 0);
  talk(client, 3);
  session.stop();
  follower.catch_up();
  expect_agreement(mirror.figures());
  EXPECT_GT(mirror.figures().checked, 80U);
}

}  // namespace
}  // namespace wakepath::mirror
