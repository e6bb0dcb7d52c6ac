// Profile 4.19: the table names functions and files, and each difference of behaviour shows, beside 6.18.
#include "tests/kernel/machine.hh"

namespace wakepath::testing_kernel {
namespace {

using namespace kernel;  // NOLINT

Config linux_4_19() {
  Config config;
  config.profile = Profile::v4_19;
  return config;
}

/// The server sleeps in epoll_wait() on its listener.
void sleep_on_listener(Machine& m) {
  m.listen();
  m.watch_listener();
  EXPECT_EQ(m.epoll_wait(-1), kBlocked);
}

/// A connection: descriptor 3 of the client, 5 of the server, which has an epoll at 4 that watches it.
void watched_connection(Machine& m, u32 mask) {
  m.listen();
  m.watch_listener();
  EXPECT_EQ(m.connect(), 0);
  EXPECT_EQ(m.accept(), 5);
  EXPECT_EQ(m.call(m.server, sys_epoll_ctl(m.k, 4, EPOLL_CTL_ADD, 5, {mask, 5})), 0);
}

bool knows(const trace::Schema& schema, std::string_view function) {
  for (const trace::FunctionInfo& info : schema.functions)
    if (info.name == function) return true;
  return false;
}

TEST(Profile, EachPointNamesAFunctionAndAFile) {
  Machine modern;
  for (const ProfilePoint& point : profile_4_19()) {
    if (point.kind != ProfilePoint::Kind::behaves) {
      EXPECT_TRUE(knows(modern.k.trace()->schema(), point.function)) << point.function;
    } else {
      EXPECT_FALSE(point.sentence.empty()) << point.function;
    }
    EXPECT_FALSE(point.name.empty()) << point.function;
    bool is_file =
        point.source.find('/') != std::string_view::npos && point.source.substr(point.source.size() - 2) == ".c";
    EXPECT_TRUE(is_file) << point.function << ": " << point.source;
  }
  EXPECT_GT(profile_4_19().size(), 30u);
}

TEST(Profile, EachGapSaysWhatItIsAbout) {
  EXPECT_FALSE(profile_4_19_gaps().empty());
  for (const ProfileGap& gap : profile_4_19_gaps()) EXPECT_FALSE(gap.about.empty() || gap.sentence.empty());
}

TEST(Profile, TheProducerSaysWhichProfileItWas) {
  EXPECT_EQ(Machine().k.trace()->schema().producer, "modelled kernel, profile 6.18");
  EXPECT_EQ(Machine(linux_4_19()).k.trace()->schema().producer, "modelled kernel, profile 4.19");
}

TEST(Profile, FunctionsHaveTheNamesOfTheirVersion) {
  Machine old(linux_4_19());
  EXPECT_TRUE(knows(old.k.trace()->schema(), "napi_poll"));
  EXPECT_FALSE(knows(old.k.trace()->schema(), "__napi_poll"));
  EXPECT_TRUE(knows(Machine().k.trace()->schema(), "__napi_poll"));
}

TEST(Profile, WhatOnlyOneVersionHasIsNeverEnteredInTheOther) {
  for (const Config& config : {Config(), linux_4_19()}) {
    Machine m(config);
    watched_connection(m, EPOLLIN);
    EXPECT_EQ(m.epoll_wait(-1), kBlocked);
    EXPECT_EQ(m.send(m.client, 3, "hello"), 5);
    EXPECT_EQ(m.recv(m.server, 5), 5);
    m.call(m.server, sys_close(m.k, 5));
    m.last.from = 0;
    for (const ProfilePoint& point : profile_4_19()) {
      using Kind = ProfilePoint::Kind;
      bool not_here = m.k.linux_4_19() ? point.kind == Kind::absent : point.kind == Kind::only;
      if (!not_here) continue;
      EXPECT_EQ(count_of(m.seen(), "call " + std::string(point.function)), 0u) << point.function;
    }
  }
}

TEST(Profile419, TheSleeperTakesItselfOffTheQueue) {
  Machine m(linux_4_19());
  sleep_on_listener(m);
  EXPECT_TRUE(contains_in_order(m.seen(), {"call do_epoll_wait > ep_poll", "insert eventpoll.wq.head in ep_poll",
                                           "call ep_poll > schedule_hrtimeout_range_clock > schedule"}));
  EXPECT_EQ(m.connect(), 0);
  EXPECT_TRUE(contains_in_order(
      m.seen(),
      {"call sock_def_readable > __wake_up_sync_key > __wake_up_common > ep_poll_callback > __wake_up_locked > "
       "__wake_up_common > try_to_wake_up",
       "erase eventpoll.wq.head in ep_poll"}));
  EXPECT_EQ(first_of(m.seen(), "erase eventpoll.wq.head").task, m.server->thread->id());
  EXPECT_EQ(m.server->call_result(), 1);
}

TEST(Profile419, EventsAreSentByACallbackOfTheScan) {
  Machine m(linux_4_19());
  sleep_on_listener(m);
  EXPECT_EQ(m.connect(), 0);
  EXPECT_TRUE(contains_in_order(
      m.seen(), {"call ep_poll > ep_send_events > ep_scan_ready_list > ep_send_events_proc > ep_item_poll > sock_poll",
                 "insert eventpoll.rdllist in ep_scan_ready_list > ep_send_events_proc"}));
  EXPECT_EQ(count_of(m.seen(), "call ep_start_scan"), 0u);
}

TEST(Profile419, TheWaitQueueOfASocketIsAnObjectOfItsOwn) {
  Machine m(linux_4_19());
  m.listen();
  EXPECT_EQ(m.k.socket_wqs.live(), 1u);
  m.watch_listener();
  EXPECT_TRUE(contains_in_order(m.seen(), {"insert socket_wq.wait.head in tcp_poll > ep_ptable_queue_proc"}));
  EXPECT_EQ(m.call(m.server, sys_close(m.k, 3)), 0);
  EXPECT_TRUE(contains_in_order(m.seen(), {"free socket_wq in sock_destroy_inode", "free socket_alloc"}));
  EXPECT_EQ(m.k.socket_wqs.live(), 0u);
}

TEST(Profile618, TheWaitQueueOfASocketIsPartOfIt) {
  Machine m;
  m.listen();
  EXPECT_EQ(m.k.socket_wqs.live(), 0u);
}

TEST(Profile419, AFileEndsOnTheWayBackToUserMode) {
  Machine m(linux_4_19());
  m.listen();
  EXPECT_EQ(m.call(m.server, sys_close(m.k, 3)), 0);
  EXPECT_TRUE(
      contains_in_order(m.seen(), {"call __x64_sys_close", "call task_work_run > ____fput > __fput > sock_close"}));
  EXPECT_EQ(count_of(m.seen(), "call __x64_sys_close > __fput"), 0u);
}

TEST(Profile419, AnExitingTaskLeavesNoWorkBehind) {
  Machine m(linux_4_19());
  sleep_on_listener(m);
  m.k.exit_task(m.server);
  EXPECT_EQ(m.k.socket_allocs.live(), 0u);
  EXPECT_EQ(m.k.eventpolls.live(), 0u);
}

TEST(Profile419, ACloseThatLingersWaitsOnTheWayBackToUserMode) {
  Machine m(linux_4_19());
  watched_connection(m, EPOLLIN);
  EXPECT_EQ(m.call(m.server, sys_setsockopt(m.k, 5, SOL_SOCKET, SO_LINGER, {1, 9})), 0);
  while (m.send(m.server, 5, std::string(100'000, 'x')) > 0) continue;  // more than the client has room for
  EXPECT_EQ(m.call(m.server, sys_close(m.k, 5)), kBlocked);
  EXPECT_TRUE(contains_in_order(m.seen(), {"call task_work_run > ____fput > __fput > sock_close"}));
  m.k.exit_task(m.client);
  EXPECT_EQ(m.server->call_result(), 0);
}

TEST(Profile419, EpollWaitLooksAtMaxeventsBeforeTheDescriptor) {
  Machine old(linux_4_19());
  EXPECT_EQ(old.call(old.server, sys_epoll_wait(old.k, 99, old.events, 0, 0)), -EINVAL);
  Machine modern;
  EXPECT_EQ(modern.call(modern.server, sys_epoll_wait(modern.k, 99, modern.events, 0, 0)), -EBADF);
}

TEST(Profile419, AcceptLooksAtTheFlagsBeforeTheDescriptor) {
  Machine old(linux_4_19());
  EXPECT_EQ(old.call(old.server, sys_accept4(old.k, 99, nullptr, 1)), -EINVAL);
  Machine modern;
  EXPECT_EQ(modern.call(modern.server, sys_accept4(modern.k, 99, nullptr, 1)), -EBADF);
}

TEST(Profile419, AcceptLooksAtTheDescriptorBeforeItTakesANumber) {
  for (auto [profile, error] : {std::pair{Profile::v4_19, -ENOTSOCK}, std::pair{Profile::v6_18, -EMFILE}}) {
    Config config;
    config.profile = profile;
    config.rlimit_nofile = 3;  // 0, 1 and 2 are open: none is left
    Machine m(config);
    EXPECT_EQ(m.call(m.server, sys_accept4(m.k, 0, nullptr, 0)), error) << profile_name(profile);
  }
}

TEST(Profile419, AnEdgeOfANestedEpollIsToldAgainWhenTheInnerOneWasOnlyLookedAt) {
  for (auto [profile, again] : {std::pair{Profile::v4_19, 1}, std::pair{Profile::v6_18, 0}}) {
    Config config;
    config.profile = profile;
    Machine m(config);
    watched_connection(m, EPOLLIN);
    EXPECT_EQ(m.call(m.server, sys_epoll_create1(m.k, 0)), 6);
    EXPECT_EQ(m.call(m.server, sys_epoll_ctl(m.k, 6, EPOLL_CTL_ADD, 4, {EPOLLIN | static_cast<u32>(EPOLLET), 4})), 0);
    EXPECT_EQ(m.send(m.client, 3, "hello"), 5);
    EXPECT_EQ(m.call(m.server, sys_epoll_wait(m.k, 6, m.events, 8, 0)), 1);
    EXPECT_EQ(m.call(m.server, sys_epoll_wait(m.k, 6, m.events, 8, 0)), again) << profile_name(profile);
  }
}

TEST(Profile419, AClosingFileLeavesItsEpollsInTheOrderInWhichItCame) {
  for (Profile profile : {Profile::v4_19, Profile::v6_18}) {
    Config config;
    config.profile = profile;
    Machine m(config);
    m.listen();
    m.watch_listener();
    EXPECT_EQ(m.call(m.server, sys_epoll_create1(m.k, 0)), 5);
    EXPECT_EQ(m.call(m.server, sys_epoll_ctl(m.k, 5, EPOLL_CTL_ADD, 3, {EPOLLIN, 3})), 0);
    trace::ObjectId later = first_of(m.seen(), "create epitem").object;
    EXPECT_EQ(m.call(m.server, sys_close(m.k, 3)), 0);
    EXPECT_EQ(first_of(m.seen(), "free epitem").object == later, profile == Profile::v6_18) << profile_name(profile);
  }
}

TEST(Profile419, AFinishedWorldHasNothingLeft) {
  Machine m(linux_4_19());
  watched_connection(m, EPOLLIN);
  EXPECT_EQ(m.send(m.client, 3, "hello"), 5);
  m.k.exit_task(m.client);
  m.k.exit_task(m.server);
  EXPECT_EQ(m.k.files.live(), 0u);
  EXPECT_EQ(m.k.socket_wqs.live(), 0u);
}

}  // namespace
}  // namespace wakepath::testing_kernel
