#include "src/os/mutex.hh"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>

#include "src/os/forwarding_os.hh"
#include "tests/os/machines.hh"

namespace wakepath::os {
namespace {

class CountingOs : public ForwardingOs {
 public:
  using ForwardingOs::ForwardingOs;
  int park(std::atomic<uint32_t>& word, uint32_t expected, int64_t timeout_ns) override {
    ++calls;
    return inner_.park(word, expected, timeout_ns);
  }
  int unpark(std::atomic<uint32_t>& word, int count) override {
    ++calls;
    return inner_.unpark(word, count);
  }
  std::atomic<int> calls{0};
};

template <class Machine>
class Mutexes : public testing::Test {
 protected:
  Machine machine_;
  Os& os_ = machine_.os;
};
TYPED_TEST_SUITE(Mutexes, Machines, MachineNames);

TYPED_TEST(Mutexes, WithoutContentionThereIsNoCall) {
  CountingOs os(this->os_);
  Mutex mutex(os);
  Condition condition(os);
  for (int i = 0; i < 100; ++i) {
    Lock hold(mutex);
    condition.notify_one();
    condition.notify_all();
  }
  EXPECT_EQ(os.calls, 0);
}

TYPED_TEST(Mutexes, KeepThreadsApart) {
  Os& os = this->os_;
  Mutex mutex(os);
  long counter = 0;  // not atomic: a second thread inside would show, to the thread sanitizer at the latest
  std::array<int, 4> threads{};
  for (int& thread : threads)
    thread = os.thread_start("counter", [&] {
      for (int i = 0; i < 5'000; ++i) {
        Lock hold(mutex);
        const long before = counter;
        if (i % 50 == 0) os.sleep_ns(100);  // a place where others may run
        counter = before + 1;
      }
    });
  for (int thread : threads) EXPECT_EQ(os.thread_join(thread), 0);
  EXPECT_EQ(counter, 20'000);
}

TYPED_TEST(Mutexes, AConditionHandsTurnsToAndFroWithoutLosingAWakeUp) {
  Os& os = this->os_;
  Mutex mutex(os);
  Condition condition(os);
  int turn = 0;
  constexpr int turns = 2'000;
  auto player = [&](int parity) {
    Lock hold(mutex);
    while (turn < turns) {
      if (turn % 2 == parity) {
        ++turn;
        condition.notify_one();
      } else {
        condition.wait(mutex);
      }
    }
    condition.notify_all();
  };
  const int other = os.thread_start("other", [&] { player(1); });
  player(0);
  EXPECT_EQ(os.thread_join(other), 0);
  EXPECT_EQ(turn, turns);
}

TYPED_TEST(Mutexes, AConditionWaitsNoLongerThanItIsTold) {
  Os& os = this->os_;
  Mutex mutex(os);
  Condition condition(os);
  Lock hold(mutex);
  EXPECT_EQ(condition.wait(mutex, 1'000), -ETIMEDOUT);
}

}  // namespace
}  // namespace wakepath::os
