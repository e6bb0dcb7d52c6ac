#include "src/os/call_log.hh"

#include <sched.h>

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

void CallLog::write_call(LogThread& self, LogEntry& entry, bool on, std::initializer_list<std::string_view> parts) {
  if (on || !options_.keeps_last) write(self, entry, parts);
  if (!options_.keeps_last || !Origins::concerns(entry)) return;
  StoredEntry stored{entry, {}, self.place};
  for (const std::string_view part : parts) stored.bytes += part;
  origins_.add(stored, oldest());
}

bool CallLog::begin_unseen(LogThread& self) {
  self.unseen.store(true);  // in one order with on_: either turn() sees it, or this sees the log on
  if (!on_.load()) return true;
  self.unseen.store(false);
  return false;
}

void CallLog::turn(bool on, const std::function<void()>& then) {
  constexpr int kPatienceMs = 250;  // as the gate's: a call that sleeps all the same is passed by
  const Gate::Pass pass = outside_pass();
  gate_.enter(pass, false);
  if (on && !on_.load() && options_.keeps_last) taken_out_.store(given());
  on_.store(on);
  turned_off_.store(given());
  const auto tired = std::chrono::steady_clock::now() + std::chrono::milliseconds(kPatienceMs);
  const auto unseen = [&] {
    std::lock_guard hold(lock_);
    return std::any_of(threads_.begin(), threads_.end(), [](const auto& thread) { return thread->unseen.load(); });
  };
  while (on && unseen() && std::chrono::steady_clock::now() < tired) sched_yield();
  if (then) then();
  gate_.leave(pass);
}

/// From there on no entry is missing.
uint64_t CallLog::oldest() const {
  uint64_t gone = taken_out_.load();
  std::lock_guard hold(lock_);
  for (const auto& thread : threads_) gone = std::max(gone, thread->ring.last_overwritten());
  return gone + 1;
}

/// Entries up to that one, of all rings. Returns the last that is not in its ring any more.
uint64_t CallLog::take_out(uint64_t up_to, std::vector<StoredEntry>& to) {
  std::lock_guard hold(lock_);
  uint64_t gone = taken_out_.load();
  for (const auto& thread : threads_) {
    thread->ring.lock();
    gone = std::max(gone, thread->ring.last_overwritten());
    for (const LogEntry* entry = nullptr; (entry = thread->ring.front()) != nullptr && entry->ticket <= up_to;) {
      to.push_back({*entry, {}, thread->place});
      thread->ring.read(to.back().bytes);
      thread->ring.pop();
    }
    thread->ring.unlock();
  }
  return gone;
}

LogHistory CallLog::history() {
  constexpr int kMostTries = 10'000;  // a writer stands between its ticket and its entry for an instant
  const uint64_t last = on() ? given() : turned_off_.load();
  std::vector<StoredEntry> stored;
  const uint64_t first = take_out(last, stored) + 1;
  for (int tries = 0; tries < kMostTries; ++tries, take_out(last, stored)) {
    const auto kept =
        std::count_if(stored.begin(), stored.end(), [&](const auto& s) { return s.entry.ticket >= first; });
    if (first + static_cast<uint64_t>(kept) > last) break;
    sched_yield();
  }
  taken_out_.store(last);
  std::erase_if(stored, [&](const StoredEntry& s) { return s.entry.ticket < first; });
  std::sort(stored.begin(), stored.end(),
            [](const StoredEntry& a, const StoredEntry& b) { return a.entry.ticket < b.entry.ticket; });
  LogHistory history{.entries = last};
  for (const StoredEntry& each : origins_.before(first)) history.origins.push_back(item_of(each));
  for (const StoredEntry& each : stored) history.kept.push_back(item_of(each));
  return history;
}

LogItem CallLog::item_of(const StoredEntry& stored) const {
  LogItem item;
  std::string bytes = stored.bytes;
  std::lock_guard hold(lock_);
  fill(*threads_[static_cast<size_t>(stored.thread)], stored.entry, bytes, item);
  return item;
}

std::vector<LogItem> CallLog::origins() const {
  std::vector<LogItem> items;
  for (const StoredEntry& each : origins_.before(~uint64_t{0}, false)) items.push_back(item_of(each));
  return items;
}

void CallLog::note(uint8_t note, std::initializer_list<std::string_view> parts) {
  if (!on()) return;
  LogEntry entry{};
  entry.kind = note;
  entry.flags = kIsNote;
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
  thread->ring.read(bytes_);
  const LogEntry& entry = *thread->ring.front();
  const bool call = (entry.flags & (kIsNote | kEntering)) == 0;
  if (call && Origins::concerns(entry)) origins_.add({entry, bytes_, thread->place}, read_ + 1);
  fill(*thread, entry, bytes_, item);
  thread->ring.pop();
  ++read_;
  return true;
}

void CallLog::fill(const LogThread& thread, const LogEntry& entry, std::string& bytes, LogItem& item) const {
  const bool named = thread.named.load();
  item.record.thread = named ? thread.info.id : 0;
  item.record.thread_name = named ? std::string_view(thread.info.name) : std::string_view();
  item.record.sequence = entry.ticket;
  if ((entry.flags & kIsNote) != 0) {
    item.kind = LogItem::Kind::note;
    item.note = entry.kind;
    item.bytes.swap(bytes);
    return;
  }
  item.record.at_ns = clock_.ns_of(entry.at);
  item.kind = (entry.flags & kEntering) != 0 ? LogItem::Kind::entering : LogItem::Kind::returned;
  decode(entry, bytes, item.record);
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

uint64_t CallLog::missed() const {
  std::lock_guard hold(lock_);
  uint64_t sum = 0;
  for (const auto& thread : threads_) sum += thread->missed.load(std::memory_order_relaxed);
  return sum;
}

uint64_t CallLog::passed_by() const {
  std::lock_guard hold(lock_);
  uint64_t sum = 0;
  for (const auto& thread : threads_) sum += thread->passed_by.load(std::memory_order_relaxed);
  return sum;
}

void CallLog::close() {
  on_.store(false);
  open_.store(false);
  std::lock_guard hold(lock_);
  for (const auto& thread : threads_) thread->ring.wake_writer();
}

}  // namespace wakepath::os
