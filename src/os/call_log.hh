#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "src/os/call_record.hh"
#include "src/os/gate.hh"
#include "src/os/log_ring.hh"
#include "src/os/origins.hh"
#include "src/os/os.hh"
#include "src/os/stamp.hh"

namespace wakepath::os {

struct CallLogOptions {
  size_t slots = 32768;           ///< of 64 bytes, for each thread; a power of two
  bool keeps_last = false;        ///< writers never wait: a full ring loses its oldest entries
  uint32_t one_of = 1;            ///< of the connections that are accepted, the calls of every so-manieth are recorded
  size_t most_data = ~size_t{0};  ///< bytes kept of what one call sends or receives; at most an eighth of a ring
};

/// A thread that writes to a log.
struct LogThread {
  LogThread(int number, const CallLogOptions& options) : place(number), ring(options.slots, options.keeps_last) {}
  Gate::Pass next_pass() { return static_cast<Gate::Pass>(place + 1) << 48 | ++passes; }

  const int place;
  std::atomic<bool> named{false};
  ThreadInfo info;  ///< when named
  Gate::Pass passes = 0;
  LogRing ring;
  std::atomic<uint64_t> missed{0};     ///< calls while the log was off; the thread's own to count
  std::atomic<uint64_t> passed_by{0};  ///< calls of connections that are not recorded; likewise
  std::atomic<bool> unseen{false};     ///< in a call that cannot sleep and is not recorded
};

/// What a log's reader gets.
struct LogItem {
  enum class Kind : uint8_t { entering, returned, note } kind = Kind::note;
  CallRecord record;  ///< of a note: sequence and thread alone
  uint8_t note = 0;   ///< whatever number it was given
  std::string bytes;  ///< of a note
};

/// What a log has that keeps the last entries of each thread.
struct LogHistory {
  std::vector<LogItem> origins;  ///< to which the descriptors owe what they were where the kept entries begin (Origins)
  std::vector<LogItem> kept;     ///< the last of all threads: none is missing among these
  uint64_t entries = 0;          ///< that there have been in all
};

/// The calls of a program's threads, and notes, in the order in which they took effect. Each thread writes into a ring
/// of its own; tickets out of one counter give the order of all. A call that cannot sleep holds the gate until it has
/// its ticket, so tickets follow the kernel's own order; of a call that slept, only "not before its entry, not after
/// its return" is known, and it has an entry for each.
///
/// Many writers, one reader at a time.
class CallLog {
 public:
  explicit CallLog(const CallLogOptions& options = {});
  ~CallLog();
  CallLog(const CallLog&) = delete;
  CallLog& operator=(const CallLog&) = delete;

  // --- writers ---
  /// While it is off, calls are made and not recorded, but for those to which descriptors owe what they are.
  bool on() const { return on_.load(std::memory_order_relaxed); }
  /// Whether a call like this one is recorded now.
  bool takes(const LogEntry& entry) const {
    return on() || (Origins::may_concern(entry) && open_.load(std::memory_order_relaxed));
  }
  /// Begins a call that is not recorded and cannot sleep. False when it is to be recorded after all. `self.unseen` is
  /// to be cleared when it has returned.
  bool begin_unseen(LogThread& self);
  /// Between two calls: none that cannot sleep is under way, recorded or not, from before the switch until `then` has
  /// returned. Of calls that sleep meanwhile, the return is recorded. Any thread.
  void turn(bool on, const std::function<void()>& then = {});
  static void count(std::atomic<uint64_t>& own) {
    own.store(own.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  /// Whether the next connection that is accepted is one of those to be recorded.
  bool chooses_next() { return options_.one_of <= 1 || accepted_.fetch_add(1) % options_.one_of == 0; }
  /// The calling thread.
  LogThread& self();
  Gate& gate() { return gate_; }
  /// For somebody who writes nothing.
  Gate::Pass outside_pass() { return ++outside_passes_; }
  uint64_t ticket() { return tickets_.fetch_add(1) + 1; }
  size_t most_data() const { return most_data_; }
  void write(LogThread& self, LogEntry& entry, std::initializer_list<std::string_view> parts);
  /// The same of a call that has returned; `on`: whether the log was, when the call had its ticket.
  void write_call(LogThread& self, LogEntry& entry, bool on, std::initializer_list<std::string_view> parts);
  /// An event of the program's own, at its place among its thread's calls.
  void note(uint8_t note, std::initializer_list<std::string_view> parts);

  // --- the reader ---
  /// The next one in order. False when there is none yet.
  bool next(LogItem& item);
  /// Until there is one, wake() is called, or so much time has passed. True when there is one.
  bool wait(int64_t timeout_ns);
  void wake();
  /// When it keeps the last: takes them out, back to when it was turned on. Writers go on meanwhile.
  LogHistory history();
  /// To which calls the descriptors owe what they are, of those that are open: as far as the log has been read or, when
  /// it keeps the last, written.
  std::vector<LogItem> origins() const;
  /// The last entry that has been read.
  uint64_t read() const { return read_; }
  /// Entries whose place is given already, though they may not be written yet.
  uint64_t given() const { return tickets_.load(); }
  /// There is no reader any more: nothing is recorded from here on, and nobody waits for room.
  void close();
  uint64_t missed() const;     ///< calls while it was off
  uint64_t passed_by() const;  ///< calls of connections that are not recorded

 private:
  uint64_t oldest() const;
  uint64_t take_out(uint64_t up_to, std::vector<StoredEntry>& to);
  LogItem item_of(const StoredEntry& stored) const;
  void learn_threads();
  LogThread* holder_of(uint64_t ticket);
  LogThread& enroll();
  void fill(const LogThread& thread, const LogEntry& entry, std::string& bytes, LogItem& item) const;

  const CallLogOptions options_;
  const uint64_t id_;  // of all logs that this process has had
  const size_t most_data_;
  const StampClock clock_;
  std::atomic<bool> on_{true};
  std::atomic<bool> open_{true};  // there is a reader, or will be one
  std::atomic<Gate::Pass> outside_passes_{0};
  std::atomic<uint64_t> accepted_{0};
  alignas(64) std::atomic<uint64_t> tickets_{0};
  Gate gate_;
  Origins origins_;
  std::atomic<uint64_t> taken_out_{0};
  std::atomic<uint64_t> turned_off_{0};  // the last entry before, while it is off

  mutable std::mutex lock_;  // guards what follows
  std::condition_variable more_;
  std::map<uint64_t, LogThread*> by_serial_;
  std::deque<std::unique_ptr<LogThread>> threads_;
  bool woken_ = false;
  std::atomic<size_t> thread_count_{0};
  std::atomic<bool> reader_sleeps_{false};

  // the reader's
  std::vector<LogThread*> known_;
  size_t last_ = 0;  // whose entry came last
  uint64_t read_ = 0;
  std::string bytes_;
};

}  // namespace wakepath::os
