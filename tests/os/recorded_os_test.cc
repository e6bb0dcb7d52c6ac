#include "src/os/recorded_os.hh"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "src/os/linux_os.hh"
#include "src/os/mutex.hh"

namespace wakepath::os {
namespace {

/// Keeps every record; holds its lock across calls that cannot block, as an instrument does.
class Keeper : public CallObserver {
 public:
  void entering(CallRecord& record) override {
    if (!record.may_block) calls_.lock();
  }
  void returned(CallRecord& record) override {
    {
      std::lock_guard hold(list_);
      records_.push_back(record);
    }
    if (!record.may_block) calls_.unlock();
  }
  std::vector<CallRecord> records() {
    std::lock_guard hold(list_);
    return records_;
  }

 private:
  std::mutex calls_;
  std::mutex list_;
  std::vector<CallRecord> records_;
};

class RecordedOsTest : public testing::Test {
 protected:
  CallRecord last() { return keeper_.records().back(); }
  LinuxOs machine_;
  Keeper keeper_;
  RecordedOs os_{machine_, keeper_};
};

TEST_F(RecordedOsTest, ARecordSaysWhatWentInAndWhatCameOut) {
  const int fd = os_.socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  CallRecord record = last();
  EXPECT_EQ(record.call(), Call::socket);
  EXPECT_EQ(name_of(record.call()), "socket");
  EXPECT_EQ(std::get<call::Socket>(record.arguments).type, SOCK_STREAM | SOCK_NONBLOCK);
  EXPECT_EQ(record.result, fd);
  EXPECT_EQ(record.sequence, 1U);
  EXPECT_EQ(record.thread, machine_.thread_self().id);
  EXPECT_EQ(record.thread_name, "main");
  EXPECT_GT(record.entry_ns, 0);
  EXPECT_GE(record.return_ns, record.entry_ns);

  sockaddr_in address = Endpoint{}.to_sockaddr();
  socklen_t size = sizeof address;
  os_.bind(fd, reinterpret_cast<sockaddr*>(&address), size);
  EXPECT_EQ(std::get<call::Bind>(last().arguments).address.ipv4(), Endpoint{});
  os_.getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  EXPECT_EQ(last().output.address.ipv4(), Endpoint::from_sockaddr(address));
  EXPECT_EQ(os_.recv(fd, &address, 1, 0), -ENOTCONN);
  EXPECT_EQ(last().error(), ENOTCONN);
  EXPECT_EQ(last().output.data, "");
  os_.close(fd);
  EXPECT_EQ(last().call(), Call::close);
  EXPECT_EQ(last().sequence, 5U);
}

TEST_F(RecordedOsTest, DataAndEventsAreCopied) {
  int fds[2];
  os_.pipe2(fds, O_NONBLOCK);
  EXPECT_EQ(last().output.fds, (std::array{fds[0], fds[1]}));
  const int epfd = os_.epoll_create1(0);
  epoll_event event{.events = EPOLLIN, .data = {.u64 = 42}};
  os_.epoll_ctl(epfd, EPOLL_CTL_ADD, fds[0], &event);
  EXPECT_EQ(std::get<call::EpollCtl>(last().arguments).event->data.u64, 42U);
  os_.write(fds[1], "seen", 4);
  EXPECT_EQ(std::get<call::Write>(last().arguments).data, "seen");
  std::array<epoll_event, 4> events{};
  os_.epoll_wait(epfd, events.data(), 4, -1);
  ASSERT_EQ(last().output.events.size(), 1U);
  EXPECT_EQ(last().output.events[0].data.u64, 42U);
  EXPECT_EQ(last().output.events[0].events, static_cast<uint32_t>(EPOLLIN));
  std::array<char, 16> buffer{};
  os_.read(fds[0], buffer.data(), buffer.size());
  EXPECT_EQ(last().output.data, "seen");
  for (int fd : {epfd, fds[0], fds[1]}) os_.close(fd);
}

TEST_F(RecordedOsTest, WhetherACallMayBlockIsKnownWhenItIsEntered) {
  char byte = 0;
  const int blocking = os_.socket(AF_INET, SOCK_STREAM, 0);
  os_.recv(blocking, &byte, 1, 0);
  EXPECT_TRUE(last().may_block);
  os_.recv(blocking, &byte, 1, MSG_DONTWAIT);
  EXPECT_FALSE(last().may_block);
  os_.fcntl(blocking, F_SETFL, O_NONBLOCK);
  os_.recv(blocking, &byte, 1, 0);
  EXPECT_FALSE(last().may_block);
  os_.close(blocking);
  os_.recv(blocking, &byte, 1, 0);
  EXPECT_TRUE(last().may_block) << "the descriptor is gone, and what is known of it too";
  const int epfd = os_.epoll_create1(0);
  epoll_event event{};
  os_.epoll_wait(epfd, &event, 1, 0);
  EXPECT_FALSE(last().may_block);
  os_.epoll_wait(epfd, &event, 1, 1);
  EXPECT_TRUE(last().may_block);
  os_.close(epfd);
  os_.sleep_ns(1);
  EXPECT_TRUE(last().may_block);
}

TEST_F(RecordedOsTest, AThreadThatSleepsInTheKernelHoldsUpNobody) {
  int fds[2];
  os_.pipe2(fds, O_CLOEXEC);
  char got = 0;
  const int reader = os_.thread_start("reader", [&] { os_.read(fds[0], &got, 1); });
  ASSERT_GT(reader, 0);
  const int fd = os_.epoll_create1(0);  // with the reader asleep this would wait for ever if a lock were held
  os_.close(fd);
  os_.write(fds[1], "!", 1);
  EXPECT_EQ(os_.thread_join(reader), 0);
  EXPECT_EQ(got, '!');
  for (const CallRecord& record : keeper_.records()) {
    EXPECT_EQ(record.thread_name, record.call() == Call::read ? "reader" : "main") << name_of(record.call());
  }
  for (int end : fds) os_.close(end);
}

TEST_F(RecordedOsTest, ALockWithoutContentionIsNotInTheRecording) {
  Mutex mutex(os_);
  { Lock hold(mutex); }
  EXPECT_TRUE(keeper_.records().empty());
}

}  // namespace
}  // namespace wakepath::os
