#include "src/os/call_log.hh"

#include <algorithm>
#include <chrono>
#include <utility>

#include "src/os/call_code.hh"

namespace wakepath::os {

namespace {

std::atomic<uint64_t> last_log{0};
std::atomic<uint64_t> last_thread{0};

/// Unlike a thread's id, never given out again.
uint64_t thread_serial() {
  thread_local const uint64_t serial = ++last_thread;
  return serial;
}

}  // namespace

CallLog::CallLog(const CallLogOptions& options)
    : options_(options), id_(++last_log), most_data_(std::min(options.most_data, options.slots / 8 * 64)) {}

CallLog::~CallLog() = default;

LogThread& CallLog::self() {
  thread_local struct {
    uint64_t log = 0;
    LogThread* thread = nullptr;
  } last;
  if (last.log != id_) last = {id_, &enroll()};
  return *last.thread;
}

LogThread& CallLog::enroll() {
  std::lock_guard hold(lock_);
  LogThread*& thread = by_serial_[thread_serial()];
  if (thread == nullptr) {
    threads_.push_back(std::make_unique<LogThread>(static_cast<int>(threads_.size()), options_));
    thread = threads_.back().get();
    thread_count_.store(threads_.size());
  }
  return *thread;
}

void CallLog::write(LogThread& self, LogEntry& entry, std::initializer_list<std::string_view> parts) {
  if (!self.ring.write(entry, parts, open_)) return;
  if (!reader_sleeps_.load()) return;
  { std::lock_guard hold(lock_); }
  more_.notify_one();
}

void CallLog::note(uint8_t note, std::initializer_list<std::string_view> parts) {
  if (!on()) return;
  LogEntry entry{};
  entry.kind = note;
  entry.flags = kIsNote;
  entry.begun = entry.ended = stamp();
  LogThread& thread = self();
  entry.ticket = ticket();
  write(thread, entry, parts);
}

/// Under the lock.
void CallLog::learn_threads() {
  known_.clear();
  for (const auto& thread : threads_) known_.push_back(thread.get());
}

LogThread* CallLog::holder_of(uint64_t ticket) {
  for (size_t i = 0; i < known_.size(); ++i) {
    const size_t place = (last_ + i) % known_.size();
    const LogEntry* entry = known_[place]->ring.front();
    if (entry == nullptr || entry->ticket != ticket) continue;
    last_ = place;
    return known_[place];
  }
  return nullptr;
}

bool CallLog::next(LogItem& item) {
  if (known_.size() != thread_count_.load()) {
    std::lock_guard hold(lock_);
    learn_threads();
  }
  LogThread* thread = holder_of(read_ + 1);
  if (thread == nullptr) return false;
  fill(*thread, *thread->ring.front(), item);
  thread->ring.pop();
  ++read_;
  return true;
}

void CallLog::fill(const LogThread& thread, const LogEntry& entry, LogItem& item) {
  const bool named = thread.named.load();
  item.record.thread = named ? thread.info.id : 0;
  item.record.thread_name = named ? std::string_view(thread.info.name) : std::string_view();
  item.record.sequence = entry.ticket;
  item.record.entry_ns = clock_.ns_of(entry.begun);
  item.record.return_ns = clock_.ns_of(entry.ended);
  if ((entry.flags & kIsNote) != 0) {
    item.kind = LogItem::Kind::note;
    item.note = entry.kind;
    thread.ring.read(item.bytes);
    return;
  }
  item.kind = (entry.flags & kEntering) != 0 ? LogItem::Kind::entering : LogItem::Kind::returned;
  thread.ring.read(bytes_);
  decode(entry, bytes_, item.record);
}

bool CallLog::wait(int64_t timeout_ns) {
  std::unique_lock hold(lock_);
  reader_sleeps_.store(true);
  bool more = false;
  const auto enough = [&] {
    learn_threads();
    more = holder_of(read_ + 1) != nullptr;
    return more || woken_;
  };
  more_.wait_for(hold, std::chrono::nanoseconds(timeout_ns), enough);
  reader_sleeps_.store(false);
  woken_ = false;
  return more;
}

void CallLog::wake() {
  {
    std::lock_guard hold(lock_);
    woken_ = true;
  }
  more_.notify_one();
}

void CallLog::close() {
  on_.store(false);
  open_.store(false);
  std::lock_guard hold(lock_);
  for (const auto& thread : threads_) thread->ring.wake_writer();
}

}  // namespace wakepath::os
