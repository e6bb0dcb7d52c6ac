// A whole conversation, connect to TIME_WAIT: its recording can be walked both ways, and it is the same every time.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "sim/trace/cursor.hh"
#include "sim/trace/file.hh"
#include "tests/kernel/machine.hh"

namespace wakepath::testing_kernel {
namespace {

using namespace kernel;  // NOLINT

void converse(Machine& m) {
  m.listen();
  m.watch_listener();
  EXPECT_EQ(m.epoll_wait(-1), kBlocked);
  EXPECT_EQ(m.connect(), 0);
  EXPECT_EQ(m.accept(), 5);
  EXPECT_EQ(m.call(m.server, sys_epoll_ctl(m.k, 4, EPOLL_CTL_ADD, 5, {EPOLLIN, 5})), 0);
  EXPECT_EQ(m.epoll_wait(-1), kBlocked);
  EXPECT_EQ(m.send(m.client, 3, "hello"), 5);
  EXPECT_EQ(m.recv(m.server, 5), 5);
  EXPECT_EQ(m.call(m.client, sys_close(m.k, 3)), 0);
  m.wait_ms(100);
  EXPECT_EQ(m.recv(m.server, 5), 0);
  EXPECT_EQ(m.call(m.server, sys_close(m.k, 5)), 0);
  m.wait_ms(61'000);
  m.k.exit_task(m.server);
}

TEST(Conversation, TheWorldIsTheSameFromEitherSideAtEveryRecord) {
  Machine m;
  converse(m);
  const trace::Trace& trace = *m.k.trace();
  std::vector<trace::World> forward(1);
  trace::World world;
  for (trace::Position i = 0; i < trace.size(); ++i) {
    world.apply(trace.schema(), trace[i], i);
    forward.push_back(world);
  }
  ASSERT_GT(trace.size(), 1000u);
  for (trace::Position i = trace.size(); i-- > 0;) {
    world.revert(trace[i]);
    ASSERT_EQ(world, forward[i]) << "after " << i << " records";
  }
  for (trace::Position i = 0; i <= trace.size(); i += 97) {
    trace::Cursor cursor(trace);
    cursor.seek(trace.size());
    cursor.seek(i);
    ASSERT_EQ(cursor.world(), forward[i]) << "by seeking to " << i;
  }
}

std::string recording_of_a_conversation(const std::filesystem::path& path) {
  Machine m;
  converse(m);
  trace::FileWriter(*m.k.trace(), path).close();
  std::ifstream in(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  std::filesystem::remove(path);
  return bytes;
}

TEST(Conversation, GivesTheSameBytesEachTime) {
  auto path = std::filesystem::temp_directory_path() / ("conversation-" + std::to_string(::getpid()) + ".wkp");
  std::string first = recording_of_a_conversation(path);
  EXPECT_GT(first.size(), 1000u);
  EXPECT_TRUE(first == recording_of_a_conversation(path));
}

TEST(Conversation, GivesEqualRecordsEachTime) {
  Machine a;
  Machine b;
  converse(a);
  converse(b);
  ASSERT_EQ(a.k.trace()->size(), b.k.trace()->size());
  for (trace::Position i = 0; i < a.k.trace()->size(); ++i) ASSERT_EQ((*a.k.trace())[i], (*b.k.trace())[i]) << i;
}

}  // namespace
}  // namespace wakepath::testing_kernel
