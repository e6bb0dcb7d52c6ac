#include <gtest/gtest.h>

#include "sim/syscalls/syscalls.hh"
#include "sim/trace/cursor.hh"

using namespace wakepath;
using namespace wakepath::kernel;

TEST(Smoke, ConnectAcceptSendRecv) {
  Kernel k;
  task_struct* s = k.spawn_process("server");
  task_struct* c = k.spawn_process("client");
  auto call = [&](task_struct* t, MaySleep<long> m) {
    k.start(t, std::move(m));
    k.run_until_idle();
    return t->call_done() ? t->call_result() : -9999;
  };
  long lfd = call(s, sys_socket(k, AF_INET, SOCK_STREAM, 0));
  EXPECT_EQ(lfd, 3);
  EXPECT_EQ(call(s, sys_bind(k, 3, {0x7f000001, 0})), 0);
  EXPECT_EQ(call(s, sys_listen(k, 3, 8)), 0);
  EXPECT_EQ(call(s, sys_epoll_create1(k, 0)), 4);
  EXPECT_EQ(call(s, sys_epoll_ctl(k, 4, EPOLL_CTL_ADD, 3, {EPOLLIN, 3})), 0);
  user_epoll_event ev[8];
  EXPECT_EQ(call(s, sys_epoll_wait(k, 4, ev, 8, -1)), -9999);
  EXPECT_EQ(call(c, sys_socket(k, AF_INET, SOCK_STREAM, 0)), 3);
  Address a;
  EXPECT_EQ(call(c, sys_getsockname(k, 3, &a)), 0);
  EXPECT_EQ(call(c, sys_connect(k, 3, {0x7f000001, 32768})), 0);
  EXPECT_TRUE(s->call_done());
  EXPECT_EQ(s->call_result(), 1);
  EXPECT_EQ(call(s, sys_accept4(k, 3, &a, SOCK_NONBLOCK)), 5);
  EXPECT_EQ(call(c, sys_send(k, 3, "hello", 5, 0)), 5);
  char buf[64];
  EXPECT_EQ(call(s, sys_recv(k, 5, buf, 64, 0)), 5);
  EXPECT_EQ(call(s, sys_recv(k, 5, buf, 64, 0)), -EAGAIN);
  EXPECT_EQ(call(c, sys_close(k, 3)), 0);
  k.scheduler.advance_to(k.now_ns() + 100 * kNsPerMs);
  EXPECT_EQ(call(s, sys_recv(k, 5, buf, 64, 0)), 0);
  EXPECT_EQ(call(s, sys_close(k, 5)), 0);
  EXPECT_EQ(k.timewait_socks.live(), 1u);
  k.scheduler.advance_to(k.now_ns() + 61'000 * kNsPerMs);
  EXPECT_EQ(k.timewait_socks.live(), 0u);
  EXPECT_EQ(k.tcp_socks.live(), 1u);
  k.exit_task(s);
  k.exit_task(c);
  EXPECT_EQ(k.tcp_socks.live(), 0u);
  EXPECT_EQ(k.skbs.live(), 0u);
  EXPECT_EQ(k.files.live(), 0u);
}
