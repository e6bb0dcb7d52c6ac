#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "src/os/mutex.hh"
#include "src/os/socket_address.hh"
#include "src/probe/probe.hh"
#include "src/server/slot_state.hh"
#include "src/server/write_buffer.hh"

namespace wakepath::server {

/// Names a socket of the server: kIdStride * generation + slot + 1, so that the seventeenth slot's third socket is
/// 20000017. 0 names none. Never used twice.
using SocketId = uint64_t;
inline constexpr SocketId kIdStride = 10'000'000;
/// Names a service: whom messages about a socket go to.
using ServiceId = uint32_t;

/// A number that one thread at a time writes and any thread may look at, whatever else it sees by then.
template <class T>
class Relaxed {
 public:
  Relaxed(T value = {}) : value_(value) {}
  Relaxed& operator=(T value) {
    value_.store(value, std::memory_order_relaxed);
    return *this;
  }
  Relaxed& operator=(const Relaxed& other) { return *this = static_cast<T>(other); }
  operator T() const { return value_.load(std::memory_order_relaxed); }
  void add(T more) { *this = static_cast<T>(*this + more); }

 private:
  std::atomic<T> value_;
};

/// What has gone through a socket. Times are of the monotonic clock, in ns; 0: never.
struct SlotFigures {
  Relaxed<uint64_t> read, written;  ///< bytes; of a listener, `read` counts connections
  Relaxed<int64_t> last_read_ns, last_write_ns;
};

/// One place for a socket. `state`, `id` and what is Relaxed may be looked at from any thread. What stands under `lock`
/// may be touched by whoever holds it and has found `id` unchanged. The rest belongs to the thread that reserved the
/// slot until its first command is executed, and to the poll thread from then on.
struct Slot {
  std::atomic<SocketId> id{0};
  std::atomic<SlotState> state{SlotState::invalid};
  os::MutexWord lock;

  // ---- under the lock
  int fd = -1;
  Sink::Kind kind = Sink::Kind::stream;
  bool outgoing = false;      ///< made by connect(): may be sent to before it is connected
  bool foreign = false;       ///< made by bind(): not ours to close; may be sent to before it is watched
  bool closing = false;       ///< close() was asked for and waits for `out`
  bool finishing = false;     ///< finish() was asked for and waits for `out`
  bool overflowed = false;    ///< the limit of `out` was passed: about to be closed
  bool watches_room = false;  ///< the poll thread looks for EPOLLOUT, or has been asked to
  bool attention = false;     ///< the poll thread has been asked to look at this slot
  int16_t send_error = 0;     ///< errno with which a send outside the poll thread failed; it is not yet dealt with
  size_t warn_at = 0;         ///< bytes of `out` at which the next warning is due
  size_t write_limit = 0;     ///< most memory for `out`
  WriteBuffer out;
  os::SocketAddress peer;  ///< of a listener or an unconnected UDP socket: its own
  SlotFigures figures;

  // ---- the poll thread's
  Relaxed<ServiceId> owner;
  Relaxed<bool> reading;             ///< EPOLLIN is asked for
  Relaxed<bool> held;                ///< it is not, whatever the owner says, until release(); the poll thread's
  Relaxed<bool> wanted;              ///< while it is held: what the owner says
  Relaxed<bool> writing;             ///< EPOLLOUT is asked for
  bool watched : 1 = false;          ///< in the poller's interest list
  bool close_reported : 1 = false;   ///< the owner has had its close message
  bool starved : 1 = false;          ///< listen: not accepting until a descriptor is free
  bool starts_accepted : 1 = false;  ///< listen: connections need no start()
  bool was_blocking : 1 = false;     ///< bind: O_NONBLOCK is taken back in the end
  uint32_t read_size = 0;            ///< bytes asked for at the next recv; listen: connections to accept in a row
  uint32_t busy_at = 0;              ///< listen: the batch in which it was last ready
  uint32_t read_at = 0;              ///< the batch in which it was last read from
  uint32_t written_at = 0;           ///< the same of its write buffer
  std::unique_ptr<std::vector<os::SocketAddress>> targets;  ///< connect: those still to be tried, the next one last

  // ---- Slots'
  uint32_t index = 0;
  uint32_t next_free = 0;
  uint64_t generation = 0;

  /// As new, but for what is Slots'. Under the lock.
  void clear();
};

/// All slots; there are as many as were ever needed at the same time, made in chunks that never move.
/// Invariants: (1) a slot's state is written in try_change() alone, along an edge of kSlotEdges; (2) an id is in at
/// most one slot, which it names; (3) a slot in state invalid holds no descriptor and no data.
class Slots {
 public:
  static constexpr size_t kMost = kIdStride - 1;

  /// `capacity`: how many may be in use at the same time, at most.
  Slots(os::Os& os, size_t capacity, probe::Probe& probe);
  ~Slots();

  /// Any thread. A slot in state reserve with a new id, or null when all are taken.
  Slot* reserve();
  /// Any thread, without a lock. The slot of a socket that exists; null for an id that is stale, was never given out,
  /// or is 0. Only the poll thread can rely on its staying so; others take the slot's lock and look at the id again.
  Slot* find(SocketId id) const;
  /// Hints that find(id) and the poll thread's work on the slot come soon.
  void prefetch(SocketId id) const;
  /// Moves a slot along an edge of kSlotEdges. Ends the program when there is no such edge from its present state: that
  /// is a fault of this program, whatever clients do.
  void change(Slot& slot, SlotState to);
  /// Empties the slot and makes it invalid. Returns the descriptor that it held, which is the caller's to close.
  int release(Slot& slot);

  /// Slots made so far, in use or not. Any thread.
  size_t made() const { return made_.load(std::memory_order_acquire); }
  /// index < made(). Any thread.
  Slot& at(size_t index) const { return chunks_[index / kChunk].load(std::memory_order_acquire)[index % kChunk]; }

 private:
  static constexpr size_t kChunk = 1024;
  static constexpr uint32_t kNone = ~uint32_t{0};

  /// The one place where a state is written. False when the slot is not in `from` (any more).
  bool try_change(Slot& slot, SocketId id, int fd, SlotState from, SlotState to);
  Slot* take_free();
  Slot* make();

  os::Os& os_;
  size_t capacity_;
  probe::Probe& probe_;
  std::vector<std::atomic<Slot*>> chunks_;
  std::atomic<size_t> made_{0};
  os::Mutex lock_;                                   // guards the list of free slots, and growth
  uint32_t first_free_ = kNone, last_free_ = kNone;  // a queue: an id's slot comes again as late as possible
};

}  // namespace wakepath::server
