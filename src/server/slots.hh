#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

#include "src/os/endpoint.hh"
#include "src/probe/probe.hh"
#include "src/server/slot_state.hh"
#include "src/server/write_buffer.hh"

namespace wakepath::server {

/// Names a socket of the server: capacity * generation + index of its slot. 0 names none. Never used twice.
using SocketId = uint64_t;
/// Names a service: whom messages about a socket go to.
using ServiceId = uint32_t;

/// One place for a socket. `state` and `id` may be looked at from any thread; everything else belongs to the thread
/// that reserved the slot until its first command is executed, and to the poll thread from then on.
struct Slot {
  std::atomic<SlotState> state{SlotState::invalid};
  std::atomic<SocketId> id{0};
  uint32_t index = 0;

  int fd = -1;
  ServiceId owner = 0;
  os::Endpoint peer;            ///< listen: the own address
  bool reading = false;         ///< EPOLLIN is asked for
  bool writing = false;         ///< EPOLLOUT is asked for
  bool closing = false;         ///< close() was asked for and waits for `out`
  bool close_reported = false;  ///< the owner has had its close message
  bool starved = false;         ///< listen: not accepting until a descriptor is free
  size_t read_size = 0;         ///< bytes asked for at the next recv
  size_t warn_at = 0;           ///< bytes of `out` at which the next warning is due
  WriteBuffer out;
};

/// All slots. Invariants: (1) a slot's state is written in try_change() alone, along an edge of kSlotEdges; (2) an id
/// is in at most one slot, which is id % capacity; (3) a slot in state invalid holds no descriptor and no data.
class Slots {
 public:
  Slots(size_t capacity, probe::Probe& probe);

  /// Any thread. A slot in state reserve with a new id, or null when all are taken.
  Slot* reserve();
  /// The slot of a socket that exists; null for an id that is stale, was never given out, or is 0.
  Slot* find(SocketId id);
  /// Moves a slot along an edge of kSlotEdges. Ends the program when there is no such edge from its present state: that
  /// is a fault of this program, whatever clients do.
  void change(Slot& slot, SlotState to);
  /// Empties the slot and makes it invalid. The descriptor must be closed or handed on before.
  void release(Slot& slot);

  std::span<Slot> all() { return {slots_.get(), capacity_}; }

 private:
  /// The one place where a state is written. False when the slot is not in `from` (any more).
  bool try_change(Slot& slot, SocketId id, SlotState from, SlotState to);

  size_t capacity_;
  probe::Probe& probe_;
  std::unique_ptr<Slot[]> slots_;
  std::atomic<SocketId> last_id_{0};
};

}  // namespace wakepath::server
