// Readings of the kernel's own tables against the model.

#include <fcntl.h>

#include "sim/trace/file.hh"
#include "tests/mirror/fixture.hh"

namespace wakepath::mirror {
namespace {

class MirrorOracles : public server::DescriptorsStay {};

TEST_F(MirrorOracles, AgreeAfterTheDemoAndWithAClientConnected) {
  Mirrored server;
  EXPECT_EQ(server.demo(), 0);
  server::Client client(server.endpoint());
  client.send("here");
  EXPECT_EQ(client.receive(4), "here");
  server.follower().consult_all_oracles();
  const Figures figures = server.stop();
  EXPECT_EQ(figures.divergences, 0U) << in_words(figures);
  EXPECT_GE(figures.readings, 2U) << "the epoll and the listener at least\n" << in_words(figures);
}

TEST_F(MirrorOracles, SeeARegistrationThatWasMadePastTheBoundary) {
  MirrorOptions options;
  options.oracle_share = 0;
  Mirror mirror(options);
  os::LinuxOs machine;
  os::CallLog log;
  os::RecordedOs os(machine, log);
  Follower follower(log, mirror);
  const int epfd = os.epoll_create1(EPOLL_CLOEXEC);
  int fds[2];
  ASSERT_EQ(os.pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
  follower.consult_all_oracles();
  EXPECT_EQ(mirror.figures().divergences, 0U) << in_words(mirror.figures());
  epoll_event event{};
  event.events = EPOLLIN;
  ASSERT_EQ(machine.epoll_ctl(epfd, EPOLL_CTL_ADD, fds[0], &event), 0);
  follower.consult_all_oracles();
  EXPECT_EQ(mirror.figures().divergences, 1U);
  EXPECT_NE(mirror.figures().first_divergence.find("interest list"), std::string::npos);
  for (int fd : {fds[0], fds[1], epfd}) os.close(fd);
}

TEST_F(MirrorOracles, SeeABacklogThatWasChangedPastTheBoundary) {
  MirrorOptions options;
  options.oracle_share = 0;
  Mirror mirror(options);
  os::LinuxOs machine;
  os::CallLog log;
  os::RecordedOs os(machine, log);
  Follower follower(log, mirror);
  const int fd = os.socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = os::Endpoint{}.to_sockaddr();
  ASSERT_EQ(os.bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(os.listen(fd, 5), 0);
  follower.consult_all_oracles();
  EXPECT_EQ(mirror.figures().divergences, 0U) << in_words(mirror.figures());
  EXPECT_EQ(mirror.figures().readings, 1U);
  ASSERT_EQ(machine.listen(fd, 7), 0);
  follower.consult_all_oracles();
  EXPECT_EQ(mirror.figures().divergences, 1U);
  os.close(fd);
}

}  // namespace
}  // namespace wakepath::mirror
