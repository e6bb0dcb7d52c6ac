#include "src/server/write_buffer.hh"

#include <gtest/gtest.h>

#include <cerrno>
#include <deque>
#include <string>

#include "src/os/forwarding_os.hh"
#include "src/os/linux_os.hh"

namespace wakepath::server {
namespace {

/// A kernel whose send takes what the script says: a number of bytes, or a negative errno.
class ScriptedSend : public os::ForwardingOs {
 public:
  ScriptedSend(os::Os& inner, std::deque<ssize_t> script) : ForwardingOs(inner), script_(std::move(script)) {}
  ssize_t send(int, const void* data, size_t size, int flags) override {
    EXPECT_EQ(flags, MSG_NOSIGNAL);
    if (script_.empty()) return -EAGAIN;
    ssize_t takes = script_.front();
    script_.pop_front();
    if (takes > static_cast<ssize_t>(size)) takes = static_cast<ssize_t>(size);
    if (takes > 0) sent.append(static_cast<const char*>(data), static_cast<size_t>(takes));
    return takes;
  }
  std::string sent;

 private:
  std::deque<ssize_t> script_;
};

TEST(WriteBuffer, APartialWriteKeepsTheRestInOrder) {
  os::LinuxOs machine;
  ScriptedSend os(machine, {3, -EAGAIN, 100, 2, 100});
  WriteBuffer buffer;
  buffer.append("hello");
  buffer.append(" world");
  EXPECT_EQ(buffer.flush(os, 5), -EAGAIN) << "a short count";
  EXPECT_EQ(buffer.bytes(), 8U);
  EXPECT_EQ(buffer.flush(os, 5), -EAGAIN) << "EAGAIN itself";
  EXPECT_EQ(buffer.flush(os, 5), -EAGAIN) << "the rest of the first piece and a part of the second";
  EXPECT_EQ(buffer.flush(os, 5), 0);
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(os.sent, "hello world");
}

TEST(WriteBuffer, AnInterruptedSendIsRepeatedAndAFailedOneReported) {
  os::LinuxOs machine;
  ScriptedSend os(machine, {-EINTR, -EINTR, 2, -EPIPE});
  WriteBuffer buffer;
  buffer.append("ab");
  buffer.append("cd");
  EXPECT_EQ(buffer.flush(os, 5), -EPIPE);
  EXPECT_EQ(os.sent, "ab");
  EXPECT_EQ(buffer.bytes(), 2U);
  buffer.clear();
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(buffer.flush(os, 5), 0);
}

}  // namespace
}  // namespace wakepath::server
