// The entry points: what user space gets for wrong arguments, and how calls are written into a trace.
#include "sim/syscalls/syscalls.hh"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "sim/syscalls/words.hh"

namespace wakepath::kernel {
namespace {

struct Machine {
  char buffer[16] = {};
  user_epoll_event events[4] = {};
  Kernel k;
  task_struct* task = k.spawn_process("program");

  long call(MaySleep<long> what) {
    k.start(task, std::move(what));
    k.run_until_idle();
    return task->call_done() ? task->call_result() : -9999;
  }
  /// Text of the last call and of its result.
  std::string text() {
    std::string out;
    const trace::Trace& trace = *k.trace();
    for (trace::Position i = 0; i < trace.size(); ++i) {
      if (trace[i].kind == trace::RecordKind::kSyscall) out = trace.string(trace[i].object);
      if (trace[i].kind == trace::RecordKind::kSyscallReturn) out += " = " + std::string(trace.string(trace[i].object));
    }
    return out;
  }
};

TEST(Words, NameWhatLinuxNamesAndNumberTheRest) {
  EXPECT_EQ(words::option(IPPROTO_TCP, TCP_USER_TIMEOUT).view(), "IPPROTO_TCP, TCP_USER_TIMEOUT");
  EXPECT_EQ(words::option(IPPROTO_IPV6, IPV6_V6ONLY).view(), "IPPROTO_IPV6, IPV6_V6ONLY");
  EXPECT_EQ(words::option(IPPROTO_TCP, 77).view(), "IPPROTO_TCP, 77");
  EXPECT_EQ(words::option(99, SO_ERROR).view(), "99, 4");
  EXPECT_EQ(words::message_flags(MSG_MORE | MSG_DONTROUTE).view(), "MSG_DONTROUTE|MSG_MORE");
  EXPECT_EQ(words::shutdown_how(SHUT_WR).view(), "SHUT_WR");
  EXPECT_EQ(words::shutdown_how(7).view(), "7");
  EXPECT_EQ(words::clock(CLOCK_MONOTONIC).view(), "CLOCK_MONOTONIC");
  EXPECT_EQ(words::timerfd_flags(O_NONBLOCK).view(), "TFD_NONBLOCK");
  EXPECT_EQ(words::socket_flags(O_CLOEXEC).view(), "SOCK_CLOEXEC");
  EXPECT_EQ(words::epoll_flags(O_CLOEXEC).view(), "EPOLL_CLOEXEC");
  EXPECT_EQ(words::open_flags(O_DIRECT | O_NONBLOCK).view(), "O_NONBLOCK|O_DIRECT");
  EXPECT_EQ(words::socket_type(SOCK_RAW | 0x100).view(), "SOCK_RAW|0x100");
  EXPECT_EQ(words::protocol(IPPROTO_UDP).view(), "IPPROTO_UDP");
  EXPECT_EQ(words::protocol(0).view(), "0");
}

TEST(Words, ShowTheLowerHalfOfEpollDataAsDataFdHasIt) {
  const user_epoll_event found[] = {{EPOLLIN, 4}, {EPOLLOUT, (u64{7} << 32) | 5}};
  EXPECT_EQ(words::epoll_events(found, 2).view(), " [{EPOLLIN, 4}, {EPOLLOUT, 5}]");
}

TEST(Syscalls, AreWrittenAsInC) {
  Machine m;
  EXPECT_EQ(m.call(sys_socket(m.k, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)), 3);
  EXPECT_EQ(m.text(), "socket(AF_INET, SOCK_STREAM|SOCK_NONBLOCK, 0) = 3");
  EXPECT_EQ(m.call(sys_connect(m.k, 3, {0x7F000001, 9})), -EINPROGRESS);
  EXPECT_EQ(m.text(), "connect(3, 127.0.0.1:9) = -1 EINPROGRESS");
  EXPECT_EQ(m.call(sys_send(m.k, 99, "a\n\"", 3, MSG_NOSIGNAL)), -EBADF);
  EXPECT_EQ(m.text(), R"(send(99, "a\n\"", 3, MSG_NOSIGNAL) = -1 EBADF)");
  EXPECT_EQ(words::events(EPOLLIN | EPOLLRDHUP | static_cast<u32>(EPOLLET)).view(), "EPOLLIN|EPOLLRDHUP|EPOLLET");
}

TEST(Words, ATextThatIsLongerThanItsRoomLosesNothing) {
  const std::string part(50, 'x');
  words::Words text;
  for (int i = 1; i <= 4; ++i) {
    text += part;
    EXPECT_EQ(text.view().size(), 50U * static_cast<unsigned>(i));
  }
  (text += ' ') += 42;
  EXPECT_EQ(words::Words(text).view(), part + part + part + part + " 42");
}

TEST(Syscalls, RefuseDescriptorsOfTheWrongKind) {
  Machine m;
  EXPECT_EQ(m.call(sys_epoll_create1(m.k, 0)), 3);
  EXPECT_EQ(m.call(sys_socket(m.k, AF_INET, SOCK_STREAM, 0)), 4);
  EXPECT_EQ(m.call(sys_bind(m.k, 3, {0x7F000001, 80})), -ENOTSOCK);
  EXPECT_EQ(m.call(sys_epoll_wait(m.k, 4, m.events, 4, 0)), -EINVAL);
  EXPECT_EQ(m.call(sys_epoll_wait(m.k, 3, m.events, 0, 0)), -EINVAL);
  EXPECT_EQ(m.call(sys_epoll_ctl(m.k, 3, EPOLL_CTL_ADD, 3, {EPOLLIN, 0})), -EINVAL);
  EXPECT_EQ(m.call(sys_epoll_ctl(m.k, 3, EPOLL_CTL_ADD, 0, {EPOLLIN, 0})), -EPERM) << "/dev/null cannot be polled";
  EXPECT_EQ(m.call(sys_epoll_ctl(m.k, 3, EPOLL_CTL_DEL, 4, {})), -ENOENT);
  EXPECT_EQ(m.call(sys_read(m.k, 3, m.buffer, 4)), -EINVAL);
}

TEST(Syscalls, KnowTheErrorsOfAnUnconnectedSocket) {
  Machine m;
  EXPECT_EQ(m.call(sys_socket(m.k, AF_INET, SOCK_STREAM, 0)), 3);
  EXPECT_EQ(m.call(sys_recv(m.k, 3, m.buffer, 4, 0)), -ENOTCONN);
  EXPECT_EQ(m.call(sys_send(m.k, 3, "x", 1, 0)), -EPIPE);
  EXPECT_EQ(m.call(sys_shutdown(m.k, 3, SHUT_WR)), -ENOTCONN);
  EXPECT_EQ(m.call(sys_shutdown(m.k, 3, 7)), -EINVAL);
  EXPECT_EQ(m.call(sys_accept4(m.k, 3, nullptr, 0)), -EINVAL);
  EXPECT_EQ(m.call(sys_setsockopt(m.k, 3, SOL_SOCKET, SO_RCVTIMEO, {1, 2'000'000})), -EDOM);
  EXPECT_EQ(m.call(sys_connect(m.k, 3, {0x7F000001, 9})), -ECONNREFUSED);
}

TEST(Syscalls, KilledInItsSleepACallIsWrittenAsKilled) {
  Machine m;
  EXPECT_EQ(m.call(sys_socket(m.k, AF_INET, SOCK_STREAM, 0)), 3);
  EXPECT_EQ(m.call(sys_listen(m.k, 3, 1)), 0);
  EXPECT_EQ(m.call(sys_accept4(m.k, 3, nullptr, 0)), -9999);
  m.k.exit_task(m.task);
  EXPECT_EQ(m.text(), "accept4(3, 0) = killed");
  EXPECT_EQ(m.k.files.live(), 0u) << "the file made for the connection that never came went with it";
}

}  // namespace
}  // namespace wakepath::kernel
