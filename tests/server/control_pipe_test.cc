#include "src/server/control_pipe.hh"

#include <algorithm>
#include <string>
#include <vector>

#include "tests/server/fixture.hh"

namespace wakepath::server {
namespace {

class ControlPipeTest : public DescriptorsStay {
 protected:
  os::LinuxOs os_;
  probe::Probe probe_;
};

TEST_F(ControlPipeTest, CommandsComeOutInTheOrderTheyWentInWithTheirPayload) {
  ControlPipe pipe(os_, probe_);
  ASSERT_EQ(pipe.open(), 0);
  EXPECT_FALSE(pipe.waiting());
  EXPECT_EQ(pipe.send({.kind = CommandKind::start, .id = 7}, {}), 0);
  EXPECT_EQ(pipe.send({.kind = CommandKind::send, .id = 7}, "payload"), 0);
  EXPECT_TRUE(pipe.waiting());
  Command command;
  std::string payload;
  ASSERT_TRUE(pipe.receive(command, payload));
  EXPECT_EQ(command.kind, CommandKind::start);
  EXPECT_EQ(command.id, 7U);
  EXPECT_EQ(payload, "");
  ASSERT_TRUE(pipe.receive(command, payload));
  EXPECT_EQ(command.kind, CommandKind::send);
  EXPECT_EQ(payload, "payload");
  EXPECT_FALSE(pipe.receive(command, payload));
  EXPECT_FALSE(pipe.waiting());
}

TEST_F(ControlPipeTest, AFullPipeGivesThePayloadBackAndHoldsUpOtherThreadsUntilThereIsRoom) {
  ControlPipe pipe(os_, probe_);
  ASSERT_EQ(pipe.open(), 0);
  std::string payload = "kept";
  int fitted = 0;
  std::string none;
  while (pipe.try_send({.kind = CommandKind::pause}, none) == 0) ++fitted;
  EXPECT_GT(fitted, 500);
  EXPECT_EQ(pipe.try_send({.kind = CommandKind::send}, payload), -EAGAIN);
  EXPECT_EQ(payload, "kept");

  const int sender = os_.thread_start("sender", [&] {
    for (int i = 0; i < 3000; ++i) EXPECT_EQ(pipe.send({.kind = CommandKind::send, .id = 1}, std::to_string(i)), 0);
  });
  int received = 0;
  Command command;
  while (received < 3000) {
    if (!pipe.receive(command, payload) || command.kind != CommandKind::send) continue;
    ASSERT_EQ(payload, std::to_string(received++));
  }
  EXPECT_EQ(os_.thread_join(sender), 0);
}

TEST_F(ControlPipeTest, StoppingSendsWaitingSendersAway) {
  ControlPipe pipe(os_, probe_);
  ASSERT_EQ(pipe.open(), 0);
  std::string none;
  while (pipe.try_send({.kind = CommandKind::pause}, none) == 0) {
  }
  const int sender =
      os_.thread_start("sender", [&] { EXPECT_EQ(pipe.send({.kind = CommandKind::send}, "late"), -EPIPE); });
  pipe.stop();
  EXPECT_EQ(os_.thread_join(sender), 0);
}

}  // namespace
}  // namespace wakepath::server
