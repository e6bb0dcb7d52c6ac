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

TEST_F(ControlPipeTest, CommandsComeOutInTheOrderTheyWentIn) {
  ControlPipe pipe(os_, probe_);
  ASSERT_EQ(pipe.open(), 0);
  EXPECT_FALSE(pipe.waiting());
  EXPECT_EQ(pipe.send({.kind = CommandKind::start, .id = 7}), 0);
  EXPECT_EQ(pipe.send({.kind = CommandKind::close, .now = true, .id = 8}), 0);
  EXPECT_TRUE(pipe.waiting());
  Command command;
  ASSERT_TRUE(pipe.receive(command));
  EXPECT_EQ(command.kind, CommandKind::start);
  EXPECT_EQ(command.id, 7U);
  EXPECT_TRUE(pipe.waiting()) << "it is read already, but not received";
  ASSERT_TRUE(pipe.receive(command));
  EXPECT_EQ(command.kind, CommandKind::close);
  EXPECT_TRUE(command.now);
  EXPECT_FALSE(pipe.receive(command));
  EXPECT_FALSE(pipe.waiting());
}

TEST_F(ControlPipeTest, AFullPipeHoldsUpOtherThreadsUntilThereIsRoom) {
  ControlPipe pipe(os_, probe_);
  ASSERT_EQ(pipe.open(), 0);
  int fitted = 0;
  while (pipe.try_send({.kind = CommandKind::pause}) == 0) ++fitted;
  EXPECT_GT(fitted, 500);
  EXPECT_EQ(pipe.try_send({.kind = CommandKind::close}), -EAGAIN);

  const int sender = os_.thread_start("sender", [&] {
    for (SocketId i = 0; i < 3000; ++i) EXPECT_EQ(pipe.send({.kind = CommandKind::write, .id = i}), 0);
  });
  SocketId received = 0;
  Command command;
  while (received < 3000) {
    if (!pipe.receive(command) || command.kind != CommandKind::write) continue;
    ASSERT_EQ(command.id, received++);
  }
  EXPECT_EQ(os_.thread_join(sender), 0);
}

TEST_F(ControlPipeTest, StoppingSendsWaitingSendersAway) {
  ControlPipe pipe(os_, probe_);
  ASSERT_EQ(pipe.open(), 0);
  while (pipe.try_send({.kind = CommandKind::pause}) == 0) {
  }
  const int sender = os_.thread_start("sender", [&] { EXPECT_EQ(pipe.send({.kind = CommandKind::close}), -EPIPE); });
  pipe.stop();
  EXPECT_EQ(os_.thread_join(sender), 0);
}

}  // namespace
}  // namespace wakepath::server
