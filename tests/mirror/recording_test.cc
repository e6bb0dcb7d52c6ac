// What a mirrored run leaves behind: the trace.

#include <filesystem>
#include <string_view>
#include <vector>

#include "sim/trace/file.hh"
#include "sim/trace/index.hh"
#include "src/mirror/live_session.hh"
#include "tests/mirror/fixture.hh"

namespace wakepath::mirror {
namespace {

using trace::RecordKind;

/// Names of the functions that were open on the waker's stack at a wake-up, outermost first.
std::vector<std::string> stack_at(const trace::Trace& trace, trace::Position at) {
  std::vector<std::string> stack;
  for (uint32_t cause = trace[at].cause; cause != trace::kNoCause; cause = trace[cause].cause)
    if (trace[cause].kind == RecordKind::kCall)
      stack.insert(stack.begin(), trace.schema().functions[trace[cause].field].name);
  return stack;
}

bool in_order(const std::vector<std::string>& stack, std::initializer_list<const char*> wanted) {
  auto at = wanted.begin();
  for (const std::string& name : stack)
    if (at != wanted.end() && name == *at) ++at;
  return at == wanted.end();
}

TEST(MirrorRecording, HasTheWayFromTheListenerToTheServersThread) {
  Mirrored server;
  EXPECT_EQ(server.demo(), 0);
  server.stop();
  const auto trace = server.mirror().trace();
  bool found = false;
  for (trace::Position at = 0; at < trace->size() && !found; ++at)
    found = (*trace)[at].kind == RecordKind::kWake &&
            in_order(stack_at(*trace, at), {"tcp_child_process", "sock_def_readable", "ep_poll_callback",
                                            "ep_autoremove_wake_function", "try_to_wake_up"});
  EXPECT_TRUE(found) << "no wake-up by way of sk_data_ready, ep_poll_callback and try_to_wake_up";
}

TEST(MirrorRecording, EndsInTheCallbackOfTheService) {
  Mirrored server;
  EXPECT_EQ(server.demo(), 0);
  server.stop();
  const auto trace = server.mirror().trace();
  std::vector<std::string> wanted = {": accept4(", "paccept", "message", "callback on_accept"};
  size_t next = 0;
  for (trace::Position at = 0; at < trace->size() && next < wanted.size(); ++at) {
    const trace::Record& record = (*trace)[at];
    if (record.kind != RecordKind::kStep && record.kind != RecordKind::kNote) continue;
    if (trace->string(record.object).find(wanted[next]) != std::string_view::npos) ++next;
  }
  EXPECT_EQ(next, wanted.size()) << "missing: " << (next < wanted.size() ? wanted[next] : "");
}

TEST(MirrorRecording, IsOneStepForEachReturnedCallAndOpensAgain) {
  const auto path = std::filesystem::temp_directory_path() / fmt::format("wakepath-mirror-{}.wkp", getpid());
  Mirrored server;
  EXPECT_EQ(server.demo(), 0);
  const Figures figures = server.stop();
  const auto trace = server.mirror().trace();
  { trace::FileWriter writer(*trace, path); }
  const trace::OpenedFile opened = trace::open_file(path);
  std::filesystem::remove(path);
  ASSERT_NE(opened.trace, nullptr) << opened.message;
  EXPECT_EQ(opened.message, "");
  ASSERT_EQ(opened.trace->size(), trace->size());
  trace::Index index(*opened.trace);
  index.update();
  EXPECT_EQ(index.steps().size(), figures.calls);
  EXPECT_TRUE(index.divergences().empty());
}

TEST(MirrorRecording, StopsAtItsLimitAndSaysSo) {
  MirrorOptions options;
  options.max_records = 2000;
  Mirrored server(options);
  EXPECT_EQ(server.demo(), 0) << "the server goes on without the mirror";
  const Figures figures = server.stop();
  EXPECT_GT(figures.lost, 0U);
  EXPECT_NE(figures.stopped, "");
  EXPECT_LT(server.mirror().trace()->size(), 4000U);
}

TEST(MirrorRecording, ALiveSessionGrowsUntilItIsEnded) {
  Mirrored server;
  LiveSession session(server.mirror(), "listening " + server.endpoint().to_string());
  EXPECT_TRUE(session.live());
  const trace::Position before = session.trace().size();
  EXPECT_EQ(server.demo(), 0);
  server.follower().catch_up();
  EXPECT_GT(session.trace().size(), before);
  EXPECT_NE(session.status().find("0 divergences"), std::string::npos) << session.status();
  server.stop();
  session.end();
  EXPECT_FALSE(session.live());
}

}  // namespace
}  // namespace wakepath::mirror
