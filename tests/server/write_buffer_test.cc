#include "src/server/write_buffer.hh"

#include <gtest/gtest.h>

#include <cerrno>
#include <deque>
#include <memory>
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

/// Everything that the buffer sends, with a budget that is never used up.
int flush(WriteBuffer& buffer, os::Os& os, size_t budget = 1 << 20) {
  return buffer.flush(os, {.fd = 5, .kind = Sink::Kind::stream}, budget).error;
}

/// A piece that is too long to be joined with others.
std::string long_piece(char letter) { return std::string(20'000, letter); }

TEST(WriteBuffer, APartialWriteKeepsTheRestInOrder) {
  os::LinuxOs machine;
  ScriptedSend os(machine, {3, -EAGAIN, 100, 2, 100});
  WriteBuffer buffer;
  buffer.append("hello", 0, Priority::high);
  buffer.append(" world", 0, Priority::high);
  EXPECT_EQ(flush(buffer, os), -EAGAIN) << "a short count";
  EXPECT_EQ(buffer.bytes(), 8U);
  EXPECT_EQ(flush(buffer, os), -EAGAIN) << "EAGAIN itself";
  EXPECT_EQ(flush(buffer, os), 0) << "small pieces are one, so all the rest goes at once";
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(os.sent, "hello world");
}

TEST(WriteBuffer, AnInterruptedSendIsRepeatedAndAFailedOneReported) {
  os::LinuxOs machine;
  ScriptedSend os(machine, {-EINTR, -EINTR, 2, -EPIPE});
  WriteBuffer buffer;
  buffer.append("abcd", 0, Priority::high);
  EXPECT_EQ(flush(buffer, os), -EAGAIN);
  EXPECT_EQ(flush(buffer, os), -EPIPE);
  EXPECT_EQ(os.sent, "ab");
  EXPECT_EQ(buffer.bytes(), 2U);
  buffer.clear();
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(flush(buffer, os), 0);
}

TEST(WriteBuffer, LowPriorityWaitsForHigh) {
  os::LinuxOs machine;
  ScriptedSend os(machine, {1 << 20, 1 << 20, 1 << 20});
  WriteBuffer buffer;
  buffer.append(long_piece('1'), 0, Priority::high);
  buffer.append(long_piece('3'), 0, Priority::low);
  buffer.append(long_piece('2'), 0, Priority::high);
  EXPECT_EQ(flush(buffer, os), 0);
  EXPECT_EQ(os.sent, long_piece('1') + long_piece('2') + long_piece('3'));
}

TEST(WriteBuffer, TheVeryFirstPieceHasNothingToWaitFor) {
  os::LinuxOs machine;
  ScriptedSend os(machine, {1 << 20, 1 << 20});
  WriteBuffer buffer;
  buffer.append(long_piece('1'), 0, Priority::low);
  buffer.append(long_piece('2'), 0, Priority::high);
  EXPECT_EQ(flush(buffer, os), 0);
  EXPECT_EQ(os.sent, long_piece('1') + long_piece('2'));
}

TEST(WriteBuffer, ALowPieceThatIsPartlySentGoesBeforeEverythingElse) {
  os::LinuxOs machine;
  ScriptedSend os(machine, {1 << 20, 7, 1 << 20, 1 << 20, 1 << 20});
  WriteBuffer buffer;
  buffer.append(long_piece('1'), 0, Priority::high);
  buffer.append(long_piece('2'), 0, Priority::low);
  buffer.append(long_piece('4'), 0, Priority::low);
  EXPECT_EQ(flush(buffer, os), -EAGAIN) << "seven bytes of the second piece";
  buffer.append(long_piece('3'), 0, Priority::high);
  EXPECT_EQ(flush(buffer, os), 0);
  EXPECT_EQ(os.sent, long_piece('1') + long_piece('2') + long_piece('3') + long_piece('4'))
      << "or the rest of a message would stand behind another one";
}

TEST(WriteBuffer, OneByteAtATimeGetsEverythingThere) {
  os::LinuxOs machine;
  ScriptedSend os(machine, std::deque<ssize_t>(2000, 1));
  WriteBuffer buffer;
  std::string expected;
  for (int i = 0; i < 100; ++i) {
    const std::string piece = std::to_string(i) + ";";
    expected += piece;
    buffer.append(piece, 0, Priority::high);
  }
  int flushes = 0;
  while (flush(buffer, os) == -EAGAIN && flushes < 2000) ++flushes;
  EXPECT_EQ(os.sent, expected);
  EXPECT_EQ(static_cast<size_t>(flushes) + 1, expected.size());
}

TEST(WriteBuffer, ABudgetLetsOthersHaveTheirTurn) {
  os::LinuxOs machine;
  ScriptedSend os(machine, {1 << 20, 1 << 20, 1 << 20});
  WriteBuffer buffer;
  for (char letter : {'1', '2', '3'}) buffer.append(long_piece(letter), 0, Priority::high);
  EXPECT_EQ(flush(buffer, os, 30'000), WriteBuffer::kMore);
  EXPECT_EQ(buffer.bytes(), 20'000U);
  EXPECT_EQ(flush(buffer, os, 30'000), 0);
}

TEST(WriteBuffer, ManySmallPiecesTakeNoMoreMemoryThanTheirBytesNeed) {
  WriteBuffer buffer;
  for (int i = 0; i < 100'000; ++i) buffer.append("x", 0, Priority::high);
  EXPECT_EQ(buffer.bytes(), 100'000U);
  EXPECT_LT(buffer.memory(), 110'000U);
}

TEST(WriteBuffer, BorrowedBytesAreCopiedOnlyWhenTheyMustWait) {
  os::LinuxOs machine;
  ScriptedSend os(machine, {1 << 20});
  WriteBuffer buffer;
  std::string theirs = long_piece('a');
  buffer.append(Payload::borrowed(theirs), 5000, Priority::high);
  theirs.assign(theirs.size(), 'b');
  EXPECT_EQ(flush(buffer, os), 0);
  EXPECT_EQ(os.sent, std::string(15'000, 'a'));
}

TEST(WriteBuffer, OneSharedPayloadWaitsInManyBuffersAndIsGivenUpByEach) {
  os::LinuxOs machine;
  ScriptedSend os(machine, {1 << 20});
  const auto shared = std::make_shared<const std::string>(long_piece('a'));
  {
    WriteBuffer first, second;
    first.append(shared, 0, Priority::high);
    second.append(shared, 0, Priority::high);
    EXPECT_EQ(shared.use_count(), 3);
    EXPECT_EQ(flush(first, os), 0);
    EXPECT_EQ(shared.use_count(), 2);
  }
  EXPECT_EQ(shared.use_count(), 1);
}

}  // namespace
}  // namespace wakepath::server
