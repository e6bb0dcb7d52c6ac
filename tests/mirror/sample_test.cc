// One of so many connections is followed, the others are not; and nothing is made up about these.

#include <list>
#include <thread>
#include <vector>

#include "tests/mirror/fixture.hh"

namespace wakepath::mirror {
namespace {

using server::Client;

/// The echo server, of whose connections one of so many is followed.
class Sampled {
 public:
  explicit Sampled(uint32_t one_of) : log_({.one_of = one_of}) { EXPECT_EQ(session_.start(0), 0); }
  os::Endpoint endpoint() const { return session_.endpoint(); }
  cli::ServeSession& session() { return session_; }
  os::CallLog& log() { return log_; }
  Mirror& mirror() { return mirror_; }
  Follower& follower() { return follower_; }
  Figures stop() {
    session_.stop();
    follower_.catch_up();
    return mirror_.figures();
  }

 private:
  os::LinuxOs machine_;
  Mirror mirror_;
  os::CallLog log_;
  os::RecordedOs os_{machine_, log_};
  StepLog steps_{log_, &os_};
  Follower follower_{log_, mirror_};
  cli::ServeSession session_{os_, steps_};
};

class MirrorSample : public server::DescriptorsStay {};

TEST_F(MirrorSample, WhatIsFollowedAgreesAndTheRestIsCounted) {
  Sampled server(4);
  std::list<Client> clients;
  for (int i = 0; i < 12; ++i) clients.emplace_back(server.endpoint());
  for (Client& client : clients) talk(client, 20);
  clients.pop_front();  // of those that are followed
  clients.pop_front();
  clients.back().reset();
  clients.pop_back();
  for (int i = 0; i < 5; ++i) clients.emplace_back(server.endpoint());
  for (Client& client : clients) talk(client, 3);
  server.follower().consult_all_oracles();
  clients.clear();
  const Figures figures = server.stop();
  expect_agreement(figures);
  EXPECT_GE(server.log().passed_by(), 9U * 20 * 2) << "recv and send of nine connections of twelve";
  EXPECT_GE(figures.checked, 3U * 20 * 2 + 17) << "those of the others, and all accepts\n" << in_words(figures);
  EXPECT_GT(figures.not_in_sample, 9U * 2) << "registered and closed";
}

TEST_F(MirrorSample, ItCanBeTurnedOffAndOnMeanwhile) {
  Sampled server(3);
  std::vector<std::thread> talkers;
  for (int i = 0; i < 3; ++i)
    talkers.emplace_back([&] {
      for (int round = 0; round < 25; ++round) {
        Client client(server.endpoint());
        talk(client, 4);
      }
    });
  std::list<Client> stay;
  for (int i = 0; i < 4; ++i) stay.emplace_back(server.endpoint());
  for (int turn = 0; turn < 4; ++turn) {
    for (Client& client : stay) talk(client, 5);
    server.follower().turn(turn % 2 != 0);
  }
  for (Client& client : stay) talk(client, 5);
  for (std::thread& talker : talkers) talker.join();
  const Figures figures = server.stop();
  EXPECT_EQ(figures.divergences, 0U) << in_words(figures);
  EXPECT_EQ(figures.lost, 0U) << in_words(figures);
}

TEST_F(MirrorSample, AConnectionInsideTheProcessIsLeftOutAtBothEnds) {
  Sampled server(2);
  Client first(server.endpoint());
  talk(first, 2);
  ASSERT_EQ(server.session().start_demo(0), 0);
  EXPECT_EQ(server.session().join_demo().error, 0);
  const Figures figures = server.stop();
  EXPECT_EQ(figures.divergences, 0U) << in_words(figures);
  EXPECT_EQ(figures.lost, 0U) << in_words(figures);
  EXPECT_TRUE(figures.reasons.contains("a descriptor that the model does not have: its other end is not in the sample"))
      << in_words(figures);
}

}  // namespace
}  // namespace wakepath::mirror
