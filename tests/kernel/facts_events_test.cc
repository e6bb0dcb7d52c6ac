// What was measured on Linux 6.18.44, fact by fact, asked of the model's trace: eventfd; and what signals do to
// sleepers.
#include <csignal>

#include "tests/kernel/machine.hh"

namespace wakepath::testing_kernel {
namespace {

using namespace kernel;  // NOLINT

constexpr u64 kOne = 1;

/// An eventfd (3) in an epoll (4) on which the server sleeps; a second thread of it writes.
task_struct* eventfd_watched(Machine& m) {
  EXPECT_EQ(m.call(m.server, sys_eventfd2(m.k, 0, 0)), 3);
  EXPECT_EQ(m.call(m.server, sys_epoll_create1(m.k, 0)), 4);
  EXPECT_EQ(m.call(m.server, sys_epoll_ctl(m.k, 4, EPOLL_CTL_ADD, 3, {EPOLLIN, 3})), 0);
  EXPECT_EQ(m.epoll_wait(-1), kBlocked);
  return m.k.spawn_thread("writer", m.server);
}

TEST(Fact15, TheWriterOfAnEventfdDoesEverythingItselfWithoutASoftirq) {
  Machine m;
  task_struct* writer = eventfd_watched(m);
  EXPECT_EQ(m.call(writer, sys_write(m.k, 3, reinterpret_cast<const char*>(&kOne), 8)), 8);
  EXPECT_TRUE(contains_in_order(
      m.seen(), {"call ksys_write > vfs_write > eventfd_write > __wake_up_common > ep_poll_callback > __wake_up > "
                 "__wake_up_common > ep_autoremove_wake_function > try_to_wake_up"}));
  EXPECT_EQ(count_of(m.seen(), "call handle_softirqs"), 0u);
  EXPECT_EQ(first_of(m.seen(), "wake").task, writer->thread->id());
  EXPECT_TRUE(m.server->call_done());
}

TEST(Signals, WakeTheSleeperWhoEndsWithEINTRAndLeavesNoEntry) {
  Machine m;
  eventfd_watched(m);
  set_empty_handler(m.k, m.server, SIGUSR1, true);
  m.last.from = m.k.trace()->size();
  send_signal(m.k, m.server, SIGUSR1, SI_TKILL);
  m.k.run_until_idle();
  m.last.to = m.k.trace()->size();
  EXPECT_TRUE(contains_in_order(
      m.seen(),
      {"call do_send_specific > __send_signal_locked > complete_signal > signal_wake_up_state > try_to_wake_up",
       "erase eventpoll.wq.head in do_epoll_wait", "call arch_do_signal_or_restart > get_signal"}));
  ASSERT_TRUE(m.server->call_done());
  EXPECT_EQ(m.server->call_result(), -EINTR) << "epoll_wait() is never made again";
}

TEST(Signals, ARestartedReadSleepsAgainAndGetsWhatComesLater) {
  Machine m;
  EXPECT_EQ(m.call(m.server, sys_eventfd2(m.k, 0, 0)), 3);
  task_struct* writer = m.k.spawn_thread("writer", m.server);
  EXPECT_EQ(m.call(m.server, sys_read(m.k, 3, m.buffer, 8)), kBlocked);
  set_empty_handler(m.k, m.server, SIGUSR1, true);
  send_signal(m.k, m.server, SIGUSR1, SI_TKILL);
  m.k.run_until_idle();
  EXPECT_FALSE(m.server->call_done());
  EXPECT_EQ(m.call(writer, sys_write(m.k, 3, reinterpret_cast<const char*>(&kOne), 8)), 8);
  EXPECT_TRUE(m.server->call_done());
}

TEST(Limits, TheWatchesOfAUserRunOut) {
  Machine m;
  m.k.config.max_user_watches = 1;
  EXPECT_EQ(m.call(m.server, sys_epoll_create1(m.k, 0)), 3);
  EXPECT_EQ(m.call(m.server, sys_eventfd2(m.k, 0, 0)), 4);
  EXPECT_EQ(m.call(m.server, sys_eventfd2(m.k, 0, 0)), 5);
  EXPECT_EQ(m.call(m.server, sys_epoll_ctl(m.k, 3, EPOLL_CTL_ADD, 4, {EPOLLIN, 0})), 0);
  EXPECT_EQ(m.call(m.server, sys_epoll_ctl(m.k, 3, EPOLL_CTL_ADD, 5, {EPOLLIN, 0})), -ENOSPC);
  EXPECT_EQ(m.call(m.server, sys_epoll_ctl(m.k, 3, EPOLL_CTL_DEL, 4, {})), 0);
  EXPECT_EQ(m.call(m.server, sys_epoll_ctl(m.k, 3, EPOLL_CTL_ADD, 5, {EPOLLIN, 0})), 0);
}

}  // namespace
}  // namespace wakepath::testing_kernel
