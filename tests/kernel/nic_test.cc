// The modelled network card: what is done in the interrupt, in the softirq on its way out, and in ksoftirqd.
#include <gmock/gmock.h>

#include "sim/check/check.hh"
#include "tests/kernel/machine.hh"

namespace wakepath::testing_kernel {
namespace {

using namespace kernel;  // NOLINT

Config with_card(int budget = 300) {
  Config config;
  config.nic = true;
  config.netdev_budget = budget;
  return config;
}

TEST(NetworkCard, TheInterruptOnlySchedulesAndTheSoftirqOnItsWayOutWakes) {
  Machine m(with_card());
  m.listen();
  m.watch_listener();
  EXPECT_EQ(m.connect(), 0);
  EXPECT_EQ(m.accept(), 5);
  EXPECT_EQ(m.call(m.server, sys_epoll_ctl(m.k, 4, EPOLL_CTL_ADD, 5, {EPOLLIN, 5})), 0);
  EXPECT_EQ(m.epoll_wait(-1), kBlocked);
  EXPECT_EQ(m.send(m.client, 3, "hello"), 5);
  EXPECT_TRUE(contains_in_order(
      m.seen(), {"call dev_hard_start_xmit > nic_start_xmit", "call handle_irq_event > nic_interrupt > __napi_schedule",
                 "call __irq_exit_rcu > handle_softirqs > net_rx_action > __napi_poll > nic_poll",
                 "wake in nic_poll > tcp_v4_rcv > sock_def_readable > ep_poll_callback", "call napi_complete_done"}));
  EXPECT_EQ(count_of(m.seen(), "wake in nic_interrupt"), 0u);
}

TEST(NetworkCard, AConnectSleepsUntilTheAnswerHasComeOverTheWire) {
  Machine m(with_card());
  m.listen();
  EXPECT_EQ(m.connect(), 0);
  EXPECT_TRUE(contains_in_order(m.seen(), {"call inet_wait_for_connect > wait_woken > schedule_timeout > schedule",
                                           "call common_interrupt", "wake in nic_poll"}));
}

TEST(NetworkCard, MoreThanTheBudgetInTooManyRoundsIsLeftToKsoftirqd) {
  Machine m(with_card(1));
  m.listen(64);
  for (int i = 0; i < 14; ++i) EXPECT_EQ(m.connect(), 0);
  const auto start = m.k.recorder.position();
  m.k.exit_task(m.client);  // fourteen FINs at once
  const auto seen = events_of(*m.k.trace(), {start, m.k.recorder.position()});
  EXPECT_TRUE(contains_in_order(seen, {"call common_interrupt", "call __irq_exit_rcu > handle_softirqs > net_rx_action",
                                       "wake in wakeup_softirqd", "call run_ksoftirqd > handle_softirqs > nic_poll"}));
  EXPECT_THAT(check::check_invariants(m.k), ::testing::IsEmpty());
}

TEST(NetworkCard, KsoftirqdWakesAsTheInterruptDoes) {
  Machine m(with_card(1));
  m.listen(64);
  m.watch_listener();
  for (int i = 0; i < 14; ++i) {
    EXPECT_EQ(m.connect(), 0);
    EXPECT_EQ(m.accept(), 5 + i);
  }
  // an exit closes the last descriptor first, so the first one's FIN is behind all others
  EXPECT_EQ(m.call(m.server, sys_epoll_ctl(m.k, 4, EPOLL_CTL_ADD, 5, {EPOLLIN, 0})), 0);
  EXPECT_EQ(m.epoll_wait(-1), kBlocked);
  const auto start = m.k.recorder.position();
  m.k.exit_task(m.client);
  EXPECT_TRUE(contains_in_order(
      events_of(*m.k.trace(), {start, m.k.recorder.position()}),
      {"call smpboot_thread_fn > run_ksoftirqd > handle_softirqs > net_rx_action > __napi_poll > nic_poll > "
       "__netif_receive_skb_one_core > ip_local_deliver_finish > ip_protocol_deliver_rcu > tcp_v4_rcv > "
       "ep_poll_callback "
       "> __wake_up > ep_autoremove_wake_function > try_to_wake_up"}));
}

TEST(NetworkCard, ByDefaultThereIsNoneAndNothingInterrupts) {
  Machine m;
  m.listen();
  EXPECT_EQ(m.connect(), 0);
  EXPECT_EQ(count_of(m.seen(), "call common_interrupt"), 0u);
}

}  // namespace
}  // namespace wakepath::testing_kernel
