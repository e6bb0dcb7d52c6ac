// Mailbox, run queue, timers, monitor: each by itself.

#include <gtest/gtest.h>

#include <atomic>

#include "src/os/forwarding_os.hh"
#include "src/os/linux_os.hh"
#include "src/service/context.hh"
#include "src/service/mailbox.hh"
#include "src/service/monitor.hh"
#include "src/service/run_queue.hh"
#include "src/service/timers.hh"

namespace wakepath::service {
namespace {

Message numbered(Session number) { return {.kind = MessageKind::timeout, .session = number}; }

TEST(Mailbox, KeepsTheOrderWhileItGrowsAndGoesRound) {
  Mailbox mailbox;
  Session pushed = 0, expected = 0;
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < 7; ++i) EXPECT_EQ(mailbox.push(numbered(++pushed)), pushed);
    std::vector<Message> taken;
    EXPECT_EQ(mailbox.take(taken, 5), expected + 1);
    for (const Message& message : taken) EXPECT_EQ(message.session, ++expected);
  }
  EXPECT_EQ(mailbox.size(), 100U);
}

TEST(Mailbox, GivesNoticeAtEachDoublingAndAgainAfterItWasEmpty) {
  Mailbox mailbox;
  auto fill = [&] {
    std::vector<size_t> notices;
    while (mailbox.size() < 5000) {
      mailbox.push(numbered(1));
      if (const size_t waiting = mailbox.overload(); waiting > 0) notices.push_back(waiting);
    }
    return notices;
  };
  const std::vector<size_t> doubling = {1024, 2048, 4096};
  EXPECT_EQ(fill(), doubling);
  std::vector<Message> all;
  mailbox.take(all, mailbox.size());
  EXPECT_EQ(fill(), doubling);
}

TEST(Contexts, AHandleOfAPlaceThatWasGivenAgainFindsNothing) {
  os::LinuxOs os;
  Contexts contexts(os);
  Handle first = 0, second = 0;
  Context* place = contexts.reserve(first);
  EXPECT_EQ(contexts.find(first), nullptr) << "not published yet";
  contexts.publish(*place, first);
  EXPECT_EQ(contexts.find(first), place);
  place->handle.store(0);
  contexts.release(*place);
  EXPECT_EQ(contexts.reserve(second), place);
  contexts.publish(*place, second);
  EXPECT_NE(first, second);
  EXPECT_EQ(contexts.find(first), nullptr);
  EXPECT_EQ(contexts.find(second), place);
}

TEST(Contexts, TheFirstHandlesAreOneTwoThree) {
  os::LinuxOs os;
  Contexts contexts(os);
  for (Handle expected = 1; expected <= 300; ++expected) {
    Handle handle = 0;
    ASSERT_NE(contexts.reserve(handle), nullptr);
    EXPECT_EQ(handle, expected);
  }
}

/// A clock that stands still, but that waits for a time move it on to where they end.
class MadeUpClock : public os::ForwardingOs {
 public:
  using ForwardingOs::ForwardingOs;
  int64_t monotonic_ns() override { return now_ns.load(); }
  int park(std::atomic<uint32_t>& word, uint32_t expected, int64_t timeout_ns) override {
    if (timeout_ns < 0) return inner_.park(word, expected, timeout_ns);
    if (word.load() != expected) return -EAGAIN;
    now_ns += timeout_ns;
    slept_ns.push_back(timeout_ns);
    return -ETIMEDOUT;
  }
  std::atomic<int64_t> now_ns{1'000};
  std::vector<int64_t> slept_ns;
};

TEST(Timers, SleepExactlyUntilTheNextDeadlineAndGiveItsTimeoutsInOrder) {
  os::LinuxOs linux_os;
  MadeUpClock os(linux_os);
  Timers timers(os);
  timers.add(os.now_ns + 500, {.service = 1, .session = 3});
  timers.add(os.now_ns + 200, {.service = 1, .session = 1});
  timers.add(os.now_ns + 200, {.service = 2, .session = 2});
  std::vector<Timers::Due> due;
  ASSERT_TRUE(timers.wait(due));
  ASSERT_EQ(due.size(), 2U);
  EXPECT_EQ(due[0].session, 1U);
  EXPECT_EQ(due[1].session, 2U);
  ASSERT_TRUE(timers.wait(due));
  ASSERT_EQ(due.size(), 1U);
  EXPECT_EQ(due[0].session, 3U);
  EXPECT_EQ(os.slept_ns, (std::vector<int64_t>{200, 300})) << "once for each deadline";
}

TEST(Timers, StopEndsTheWaitForADeadlineThatIsFarAway) {
  os::LinuxOs os;
  Timers timers(os);
  timers.add(os.monotonic_ns() + int64_t{3'600'000'000'000}, {.service = 1, .session = 1});
  bool found = true;
  const int thread = os.thread_start("timer", [&] {
    std::vector<Timers::Due> due;
    found = timers.wait(due);
  });
  timers.stop();
  os.thread_join(thread);
  EXPECT_FALSE(found);
}

TEST(Monitor, CallsStuckWhoIsInTheSameCallbackAtTwoLooks) {
  os::LinuxOs os;
  Monitor monitor(os, 1);
  Watch& first = monitor.add();
  Watch& second = monitor.add();
  first.begins(7);
  second.begins(8);
  EXPECT_TRUE(monitor.look().empty()) << "it may just have begun";
  second.ends();
  second.begins(8);
  EXPECT_EQ(monitor.look(), std::vector<Handle>{7}) << "the other one has begun another callback";
  first.ends();
  second.ends();
  EXPECT_TRUE(monitor.look().empty());
}

TEST(Monitor, SaysItOnceAPeriodOfAMadeUpClock) {
  os::LinuxOs linux_os;
  MadeUpClock os(linux_os);
  Monitor monitor(os, 5'000);
  Watch& watch = monitor.add();
  watch.begins(7);
  int reports = 0;
  monitor.run([&](Handle service) {
    EXPECT_EQ(service, 7U);
    if (++reports < 3) return;
    EXPECT_EQ(os.slept_ns, (std::vector<int64_t>(4, 5'000)));
    watch.ends();
    linux_os.thread_start("stopper", [&] { monitor.stop(); });
  });
  EXPECT_EQ(reports, 3);
}

TEST(RunQueue, EveryContextIsRunByExactlyOneOfManyWorkers) {
  os::LinuxOs os;
  RunQueue queue(os);
  Contexts contexts(os);
  constexpr int kContexts = 2000;
  std::atomic<int> runs{0};
  std::vector<int> workers;
  for (int i = 0; i < 4; ++i)
    workers.push_back(os.thread_start("worker", [&] {
      while (queue.pop() != nullptr) ++runs;
    }));
  for (int i = 0; i < kContexts; ++i) {
    Handle handle = 0;
    queue.push(*contexts.reserve(handle));
  }
  queue.stop();
  for (const int worker : workers) os.thread_join(worker);
  EXPECT_EQ(runs, kContexts);
}

}  // namespace
}  // namespace wakepath::service
