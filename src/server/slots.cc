#include "src/server/slots.hh"

#include <cstdio>
#include <cstdlib>

namespace wakepath::server {

Slots::Slots(size_t capacity, probe::Probe& probe)
    : capacity_(capacity), probe_(probe), slots_(std::make_unique<Slot[]>(capacity)) {
  for (size_t i = 0; i < capacity; ++i) slots_[i].index = static_cast<uint32_t>(i);
}

namespace {
[[noreturn]] void illegal(const Slot& slot, SlotState from, SlotState to) {
  std::fprintf(stderr, "BUG: slot %u (socket %llu) cannot go from %s to %s\n", slot.index,
               static_cast<unsigned long long>(slot.id.load()), name_of(from).data(), name_of(to).data());
  std::abort();
}
}  // namespace

bool Slots::try_change(Slot& slot, SocketId id, SlotState from, SlotState to) {
  if (!is_edge(from, to)) illegal(slot, from, to);
  const SlotState before = from;
  if (!slot.state.compare_exchange_strong(from, to, std::memory_order_acq_rel)) return false;
  if (before == SlotState::invalid) slot.id.store(id, std::memory_order_release);
  probe_.slot_changed({.socket = id, .slot = slot.index, .fd = slot.fd, .from = name_of(before), .to = name_of(to)});
  return true;
}

Slot* Slots::reserve() {
  for (size_t tries = 0; tries < capacity_; ++tries) {
    const SocketId id = ++last_id_;
    Slot& slot = slots_[id % capacity_];
    if (try_change(slot, id, SlotState::invalid, SlotState::reserve)) return &slot;
  }
  return nullptr;
}

Slot* Slots::find(SocketId id) {
  if (id == 0) return nullptr;
  Slot& slot = slots_[id % capacity_];
  if (slot.id.load(std::memory_order_acquire) != id) return nullptr;
  return slot.state.load(std::memory_order_acquire) == SlotState::invalid ? nullptr : &slot;
}

void Slots::change(Slot& slot, SlotState to) {
  const SlotState from = slot.state.load(std::memory_order_acquire);
  if (!try_change(slot, slot.id.load(), from, to)) illegal(slot, slot.state.load(), to);
}

void Slots::release(Slot& slot) {
  const SocketId id = slot.id.load();
  // Before the state: from the moment it is invalid, another thread may reserve the slot.
  slot.id.store(0, std::memory_order_release);
  slot.fd = -1;
  slot.owner = 0;
  slot.peer = {};
  slot.reading = slot.writing = slot.closing = slot.close_reported = slot.starved = false;
  slot.read_size = slot.warn_at = 0;
  slot.out.clear();
  const SlotState from = slot.state.load(std::memory_order_acquire);
  if (!try_change(slot, id, from, SlotState::invalid)) illegal(slot, from, SlotState::invalid);
}

}  // namespace wakepath::server
