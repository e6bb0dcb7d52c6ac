#include "src/os/recorded_os.hh"
#include "src/os/sight.hh"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <atomic>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "src/os/linux_os.hh"
#include "src/os/mutex.hh"

namespace wakepath::os {
namespace {

class RecordedOsTest : public testing::Test {
 protected:
  /// All calls so far that have returned.
  std::vector<CallRecord>& records() {
    for (LogItem item; log_.next(item);)
      if (item.kind == LogItem::Kind::returned) records_.push_back(item.record);
    return records_;
  }
  CallRecord last() { return records().back(); }
  LinuxOs machine_;
  CallLog log_;
  RecordedOs os_{machine_, log_};
  std::vector<CallRecord> records_;
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
  const int64_t ago_ns = machine_.monotonic_ns() - record.at_ns;
  EXPECT_LT(std::abs(ago_ns), 60'000'000'000) << "the clock is CLOCK_MONOTONIC";

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
  EXPECT_EQ(last().sequence, 5U) << "places have no gaps";
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
  for (const CallRecord& record : records()) {
    EXPECT_EQ(record.thread_name, record.call() == Call::read ? "reader" : "main") << name_of(record.call());
  }
  for (int end : fds) os_.close(end);
}

TEST_F(RecordedOsTest, WhatTheKernelsSocketsHaveNoPartInIsNotInTheRecording) {
  Mutex mutex(os_);
  { Lock hold(mutex); }
  os_.monotonic_ns();
  os_.sleep_ns(1);
  EXPECT_TRUE(records().empty());
}

TEST_F(RecordedOsTest, ACallThatSleepsIsThereWhenItBeginsAndAgainWhenItReturns) {
  int fds[2];
  os_.pipe2(fds, O_CLOEXEC);
  const int reader = os_.thread_start("reader", [&] {
    char got = 0;
    os_.read(fds[0], &got, 1);
  });
  std::vector<std::string> order;
  LogItem item;
  while (order.size() < 2)  // pipe2, and the read's beginning, which somebody has yet to end
    if (log_.wait(1'000'000'000) && log_.next(item))
      order.push_back(std::string(name_of(item.record.call())) +
                      (item.kind == LogItem::Kind::entering ? " begins" : " returns"));
  os_.write(fds[1], "!", 1);
  os_.thread_join(reader);
  while (log_.next(item))
    if (item.record.call() == Call::read) order.push_back(std::string(name_of(item.record.call())) + " returns");
  EXPECT_EQ(order, (std::vector<std::string>{"pipe2 returns", "read begins", "read returns"}));
  for (int end : fds) os_.close(end);
}

TEST_F(RecordedOsTest, CallsThatCannotSleepStandInTheOrderInWhichTheyTookEffect) {
  int fds[2];
  os_.pipe2(fds, O_CLOEXEC | O_NONBLOCK);
  std::vector<int> writers;
  for (int who = 0; who < 3; ++who)
    writers.push_back(os_.thread_start("writer", [&, who] {
      const char byte = static_cast<char>('a' + who);
      for (int n = 0; n < 500; ++n) os_.write(fds[1], &byte, 1);
    }));
  for (const int writer : writers) os_.thread_join(writer);
  std::string order;
  for (const CallRecord& record : records())
    if (record.call() == Call::write) order += std::get<call::Write>(record.arguments).data;
  std::string bytes(2000, ' ');
  bytes.resize(static_cast<size_t>(machine_.read(fds[0], bytes.data(), bytes.size())));
  EXPECT_EQ(order, bytes);
  for (int end : fds) os_.close(end);
}

TEST(CallLog, AWriterWithoutRoomWaitsForTheReaderAndNothingIsLost) {
  LinuxOs machine;
  CallLog log({.slots = 256});
  RecordedOs os(machine, log);
  constexpr uint64_t kCalls = 20'000;
  const int writer = machine.thread_start("writer", [&] {
    for (uint64_t n = 0; n < kCalls; ++n) os.fcntl(-1, F_GETFL, static_cast<int>(n));
  });
  uint64_t next = 0;
  for (LogItem item; next < kCalls && log.wait(10'000'000'000);)
    while (log.next(item)) EXPECT_EQ(std::get<call::Fcntl>(item.record.arguments).argument, static_cast<int>(next++));
  EXPECT_EQ(next, kCalls);
  machine.thread_join(writer);
}

TEST(CallLog, BytesThatGoRoundTheEndOfTheRingComeOutAsTheyWentIn) {
  LinuxOs machine;
  CallLog log({.slots = 1024});
  RecordedOs os(machine, log);
  int fds[2];
  os.pipe2(fds, O_CLOEXEC | O_NONBLOCK);
  LogItem item;
  log.next(item);
  for (size_t size = 1; size < 4000; size += 37) {
    const std::string data(size, static_cast<char>('a' + size % 26));
    std::string back(size, ' ');
    os.write(fds[1], data.data(), size);
    os.read(fds[0], back.data(), size);
    ASSERT_TRUE(log.next(item));
    EXPECT_EQ(std::get<call::Write>(item.record.arguments).data, data);
    ASSERT_TRUE(log.next(item));
    EXPECT_EQ(item.record.output.data, data);
  }
  for (int end : fds) os.close(end);
}

TEST(CallLog, IsOverForWritersWhenItIsClosed) {
  LinuxOs machine;
  CallLog log({.slots = 256});
  RecordedOs os(machine, log);
  const int writer = machine.thread_start("writer", [&] {
    while (log.on()) os.fcntl(-1, F_GETFL, 0);  // until there is no room, and then it waits
    os.fcntl(-1, F_GETFL, 0);
  });
  while (log.given() < 200) machine.sleep_ns(10'000);
  log.close();
  EXPECT_EQ(machine.thread_join(writer), 0);
  EXPECT_GE(log.missed(), 1U);
}

std::vector<Call> calls_in(CallLog& log) {
  std::vector<Call> calls;
  for (LogItem item; log.next(item);)
    if (item.kind == LogItem::Kind::returned) calls.push_back(item.record.call());
  return calls;
}

TEST(CallLog, WhileItIsOffOnlyWhatDescriptorsOweTheirStateToIsRecorded) {
  LinuxOs machine;
  CallLog log;
  RecordedOs os(machine, log);
  log.turn(false);
  int fds[2];
  os.pipe2(fds, O_CLOEXEC | O_NONBLOCK);
  os.write(fds[1], "x", 1);
  const int fd = os.socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  os.close(fd);
  EXPECT_EQ(log.missed(), 1U);
  EXPECT_EQ(calls_in(log), (std::vector{Call::pipe2, Call::socket, Call::close}));
  const std::vector<LogItem> origins = log.origins();
  ASSERT_EQ(origins.size(), 1U) << "the socket is closed";
  EXPECT_EQ(origins.front().record.call(), Call::pipe2);
  log.turn(true);
  os.write(fds[1], "y", 1);
  EXPECT_EQ(calls_in(log), std::vector{Call::write});
  EXPECT_EQ(held_in_pipe(fds[0]), "xy");
  for (int end : fds) os.close(end);
}

TEST(CallLog, ACallThatSleptWhileItWasTurnedOnHasItsReturnInIt) {
  LinuxOs machine;
  CallLog log;
  RecordedOs os(machine, log);
  int fds[2];
  os.pipe2(fds, O_CLOEXEC);
  log.turn(false);
  std::atomic<bool> about{false};
  const int reader = machine.thread_start("reader", [&] {
    char byte = 0;
    about.store(true);
    os.read(fds[0], &byte, 1);
  });
  while (!about.load()) machine.sleep_ns(10'000);
  log.turn(true);  // it sleeps, or has its beginning in the log as well
  machine.write(fds[1], "x", 1);
  machine.thread_join(reader);
  const std::vector<Call> calls = calls_in(log);
  ASSERT_FALSE(calls.empty());
  EXPECT_EQ(calls.back(), Call::read);
  for (int end : fds) os.close(end);
}

}  // namespace
}  // namespace wakepath::os
