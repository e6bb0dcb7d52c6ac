#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace wakepath::os {

/// One slot of a log: a call or a note in 64 bytes. What `a` to `d` and `wide` mean, call_code.hh says.
/// No initializers: the memory of a log is not touched before it is used.
struct alignas(64) LogEntry {
  uint64_t ticket;  ///< its place among the entries of all threads, from 1, without gaps
  uint64_t at;      ///< a stamp: of a call when it returned or, at its entry, before it; a note has none
  int64_t result;
  uint64_t wide;
  int32_t a, b, c, d;
  uint32_t bytes;  ///< that stand in the slots behind this one
  uint8_t kind;    ///< a Call, or the number of a note
  uint8_t flags;

  size_t slots() const { return 1 + (bytes + 63) / 64; }
};
static_assert(sizeof(LogEntry) == 64);

/// The entries of one thread: one writes, one reads. When there is no room the writer either waits for the reader, so
/// that nothing is lost, or takes the place of the oldest entries.
class LogRing {
 public:
  /// `slots` is a power of two. Memory is taken as it is written to.
  LogRing(size_t slots, bool overwrites);

  // --- the writer ---
  /// The parts one behind the other are the entry's bytes; together at most most_bytes(). False when `open` has become
  /// false while it waited: then nothing is written.
  bool write(LogEntry& entry, std::initializer_list<std::string_view> parts, const std::atomic<bool>& open);
  size_t most_bytes() const { return (mask_ + 1) / 4 * 64 - 64; }

  // --- the reader ---
  /// The oldest entry; null when there is none. Valid until pop().
  const LogEntry* front() const;
  /// The oldest entry's bytes.
  void read(std::string& to) const;
  void pop();
  /// Wakes a writer that waits, whatever it waits for.
  void wake_writer();
  /// With an overwriting ring, the reader holds this from front() to pop().
  void lock();
  void unlock() { locked_.clear(std::memory_order_release); }
  /// The last entry that was overwritten; 0: none.
  uint64_t last_overwritten() const { return last_overwritten_.load(std::memory_order_relaxed); }

 private:
  bool make_room(size_t slots, const std::atomic<bool>& open);
  void copy_in(uint64_t at, size_t offset, std::string_view part);
  size_t room(uint64_t head) const { return mask_ + 1 - static_cast<size_t>(head - tail_.load()); }

  std::unique_ptr<LogEntry[]> slots_;
  size_t mask_;
  bool overwrites_;
  alignas(64) std::atomic<uint64_t> head_{0};  // next to be written; the writer's
  uint64_t known_tail_ = 0;                    // the writer's
  alignas(64) std::atomic<uint64_t> tail_{0};  // oldest; the reader's, or the writer's when it overwrites
  std::atomic_flag locked_;
  std::atomic<uint64_t> last_overwritten_{0};
  std::atomic<bool> writer_waits_{false};
  std::mutex lock_;
  std::condition_variable freed_;
};

}  // namespace wakepath::os
