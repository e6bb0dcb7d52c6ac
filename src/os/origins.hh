#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "src/os/log_ring.hh"

namespace wakepath::os {

/// An entry of a log outside its ring.
struct StoredEntry {
  LogEntry entry;
  std::string bytes;
  int thread;  ///< LogThread::place
};

/// The calls to which the descriptors owe what they are: those that made, bound, connected, registered them and set
/// their options. A log that forgets its oldest entries keeps these, of each descriptor that was open at any time that
/// it still has entries of. Any thread.
class Origins {
 public:
  /// A call that has returned; others than these are ignored. Entries before `oldest` are no longer in the log.
  void add(const StoredEntry& stored, uint64_t oldest);
  /// Those before `ticket`, in order; `ended`: also of descriptors that have been closed since.
  std::vector<StoredEntry> before(uint64_t ticket, bool ended = true) const;
  /// Whether it is one, once it has returned; whether a call of its kind may be.
  static bool concerns(const LogEntry& entry);
  static bool may_concern(const LogEntry& entry);

 private:
  using Life = std::vector<StoredEntry>;
  struct Ended {
    uint64_t ticket;
    Life life;
  };
  static void condense(Life& life, uint64_t oldest);

  mutable std::mutex lock_;
  std::map<int, Life> lives_;  // by descriptor
  std::deque<Ended> ended_;    // by the ticket of close
};

}  // namespace wakepath::os
