#include "src/os/linux_os.hh"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <set>

#include "src/os/endpoint.hh"
#include "src/os/retry.hh"

namespace wakepath::os {
namespace {

TEST(LinuxOs, AFailureIsTheNegativeErrno) {
  LinuxOs os;
  char byte = 0;
  EXPECT_EQ(os.close(-1), -EBADF);
  EXPECT_EQ(os.read(-1, &byte, 1), -EBADF);
  EXPECT_EQ(os.socket(-1, 0, 0), -EAFNOSUPPORT);
  EXPECT_EQ(os.epoll_create1(-1), -EINVAL);
  EXPECT_EQ(os.thread_join(123456), -ESRCH);
}

TEST(LinuxOs, BytesGoThroughAPipeAndANonblockingEndSaysWhenItIsEmpty) {
  LinuxOs os;
  int fds[2];
  ASSERT_EQ(os.pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
  std::array<char, 8> buffer{};
  EXPECT_EQ(os.read(fds[0], buffer.data(), buffer.size()), -EAGAIN);
  EXPECT_EQ(os.write(fds[1], "abc", 3), 3);
  EXPECT_EQ(os.read(fds[0], buffer.data(), buffer.size()), 3);
  EXPECT_EQ(std::string(buffer.data(), 3), "abc");
  EXPECT_EQ(os.fcntl(fds[0], F_GETFL, 0) & O_NONBLOCK, O_NONBLOCK);
  EXPECT_EQ(os.close(fds[0]), 0);
  EXPECT_EQ(os.close(fds[1]), 0);
}

TEST(LinuxOs, ThreadsHaveNamesAndIdsOfTheirOwn) {
  LinuxOs os;
  const int here = os.thread_self().id;
  std::array<ThreadInfo, 3> seen;
  std::set<int> ids{here};
  for (ThreadInfo& info : seen) {
    const int thread = os.thread_start("worker", [&] { info = os.thread_self(); });
    ASSERT_GT(thread, 0);
    EXPECT_EQ(os.thread_join(thread), 0);
    EXPECT_EQ(info.id, thread);
    EXPECT_EQ(info.name, "worker");
    ids.insert(info.id);
  }
  EXPECT_EQ(ids.size(), 4U) << "an id is not used again after its thread has ended";
  EXPECT_EQ(os.thread_self().id, here);
}

TEST(LinuxOs, ParkLooksAtTheWordBeforeItSleeps) {
  LinuxOs os;
  std::atomic<uint32_t> word{1};
  EXPECT_EQ(os.park(word, 2, -1), -EAGAIN);
  EXPECT_EQ(os.park(word, 1, 1'000), -ETIMEDOUT);
  EXPECT_EQ(os.unpark(word, 1), 0) << "nobody sleeps";
}

TEST(LinuxOs, TheClockGoesForwardAndChanceFillsEveryByte) {
  LinuxOs os;
  const int64_t before = os.monotonic_ns();
  EXPECT_EQ(os.sleep_ns(1'000), 0);
  EXPECT_GE(os.monotonic_ns(), before + 1'000);
  std::array<unsigned char, 256> bytes{};
  ASSERT_EQ(os.random(bytes.data(), bytes.size()), 0);
  EXPECT_GT(std::set(bytes.begin(), bytes.end()).size(), 50U);
}

TEST(RetryOnEintr, RepeatsAnInterruptedCallAndNoOther) {
  int calls = 0;
  EXPECT_EQ(retry_on_eintr([&] { return ++calls < 3 ? -EINTR : 7; }), 7);
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(retry_on_eintr([&] { return ++calls, -EAGAIN; }), -EAGAIN);
  EXPECT_EQ(calls, 4);
}

TEST(Endpoint, IsReadAndWrittenAsFourNumbers) {
  const auto endpoint = Endpoint::parse("127.0.0.2", 80);
  ASSERT_TRUE(endpoint.has_value());
  EXPECT_EQ(endpoint->to_string(), "127.0.0.2:80");
  EXPECT_EQ(Endpoint::from_sockaddr(endpoint->to_sockaddr()), *endpoint);
  for (const char* wrong : {"", "localhost", "127.0.0", "1.2.3.4.5", "::1"})
    EXPECT_FALSE(Endpoint::parse(wrong, 80).has_value()) << wrong;
}

}  // namespace
}  // namespace wakepath::os
