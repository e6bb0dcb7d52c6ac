// The scheduler: who runs when, what wakes whom, and that nothing else decides.
#include <gtest/gtest.h>

#include <string>

#include "sim/engine/scheduler.hh"

namespace wakepath::engine {
namespace {

struct Machine {
  trace::Trace trace{trace::Schema{}};
  record::Recorder recorder{trace};
  Scheduler scheduler{recorder};
  std::string log;
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
  Timer timers[4];
  for (int i = 0; i < 4; ++i) timers[i].function = [&m, i] { m.log += static_cast<char>('0' + i); };
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

TEST(Scheduler, ATimerWakesAtItsTime) {
  Machine m;
  Task& a = m.scheduler.add_task();
  m.scheduler.start(a, sleeper(m, 'a', 1));
  Timer timer;
  timer.function = [&] {
    m.log += std::to_string(m.scheduler.now_ns());
    m.scheduler.wake(a, trace::kNoCause);
  };
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
  Timer timer;
  timer.function = [&] {
    for (Task* task : tasks) m.scheduler.wake(*task, trace::kNoCause);
  };
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
