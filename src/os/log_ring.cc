#include "src/os/log_ring.hh"

#include <sched.h>

#include <algorithm>
#include <cstring>

namespace wakepath::os {

namespace {
constexpr size_t kOverwrittenAtOnce = 128;  // slots
}  // namespace

LogRing::LogRing(size_t slots, bool overwrites)
    : slots_(std::make_unique_for_overwrite<LogEntry[]>(slots)), mask_(slots - 1), overwrites_(overwrites) {}

bool LogRing::write(LogEntry& entry, std::initializer_list<std::string_view> parts, const std::atomic<bool>& open) {
  entry.bytes = 0;
  for (const std::string_view part : parts) entry.bytes += static_cast<uint32_t>(part.size());
  const uint64_t head = head_.load(std::memory_order_relaxed);
  if (overwrites_) lock();
  if (head + entry.slots() - known_tail_ > mask_ + 1 && !make_room(entry.slots(), open)) return false;
  slots_[head & mask_] = entry;
  size_t offset = 0;
  for (const std::string_view part : parts) {
    copy_in(head + 1, offset, part);
    offset += part.size();
  }
  if (overwrites_) {
    head_.store(head + entry.slots(), std::memory_order_relaxed);
    unlock();
  } else {
    head_.store(head + entry.slots());  // in one order with what the reader says before it sleeps
  }
  return true;
}

bool LogRing::make_room(size_t slots, const std::atomic<bool>& open) {
  const uint64_t head = head_.load(std::memory_order_relaxed);
  known_tail_ = tail_.load();
  if (head + slots - known_tail_ <= mask_ + 1) return true;
  if (overwrites_) {
    uint64_t last = 0;
    for (slots += kOverwrittenAtOnce; head + slots - known_tail_ > mask_ + 1;) {
      const LogEntry& oldest = slots_[known_tail_ & mask_];
      last = oldest.ticket;
      known_tail_ += oldest.slots();
    }
    last_overwritten_.store(last, std::memory_order_relaxed);
    tail_.store(known_tail_, std::memory_order_relaxed);
    return true;
  }
  std::unique_lock hold(lock_);
  writer_waits_.store(true);
  // a quarter: it is not worth while to wake up for one entry
  freed_.wait(hold, [&] { return !open.load() || room(head) >= (mask_ + 1) / 4; });
  writer_waits_.store(false);
  known_tail_ = tail_.load();
  return room(head) >= slots;
}

void LogRing::copy_in(uint64_t at, size_t offset, std::string_view part) {
  char* const begin = reinterpret_cast<char*>(slots_.get());
  const size_t size = (mask_ + 1) * sizeof(LogEntry);
  const size_t from = (static_cast<size_t>(at & mask_) * sizeof(LogEntry) + offset) % size;
  const size_t first = std::min(part.size(), size - from);
  if (first > 0) std::memcpy(begin + from, part.data(), first);
  if (first < part.size()) std::memcpy(begin, part.data() + first, part.size() - first);
}

const LogEntry* LogRing::front() const {
  const uint64_t tail = tail_.load(std::memory_order_relaxed);
  return head_.load() == tail ? nullptr : &slots_[tail & mask_];
}

void LogRing::read(std::string& to) const {
  const uint64_t tail = tail_.load(std::memory_order_relaxed);
  const size_t bytes = slots_[tail & mask_].bytes;
  const char* const begin = reinterpret_cast<const char*>(slots_.get());
  const size_t from = static_cast<size_t>((tail + 1) & mask_) * sizeof(LogEntry);
  const size_t first = std::min(bytes, (mask_ + 1) * sizeof(LogEntry) - from);
  to.assign(begin + from, first);
  to.append(begin, bytes - first);
}

void LogRing::pop() {
  const uint64_t tail = tail_.load(std::memory_order_relaxed);
  tail_.store(tail + slots_[tail & mask_].slots());
  if (writer_waits_.load() && room(head_.load()) >= (mask_ + 1) / 4) wake_writer();
}

void LogRing::wake_writer() {
  { std::lock_guard hold(lock_); }
  freed_.notify_all();
}

void LogRing::lock() {
  while (locked_.test_and_set(std::memory_order_acquire)) sched_yield();
}

}  // namespace wakepath::os
