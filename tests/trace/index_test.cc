#include "sim/trace/index.hh"

#include <gtest/gtest.h>

#include "tests/trace/toy.hh"

namespace wakepath::trace {
namespace {

/// A short story: step 1 makes the server sleep, step 2 lets the client wake it at 5 ms.
class IndexOfAStory : public ::testing::Test {
 protected:
  IndexOfAStory() : trace(toy::schema()) {
    auto add = [&](Record r) { return trace.append(r); };
    add({.kind = RecordKind::kStep, .object = trace.intern("server waits"), .before = 0, .after = 1});
    wait = add({.kind = RecordKind::kSyscall, .field = 0, .object = trace.intern("wait()"), .task = 1});
    sleep = add({.kind = RecordKind::kCall, .field = 1, .object = 9, .task = 1});
    add({.kind = RecordKind::kRun, .task = 1, .before = 1, .after = 0});
    add({.kind = RecordKind::kStepEnd, .before = 0, .after = 1});
    add({.kind = RecordKind::kClock, .before = 0, .after = 5'000'000});
    add({.kind = RecordKind::kStep, .object = trace.intern("client sends"), .before = 1, .after = 2});
    add({.kind = RecordKind::kSyscall, .field = 0, .object = trace.intern("send()"), .task = 2});
    add({.kind = RecordKind::kCall, .context = Context::kSoftirq, .field = 2, .task = 2});
    wake = add({.kind = RecordKind::kWake, .object = 1, .task = 2, .before = 1});
    add({.kind = RecordKind::kReturn, .context = Context::kSoftirq, .field = 2, .task = 2, .before = 8});
    add({.kind = RecordKind::kSyscallReturn, .task = 2, .before = 7});
    add({.kind = RecordKind::kReturn, .field = 1, .object = 9, .task = 1, .before = sleep});
    add({.kind = RecordKind::kDivergence, .object = trace.intern("errno"), .task = 1});
    add({.kind = RecordKind::kSyscallReturn, .task = 1, .before = wait});
    mark = add({.kind = RecordKind::kNote, .field = 1, .object = trace.intern("woken"), .task = 1});
    add({.kind = RecordKind::kNote, .field = 0, .object = trace.intern("not a mark"), .task = 1});
    add({.kind = RecordKind::kStepEnd, .before = 1, .after = 2});
  }
  Trace trace;
  Position wait = 0, sleep = 0, wake = 0, mark = 0;
};

TEST_F(IndexOfAStory, FindsSteps) {
  Index index(trace);
  index.update();
  ASSERT_EQ(index.steps().size(), 2u);
  EXPECT_EQ(trace.string(index.steps()[1].text), "client sends");
  EXPECT_EQ(index.after_step(0), Position{0});
  EXPECT_EQ(index.after_step(1), Position{5});
  EXPECT_EQ(index.after_step(2), trace.size());
  EXPECT_EQ(index.after_step(3), std::nullopt);
}

TEST_F(IndexOfAStory, CountsTheCallsOfEachTask) {
  Index index(trace);
  index.update();
  EXPECT_EQ(index.calls(1), 2u) << "a system call and a function";
  EXPECT_EQ(index.calls(2), 2u);
  EXPECT_EQ(index.calls(77), 0u);
}

TEST_F(IndexOfAStory, FindsMarksWakesAndDivergences) {
  Index index(trace);
  index.update();
  EXPECT_EQ(index.mark("woken"), mark + 1);
  EXPECT_EQ(index.mark("not a mark"), std::nullopt);
  ASSERT_EQ(index.wakes().size(), 1u);
  EXPECT_EQ(index.wakes()[0].at, wake);
  EXPECT_EQ(index.wakes()[0].waker, 2u);
  EXPECT_EQ(index.wakes()[0].woken, 1u);
  EXPECT_EQ(index.divergences(), std::vector<Position>{13});
}

TEST_F(IndexOfAStory, TellsTheTime) {
  Index index(trace);
  index.update();
  EXPECT_EQ(index.time_at(0), 0u);
  EXPECT_EQ(index.time_at(5), 0u) << "the clock record itself is not applied yet";
  EXPECT_EQ(index.time_at(6), 5'000'000u);
  EXPECT_EQ(index.time_at(trace.size()), 5'000'000u);
}

TEST(Index, ComesToTheSameInPiecesAsAtOnce) {
  Trace trace(toy::schema());
  toy::Toy toy(trace, 12);
  toy.spawn("server");
  Index pieces(trace);
  for (Position end = 7; end < 5000; end += 131) {
    toy.happen_until(end);
    pieces.update();
    ASSERT_EQ(pieces.seen(), trace.size());
  }
  Index once(trace);
  once.update();
  ASSERT_EQ(pieces.task_count(), once.task_count());
  for (TaskId t = 0; t < once.task_count(); ++t) EXPECT_EQ(pieces.calls(t), once.calls(t)) << t;
  EXPECT_EQ(pieces.steps().size(), once.steps().size());
  EXPECT_EQ(pieces.clock_changes(), once.clock_changes());
}

}  // namespace
}  // namespace wakepath::trace
