// The eight verbs: epoll on the running kernel, kqueue as far as it is plain functions.

#include "src/server/poller.hh"

#include <vector>

#include "src/server/kqueue_poller.hh"
#include "tests/server/fixture.hh"

namespace wakepath::server {
namespace {

class EpollTest : public DescriptorsStay, public testing::WithParamInterface<PollerKind> {
 protected:
  void SetUp() override {
    DescriptorsStay::SetUp();
    poller_ = Poller::make(GetParam(), os_);
    ASSERT_EQ(os_.pipe2(pipe_, O_CLOEXEC | O_NONBLOCK), 0);
  }
  void TearDown() override {
    poller_.reset();
    for (int fd : pipe_) os_.close(fd);
    DescriptorsStay::TearDown();
  }
  /// What is ready now.
  std::vector<Ready> look() {
    std::array<Ready, Poller::kBatch> ready;
    const int count = poller_->wait(ready, 0);
    EXPECT_GE(count, 0);
    return {ready.begin(), ready.begin() + count};
  }

  os::LinuxOs os_;
  std::unique_ptr<Poller> poller_;
  int pipe_[2] = {-1, -1};
};
INSTANTIATE_TEST_SUITE_P(Kinds, EpollTest, testing::Values(PollerKind::epoll_level, PollerKind::epoll_edge),
                         [](const auto& kind) { return kind.param == PollerKind::epoll_edge ? "Edge" : "Level"; });

TEST_P(EpollTest, IsValidFromCreateToRelease) {
  EXPECT_FALSE(poller_->valid());
  EXPECT_EQ(poller_->create(), 0);
  EXPECT_TRUE(poller_->valid());
  poller_->release();
  EXPECT_FALSE(poller_->valid());
  EXPECT_LT(poller_->add(pipe_[0], 1, true, false), 0);
}

TEST_P(EpollTest, ReportsWhatIsAskedForUntilItIsTakenOut) {
  ASSERT_EQ(poller_->create(), 0);
  ASSERT_EQ(poller_->add(pipe_[0], 7, true, false), 0);
  ASSERT_EQ(poller_->add(pipe_[1], 8, false, false), 0);
  EXPECT_TRUE(look().empty());
  ASSERT_EQ(poller_->enable(pipe_[1], 9, false, true), 0);
  EXPECT_EQ(look(), std::vector<Ready>({{.key = 9, .writable = true}})) << "the key may change as well";
  ASSERT_EQ(poller_->del(pipe_[1]), 0);
  EXPECT_TRUE(look().empty());
  ASSERT_EQ(os_.write(pipe_[1], "x", 1), 1);
  EXPECT_EQ(look(), std::vector<Ready>({{.key = 7, .readable = true}}));
}

TEST_P(EpollTest, LevelRepeatsAndEdgeDoesNot) {
  ASSERT_EQ(poller_->create(), 0);
  ASSERT_EQ(poller_->add(pipe_[0], 7, true, false), 0);
  ASSERT_EQ(os_.write(pipe_[1], "x", 1), 1);
  EXPECT_EQ(look().size(), 1U);
  EXPECT_EQ(look().size(), poller_->edge_triggered() ? 0U : 1U);
  ASSERT_EQ(poller_->enable(pipe_[0], 7, true, false), 0);
  EXPECT_EQ(look().size(), 1U) << "what is ready is reported anew when it is asked for anew";
}

TEST_P(EpollTest, ReportsHangUpsUnasked) {
  ASSERT_EQ(poller_->create(), 0);
  ASSERT_EQ(poller_->add(pipe_[0], 7, false, false), 0);
  os_.close(std::exchange(pipe_[1], os_.fcntl(pipe_[0], F_DUPFD_CLOEXEC, 0)));
  const std::vector<Ready> ready = look();
  ASSERT_EQ(ready.size(), 1U);
  EXPECT_TRUE(ready[0].hangup);
}

TEST_P(EpollTest, NonblockingSaysWhatWasBefore) {
  int fds[2];
  ASSERT_EQ(os_.pipe2(fds, O_CLOEXEC), 0);
  EXPECT_EQ(poller_->nonblocking(fds[0]), 0);
  EXPECT_EQ(poller_->nonblocking(fds[0]), 1);
  char byte = 0;
  EXPECT_EQ(os_.read(fds[0], &byte, 1), -EAGAIN);
  EXPECT_LT(poller_->nonblocking(-1), 0);
  for (int fd : fds) os_.close(fd);
}

using Action = KChange::Action;

TEST(Kqueue, BothFiltersAreThereFromTheBeginningEnabledOrNot) {
  EXPECT_EQ(changes_to_add(5, 70, true, false), (std::array{KChange{5, KFilter::read, Action::add_enabled, 70},
                                                            KChange{5, KFilter::write, Action::add_disabled, 70}}));
  EXPECT_EQ(changes_to_enable(5, 70, false, true), (std::array{KChange{5, KFilter::read, Action::disable, 70},
                                                               KChange{5, KFilter::write, Action::enable, 70}}));
  EXPECT_EQ(changes_to_remove(5),
            (std::array{KChange{5, KFilter::read, Action::remove, 0}, KChange{5, KFilter::write, Action::remove, 0}}));
}

std::vector<Ready> translated(const std::vector<KEvent>& events) {
  std::vector<Ready> ready(Poller::kBatch);
  ready.resize(static_cast<size_t>(translate(events, ready)));
  return ready;
}

TEST(Kqueue, TwoEventsOfOneDescriptorAreOneInWhateverOrder) {
  const std::vector<Ready> both = {{.key = 7, .readable = true, .writable = true}};
  EXPECT_EQ(translated({{.filter = KFilter::read, .key = 7}, {.filter = KFilter::write, .key = 7}}), both);
  EXPECT_EQ(translated({{.filter = KFilter::write, .key = 7}, {.filter = KFilter::read, .key = 7}}), both);
}

TEST(Kqueue, OthersKeepTheOrderOfTheirFirstEvents) {
  EXPECT_EQ(translated({{.filter = KFilter::write, .key = 3},
                        {.filter = KFilter::read, .key = 1},
                        {.filter = KFilter::read, .key = 3}}),
            (std::vector<Ready>{{.key = 3, .readable = true, .writable = true}, {.key = 1, .readable = true}}));
}

TEST(Kqueue, AFinIsSomethingToReadAndNoHangUp) {
  EXPECT_EQ(translated({{.filter = KFilter::read, .eof = true, .key = 7}}),
            (std::vector<Ready>{{.key = 7, .readable = true}}));
}

TEST(Kqueue, TheEndOfBothDirectionsIsAHangUp) {
  EXPECT_EQ(
      translated({{.filter = KFilter::read, .eof = true, .key = 7}, {.filter = KFilter::write, .eof = true, .key = 7}}),
      (std::vector<Ready>{{.key = 7, .readable = true, .writable = true, .hangup = true}}));
  EXPECT_EQ(
      translated({{.filter = KFilter::read, .eof = true, .key = 7}, {.filter = KFilter::write, .eof = true, .key = 8}}),
      (std::vector<Ready>{{.key = 7, .readable = true}, {.key = 8, .writable = true}}))
      << "each of another socket";
}

TEST(Kqueue, TheErrorThatComesWithAnEndIsAnError) {
  EXPECT_EQ(translated({{.filter = KFilter::read, .eof = true, .error = ECONNRESET, .key = 7}}),
            (std::vector<Ready>{{.key = 7, .readable = true, .error = true}}));
}

TEST(Kqueue, AFullBatchFits) {
  std::vector<KEvent> events;
  for (uint64_t key = 1; key <= Poller::kBatch; ++key) events.push_back({.filter = KFilter::read, .key = key});
  EXPECT_EQ(translated(events).size(), size_t{Poller::kBatch});
}

TEST(Kqueue, ThereIsNoneOnLinux) {
  os::LinuxOs os;
  EXPECT_EQ(Poller::make(PollerKind::kqueue, os), nullptr);
  probe::Probe probe;
  SocketServer server(os, probe, {.poller = PollerKind::kqueue});
  EXPECT_EQ(server.open(), -ENOSYS);
}

}  // namespace
}  // namespace wakepath::server
