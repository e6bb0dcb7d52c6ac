#include "src/server/buffer.hh"

#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <deque>
#include <string>
#include <vector>

#include "src/os/linux_os.hh"
#include "src/os/mutex.hh"

namespace wakepath::server {
namespace {

TEST(BufferPool, GivesTheSameMemoryOutAgainAndKeepsToItsSizes) {
  BufferPool* pool = BufferPool::create();
  char* first = nullptr;
  {
    Buffer buffer = pool->take(100);
    EXPECT_EQ(buffer.capacity(), 128U);
    EXPECT_EQ(buffer.size(), 0U);
    first = buffer.data();
  }
  EXPECT_EQ(pool->take(65).data(), first);
  EXPECT_NE(pool->take(64).data(), first) << "64 bytes are another size";
  EXPECT_EQ(pool->take(3 << 20).capacity(), size_t{3} << 20)
      << "what is larger than the largest size is made to measure";
  pool->let_go();
}

TEST(BufferPool, KeepsNoMoreThanItMay) {
  BufferPool* pool = BufferPool::create();
  {
    std::vector<Buffer> many;
    for (int i = 0; i < 40; ++i) many.push_back(pool->take(BufferPool::kLargest));
  }
  pool->take(1);  // collects what was given back
  EXPECT_LE(pool->kept(), BufferPool::kMostKept);
  EXPECT_GT(pool->kept(), 0U);
  pool->let_go();
}

TEST(BufferPool, BuffersOfAnotherThreadComeBackAndMayOutliveTheOwner) {
  os::LinuxOs machine;
  BufferPool* pool = BufferPool::create();
  constexpr int count = 20'000;
  os::Mutex lock(machine);
  std::deque<Buffer> handed;
  std::atomic<bool> done{false};
  const int user = machine.thread_start("user", [&] {
    int seen = 0;
    while (seen < count) {
      Buffer buffer;
      {
        os::Lock hold(lock);
        if (handed.empty()) continue;
        buffer = std::move(handed.front());
        handed.pop_front();
      }
      EXPECT_EQ(buffer.view(), std::to_string(seen++));
    }
    done.store(true);
  });
  for (int i = 0; i < count; ++i) {
    const std::string text = std::to_string(i);
    Buffer buffer = pool->take(text.size());
    std::memcpy(buffer.data(), text.data(), text.size());
    buffer.set_size(text.size());
    os::Lock hold(lock);
    handed.push_back(std::move(buffer));
  }
  pool->let_go();
  EXPECT_EQ(machine.thread_join(user), 0);
  EXPECT_TRUE(done.load());
}

}  // namespace
}  // namespace wakepath::server
