// The scheduler: who runs when, what wakes whom, and that nothing else decides.
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "sim/engine/scheduler.hh"

namespace wakepath::engine {
namespace {

struct Machine {
  trace::Trace trace{trace::Schema{}};
  record::Recorder recorder{trace};
  Scheduler scheduler{recorder, this};
  std::string log;
};

/// A timer with a name, which it adds to the log.
struct NamedTimer : Timer {
  char name = '?';
  explicit NamedTimer(char n) : name(n) {
    function = [](void* machine, Timer& timer) {
      static_cast<Machine*>(machine)->log += static_cast<NamedTimer&>(timer).name;
    };
  }
};

/// A timer that wakes tasks and adds the time to the log.
struct WakingTimer : Timer {
  std::vector<Task*> tasks;
  explicit WakingTimer(std::vector<Task*> t) : tasks(std::move(t)) {
    function = [](void* machine, Timer& timer) {
      auto& m = *static_cast<Machine*>(machine);
      m.log += std::to_string(m.scheduler.now_ns());
      for (Task* task : static_cast<WakingTimer&>(timer).tasks) m.scheduler.wake(*task, trace::kNoCause);
    };
  }
};

MaySleep<long> sleeper(Machine& m, char name, int times) {
  for (int i = 0; i < times; ++i) {
    m.log += name;
    co_await m.scheduler.schedule();
  }
  m.log += static_cast<char>(name - 'a' + 'A');
  co_return times;
}

TEST(Scheduler, RunsInOrderOfWaking) {
  Machine m;
  Task& a = m.scheduler.add_task();
  Task& b = m.scheduler.add_task();
  Task& c = m.scheduler.add_task();
  m.scheduler.start(a, sleeper(m, 'a', 1));
  m.scheduler.start(b, sleeper(m, 'b', 1));
  m.scheduler.start(c, sleeper(m, 'c', 1));
  m.scheduler.run_until_idle();
  EXPECT_EQ(m.log, "abc");
  m.scheduler.wake(c, trace::kNoCause);
  m.scheduler.wake(a, trace::kNoCause);
  m.scheduler.wake(c, trace::kNoCause);  // runnable already: no second turn
  m.scheduler.run_until_idle();
  EXPECT_EQ(m.log, "abcCA");
  EXPECT_TRUE(b.in_call());
  EXPECT_FALSE(a.in_call());
  EXPECT_EQ(a.result(), 1);
}

TEST(Scheduler, RunTaskLeavesTheOthers) {
  Machine m;
  Task& a = m.scheduler.add_task();
  Task& b = m.scheduler.add_task();
  m.scheduler.start(a, sleeper(m, 'a', 0));
  m.scheduler.start(b, sleeper(m, 'b', 0));
  EXPECT_TRUE(m.scheduler.run_task(b));
  EXPECT_EQ(m.log, "B");
  EXPECT_TRUE(a.runnable());
  EXPECT_FALSE(m.scheduler.run_task(b)) << "it has nothing to do";
  m.scheduler.run_until_idle();
  EXPECT_EQ(m.log, "BA");
}

TEST(Scheduler, TimersFireByDeadlineThenInOrderOfArming) {
  Machine m;
  NamedTimer timers[4]{NamedTimer('0'), NamedTimer('1'), NamedTimer('2'), NamedTimer('3')};
  m.scheduler.arm(timers[0], 50);
  m.scheduler.arm(timers[1], 20);
  m.scheduler.arm(timers[2], 50);
  m.scheduler.arm(timers[3], 20);
  m.scheduler.arm(timers[1], 20);  // armed again: now behind 3
  EXPECT_EQ(m.scheduler.next_deadline(), 20u);
  m.scheduler.advance_to(49);
  EXPECT_EQ(m.log, "31");
  EXPECT_TRUE(m.scheduler.cancel(timers[0]));
  EXPECT_FALSE(m.scheduler.cancel(timers[0]));
  m.scheduler.advance_to(100);
  EXPECT_EQ(m.log, "312");
  EXPECT_EQ(m.scheduler.now_ns(), 100u);
  m.scheduler.advance_to(10);
  EXPECT_EQ(m.scheduler.now_ns(), 100u) << "time never moves back";
}

TEST(Scheduler, CoarseTimersOfATickRunTogetherTheLastArmedFirst) {
  Machine m;
  NamedTimer coarse[4]{NamedTimer('a'), NamedTimer('b'), NamedTimer('c'), NamedTimer('d')};
  NamedTimer exact('E');
  for (NamedTimer& timer : coarse) m.scheduler.arm(timer, 50, engine::TimerGrain::kCoarse);
  m.scheduler.arm(exact, 50);
  EXPECT_TRUE(m.scheduler.cancel(coarse[2]));
  m.scheduler.arm(coarse[0], 50, engine::TimerGrain::kCoarse);  // armed again: now the last
  m.scheduler.advance_to(60);
  EXPECT_EQ(m.log, "Eadb") << "the exact one first, whenever it was armed";
  EXPECT_FALSE(m.scheduler.run_next_of_tick()) << "none is left";
}

/// A timer that arms others when it runs, all for now.
struct ArmingTimer : NamedTimer {
  ArmingTimer(char n, std::vector<std::pair<Timer*, engine::TimerGrain>> others)
      : NamedTimer(n), armed(std::move(others)) {
    function = [](void* machine, Timer& timer) {
      auto& self = static_cast<ArmingTimer&>(timer);
      auto& m = *static_cast<Machine*>(machine);
      m.log += self.name;
      for (auto [other, grain] : self.armed) m.scheduler.arm(*other, m.scheduler.now_ns(), grain);
      self.armed.clear();
      while (m.scheduler.run_next_of_tick()) {
      }
      m.log += '.';
    };
  }
  std::vector<std::pair<Timer*, engine::TimerGrain>> armed;
};

TEST(Scheduler, WhoIsArmedInATickForNowWaitsUntilTheTickIsOver) {
  using enum engine::TimerGrain;
  Machine m;
  NamedTimer young[2]{NamedTimer('y'), NamedTimer('z')};
  NamedTimer exact[2]{NamedTimer('E'), NamedTimer('F')};
  NamedTimer old('o');
  ArmingTimer first('a', {{&young[0], kCoarse}, {&exact[0], kExact}, {&young[1], kCoarse}, {&exact[1], kExact}});
  m.scheduler.arm(old, 50, kCoarse);
  m.scheduler.arm(first, 50, kCoarse);
  m.scheduler.advance_to(60);
  EXPECT_EQ(m.log, "ao.EFzy") << "the tick whole, then the exact ones in order, then the next tick";
}

/// What the wheel does, beside a list that is searched: thousands of timers near and far, armed again and cancelled.
TEST(TimerWheel, AgreesWithASortedList) {
  TimerWheel wheel;
  struct Armed {
    std::uint64_t deadline = 0;
    std::uint64_t sequence = 0;
  };
  constexpr std::size_t kTimers = 300;
  std::vector<Timer> timers(kTimers);
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::size_t> expected;
  std::vector<std::optional<Armed>> armed(kTimers);
  std::mt19937_64 random(5);
  std::uint64_t now = 0;
  std::uint64_t sequence = 0;
  std::size_t fired = 0;
  auto forget = [&](std::size_t i) {
    if (armed[i]) expected.erase({armed[i]->deadline, armed[i]->sequence});
    armed[i].reset();
  };
  for (int round = 0; round < 30'000; ++round) {
    std::size_t i = random() % kTimers;
    EXPECT_EQ(wheel.remove(timers[i]), armed[i].has_value());
    forget(i);
    if (random() % 4 != 0) {
      std::uint64_t deadline = now + random() % (std::uint64_t{1} << random() % 40);
      wheel.add(timers[i], deadline);
      armed[i] = Armed{deadline, ++sequence};
      expected[{deadline, sequence}] = i;
    }
    EXPECT_EQ(wheel.earliest().has_value(), !expected.empty());
    if (!expected.empty()) {
      ASSERT_EQ(*wheel.earliest(), expected.begin()->first.first);
    }
    if (round % 8 != 0) continue;
    std::uint64_t limit = now + random() % (std::uint64_t{1} << random() % 38);
    for (;;) {
      TimerWheel::Due due = wheel.take_due(limit);
      bool any = !expected.empty() && expected.begin()->first.first <= limit;
      ASSERT_EQ(due.timer != nullptr, any);
      if (!any) break;
      ASSERT_EQ(due.timer, &timers[expected.begin()->second]);
      ASSERT_EQ(due.deadline, expected.begin()->first.first);
      forget(expected.begin()->second);
      ++fired;
    }
    now = limit;
  }
  EXPECT_GT(fired, 5'000u);
}

TEST(Scheduler, ATimerWakesAtItsTime) {
  Machine m;
  Task& a = m.scheduler.add_task();
  m.scheduler.start(a, sleeper(m, 'a', 1));
  WakingTimer timer({&a});
  m.scheduler.arm(timer, 30);
  m.scheduler.advance_clock_to(40);
  EXPECT_EQ(m.log, "30") << "the task has not even begun";
  m.scheduler.advance_to(50);
  EXPECT_EQ(m.log, "30a");
}

/// The kernel's pattern: state is set, then somebody wakes before schedule() is reached.
MaySleep<long> woken_on_the_way(Machine& m, Task& self, bool& sleeping) {
  sleeping = true;
  m.scheduler.wake(self, trace::kNoCause);
  if (sleeping) co_await m.scheduler.schedule();
  m.log += "awake";
  co_return 0;
}

TEST(Scheduler, AWakeUpOnTheWayToSleepIsNotLost) {
  Machine m;
  Task& a = m.scheduler.add_task();
  bool sleeping = false;
  m.scheduler.start(a, woken_on_the_way(m, a, sleeping));
  m.scheduler.run_until_idle();
  EXPECT_EQ(m.log, "awake");
}

struct Note {
  std::string& log;
  char name;
  ~Note() { log += name; }
};

MaySleep<long> nested(Machine& m, char name) {
  Note note{m.log, name};
  if (name == 'c')
    co_await m.scheduler.schedule();
  else
    co_await nested(m, static_cast<char>(name + 1));
  co_return 0;
}

TEST(Scheduler, KillingASleeperEndsItsFramesInnermostFirst) {
  Machine m;
  Task& a = m.scheduler.add_task();
  m.scheduler.start(a, nested(m, 'a'));
  m.scheduler.run_until_idle();
  EXPECT_EQ(m.log, "");
  m.scheduler.kill(a);
  EXPECT_EQ(m.log, "cba");
  EXPECT_FALSE(a.in_call());
  m.scheduler.wake(a, trace::kNoCause);
  m.scheduler.run_until_idle();  // nothing is there to run
  m.scheduler.start(a, sleeper(m, 'x', 0));
  m.scheduler.run_until_idle();
  EXPECT_EQ(m.log, "cbaX");
}

MaySleep<long> deep(Machine& m, int levels) {
  if (levels == 0) {
    co_await m.scheduler.schedule();
    co_return 0;
  }
  co_return 1 + co_await deep(m, levels - 1);
}

TEST(Scheduler, TenThousandNestedCallsNeedNoStack) {
  Machine m;
  Task& a = m.scheduler.add_task();
  m.scheduler.start(a, deep(m, 10'000));
  m.scheduler.run_until_idle();
  m.scheduler.wake(a, trace::kNoCause);
  m.scheduler.run_until_idle();
  EXPECT_EQ(a.result(), 10'000);
}

std::string a_run() {
  Machine m;
  Task* tasks[3];
  for (int i = 0; i < 3; ++i) {
    tasks[i] = &m.scheduler.add_task();
    m.scheduler.start(*tasks[i], sleeper(m, static_cast<char>('a' + i), 2));
  }
  WakingTimer timer({tasks[0], tasks[1], tasks[2]});
  for (std::uint64_t i = 1; i < 4; ++i) {
    m.scheduler.arm(timer, i * 10);
    m.scheduler.advance_to(i * 10);
  }
  for (trace::Position i = 0; i < m.trace.size(); ++i) m.log += std::to_string(m.trace[i].after);
  return m.log;
}

TEST(Scheduler, TheSameProgramRunsTheSameWay) { EXPECT_EQ(a_run(), a_run()); }

}  // namespace
}  // namespace wakepath::engine
