// What every machine promises, on each of them.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/time.h>

#include <array>
#include <cerrno>
#include <set>
#include <string>

#include "src/os/endpoint.hh"
#include "tests/os/machines.hh"

namespace wakepath::os {
namespace {

template <class Machine>
class OsContract : public testing::Test {
 protected:
  Machine machine_;
  Os& os_ = machine_.os;

  /// A listener on any port, and that port.
  int listen(Endpoint& at) {
    const int fd = os_.socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address = at.to_sockaddr();
    socklen_t size = sizeof address;
    EXPECT_EQ(os_.bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(os_.listen(fd, 8), 0);
    EXPECT_EQ(os_.getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
    EXPECT_EQ(size, sizeof address);
    at = Endpoint::from_sockaddr(address);
    return fd;
  }
  int connect(Endpoint to) {
    const int fd = os_.socket(AF_INET, SOCK_STREAM, 0);
    const sockaddr_in address = to.to_sockaddr();
    EXPECT_EQ(os_.connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    return fd;
  }
  std::string receive(int fd, size_t size) {
    std::string out(size, '\0');
    const ssize_t got = os_.recv(fd, out.data(), size, 0);
    out.resize(got < 0 ? 0 : static_cast<size_t>(got));
    return out;
  }
};
TYPED_TEST_SUITE(OsContract, Machines, MachineNames);

TYPED_TEST(OsContract, AFailureIsTheNegativeErrno) {
  Os& os = this->os_;
  char byte = 0;
  EXPECT_EQ(os.close(-1), -EBADF);
  EXPECT_EQ(os.read(-1, &byte, 1), -EBADF);
  EXPECT_EQ(os.socket(-1, 0, 0), -EAFNOSUPPORT);
  EXPECT_EQ(os.epoll_create1(-1), -EINVAL);
  EXPECT_EQ(os.thread_join(123456), -ESRCH);
}

TYPED_TEST(OsContract, BytesGoThroughAPipeAndANonblockingEndSaysWhenItIsEmpty) {
  Os& os = this->os_;
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

TYPED_TEST(OsContract, ThreadsHaveNamesAndIdsOfTheirOwn) {
  Os& os = this->os_;
  const int here = os.thread_self().id;
  std::array<ThreadInfo, 3> seen;
  std::set<int> ids{here};
  for (ThreadInfo& info : seen) {
    const int thread = os.thread_start("worker", [&] { info = os.thread_self(); });
    ASSERT_GT(thread, 0);
    EXPECT_EQ(os.thread_join(thread), 0);
    EXPECT_EQ(os.thread_join(thread), -ESRCH) << "once";
    EXPECT_EQ(info.id, thread);
    EXPECT_EQ(info.name, "worker");
    ids.insert(info.id);
  }
  EXPECT_EQ(ids.size(), 4U) << "an id is not used again after its thread has ended";
  EXPECT_EQ(os.thread_self().id, here);
}

TYPED_TEST(OsContract, AThreadMayStartAndJoinAnother) {
  Os& os = this->os_;
  int inner = 0;
  const int outer = os.thread_start("outer", [&] {
    const int thread = os.thread_start("inner", [&] { inner = os.thread_self().id; });
    EXPECT_EQ(os.thread_join(thread), 0);
    EXPECT_EQ(inner, thread);
  });
  EXPECT_EQ(os.thread_join(outer), 0);
}

TYPED_TEST(OsContract, ParkLooksAtTheWordBeforeItSleeps) {
  Os& os = this->os_;
  std::atomic<uint32_t> word{1};
  EXPECT_EQ(os.park(word, 2, -1), -EAGAIN);
  EXPECT_EQ(os.park(word, 1, 1'000), -ETIMEDOUT);
  EXPECT_EQ(os.unpark(word, 1), 0) << "nobody sleeps";
}

TYPED_TEST(OsContract, UnparkWakesWhoeverIsParkedOnThatWordAndNobodyElse) {
  Os& os = this->os_;
  std::atomic<uint32_t> word{0};
  std::atomic<uint32_t> other{0};
  std::atomic<int> parked{0};
  std::array<int, 3> threads{};
  for (int& thread : threads)
    thread = os.thread_start("parked", [&] {
      ++parked;
      while (word.load() == 0) os.park(word, 0, -1);
    });
  while (parked < 3) os.sleep_ns(1'000);
  EXPECT_EQ(os.unpark(other, 100), 0);
  word = 1;
  EXPECT_LE(os.unpark(word, 100), 3);
  for (int thread : threads) EXPECT_EQ(os.thread_join(thread), 0);
}

TYPED_TEST(OsContract, TheClockGoesForwardAndChanceFillsEveryByte) {
  Os& os = this->os_;
  const int64_t before = os.monotonic_ns();
  EXPECT_EQ(os.sleep_ns(1'000), 0);
  EXPECT_GE(os.monotonic_ns(), before + 1'000);
  std::array<unsigned char, 256> bytes{};
  ASSERT_EQ(os.random(bytes.data(), bytes.size()), 0);
  EXPECT_GT(std::set(bytes.begin(), bytes.end()).size(), 50U);
}

TYPED_TEST(OsContract, AConversationOfTwoThreadsOverLoopback) {
  Os& os = this->os_;
  Endpoint at;
  const int listener = this->listen(at);
  EXPECT_NE(at.port, 0);
  const int server = os.thread_start("server", [&] {
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const int fd = os.accept4(listener, reinterpret_cast<sockaddr*>(&from), &size, SOCK_CLOEXEC);
    EXPECT_GE(fd, 0);
    EXPECT_EQ(from.sin_family, AF_INET);
    EXPECT_EQ(Endpoint::from_sockaddr(from).address, uint32_t{INADDR_LOOPBACK});
    const std::string heard = this->receive(fd, 100);
    EXPECT_EQ(heard, "a question");
    EXPECT_EQ(os.send(fd, "an answer", 9, MSG_NOSIGNAL), 9);
    EXPECT_EQ(this->receive(fd, 100), "") << "the client has finished";
    EXPECT_EQ(os.close(fd), 0);
  });
  const int fd = this->connect(at);
  sockaddr_in peer{};
  socklen_t size = sizeof peer;
  EXPECT_EQ(os.getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size), 0);
  EXPECT_EQ(Endpoint::from_sockaddr(peer), at);
  EXPECT_EQ(os.send(fd, "a question", 10, MSG_NOSIGNAL), 10);
  EXPECT_EQ(this->receive(fd, 100), "an answer");
  EXPECT_EQ(os.shutdown(fd, SHUT_WR), 0);
  EXPECT_EQ(os.thread_join(server), 0);
  EXPECT_EQ(this->receive(fd, 100), "");
  EXPECT_EQ(os.close(fd), 0);
  EXPECT_EQ(os.close(listener), 0);
}

TYPED_TEST(OsContract, ADatagramTellsWhoSentIt) {
  Os& os = this->os_;
  std::array<int, 2> fds{};
  std::array<sockaddr_in, 2> names{};
  for (size_t i = 0; i < 2; ++i) {
    fds[i] = os.socket(AF_INET, SOCK_DGRAM, 0);
    names[i] = Endpoint{}.to_sockaddr();
    socklen_t size = sizeof names[i];
    auto* name = reinterpret_cast<sockaddr*>(&names[i]);
    ASSERT_EQ(os.bind(fds[i], name, size), 0);
    ASSERT_EQ(os.getsockname(fds[i], name, &size), 0);
  }
  const auto* to = reinterpret_cast<const sockaddr*>(&names[1]);
  EXPECT_EQ(os.sendto(fds[0], "hello", 5, 0, to, sizeof names[1]), 5);
  std::array<char, 16> buffer{};
  sockaddr_in from{};
  socklen_t size = sizeof from;
  EXPECT_EQ(os.recvfrom(fds[1], buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&from), &size), 5);
  EXPECT_EQ(std::string(buffer.data(), 5), "hello");
  EXPECT_EQ(Endpoint::from_sockaddr(from), Endpoint::from_sockaddr(names[0]));
  for (int fd : fds) EXPECT_EQ(os.close(fd), 0);
}

TYPED_TEST(OsContract, AddressesInFiguresAreResolved) {
  Os& os = this->os_;
  std::vector<SocketAddress> found;
  EXPECT_EQ(os.resolve("127.0.0.3", 80, SOCK_STREAM, false, found), 0);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].to_string(), "127.0.0.3:80");
  EXPECT_EQ(os.resolve("::1", 81, SOCK_STREAM, false, found), 0);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].to_string(), "[::1]:81");
}

TYPED_TEST(OsContract, EpollIsWokenByAnotherThreadAndTellsTheKey) {
  Os& os = this->os_;
  int fds[2];
  ASSERT_EQ(os.pipe2(fds, O_NONBLOCK), 0);
  const int epfd = os.epoll_create1(EPOLL_CLOEXEC);
  ASSERT_GE(epfd, 0);
  epoll_event wanted{.events = EPOLLIN, .data = {.u64 = 0x1234567890}};
  ASSERT_EQ(os.epoll_ctl(epfd, EPOLL_CTL_ADD, fds[0], &wanted), 0);
  std::array<epoll_event, 4> found{};
  EXPECT_EQ(os.epoll_wait(epfd, found.data(), 4, 0), 0);
  EXPECT_EQ(os.epoll_wait(epfd, found.data(), 4, 1), 0);
  const int writer = os.thread_start("writer", [&] { os.write(fds[1], "x", 1); });
  EXPECT_EQ(os.epoll_wait(epfd, found.data(), 4, -1), 1);
  EXPECT_EQ(found[0].events, uint32_t{EPOLLIN});
  EXPECT_EQ(uint64_t{found[0].data.u64}, uint64_t{0x1234567890});
  EXPECT_EQ(os.epoll_ctl(epfd, EPOLL_CTL_DEL, fds[0], nullptr), 0);
  EXPECT_EQ(os.thread_join(writer), 0);
  for (int fd : {fds[0], fds[1], epfd}) EXPECT_EQ(os.close(fd), 0);
}

TYPED_TEST(OsContract, OptionsKeepTheirShape) {
  Os& os = this->os_;
  const int fd = os.socket(AF_INET, SOCK_STREAM, 0);
  const timeval limit{.tv_sec = 1, .tv_usec = 500'000};
  EXPECT_EQ(os.setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
  timeval read{};
  socklen_t size = sizeof read;
  EXPECT_EQ(os.getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &read, &size), 0);
  EXPECT_EQ(size, sizeof read);
  EXPECT_EQ(read.tv_sec, 1);
  EXPECT_EQ(read.tv_usec, 500'000);
  const linger wanted{.l_onoff = 1, .l_linger = 5};
  EXPECT_EQ(os.setsockopt(fd, SOL_SOCKET, SO_LINGER, &wanted, sizeof wanted), 0);
  linger found{};
  size = sizeof found;
  EXPECT_EQ(os.getsockopt(fd, SOL_SOCKET, SO_LINGER, &found, &size), 0);
  EXPECT_EQ(found.l_linger, 5);
  const int on = 1;
  EXPECT_EQ(os.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
  EXPECT_EQ(os.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, 1), -EINVAL) << "too short";
  EXPECT_EQ(os.close(fd), 0);
}

}  // namespace
}  // namespace wakepath::os
