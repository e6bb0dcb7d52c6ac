#include "src/server/slots.hh"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace wakepath::server {

Slots::Slots(os::Os& os, size_t capacity, probe::Probe& probe)
    : os_(os),
      capacity_(std::min(capacity, kMost)),
      probe_(probe),
      chunks_((capacity_ + kChunk - 1) / kChunk),
      lock_(os) {}

Slots::~Slots() {
  for (std::atomic<Slot*>& chunk : chunks_) delete[] chunk.load();
}

namespace {
[[noreturn]] void illegal(const Slot& slot, SlotState from, SlotState to) {
  std::fprintf(stderr, "BUG: slot %u (socket %llu) cannot go from %s to %s\n", slot.index,
               static_cast<unsigned long long>(slot.id.load()), name_of(from).data(), name_of(to).data());
  std::abort();
}
}  // namespace

void Slot::clear() {
  fd = -1;
  kind = Sink::Kind::stream;
  outgoing = foreign = closing = finishing = overflowed = watches_room = attention = false;
  send_error = 0;
  warn_at = write_limit = 0;
  out.clear();
  peer = {};
  figures.read = figures.written = 0;
  figures.last_read_ns = figures.last_write_ns = 0;
  owner = 0;
  reading = writing = false;
  held = false;
  wanted = false;
  watched = close_reported = starved = starts_accepted = was_blocking = false;
  read_size = busy_at = read_at = written_at = 0;
  targets.reset();
}

bool Slots::try_change(Slot& slot, SocketId id, int fd, SlotState from, SlotState to) {
  if (!is_edge(from, to)) illegal(slot, from, to);
  const SlotState before = from;
  if (!slot.state.compare_exchange_strong(from, to, std::memory_order_acq_rel)) return false;
  probe_.slot_changed({.socket = id, .slot = slot.index, .fd = fd, .from = name_of(before), .to = name_of(to)});
  return true;
}

Slot* Slots::take_free() {
  os::Lock hold(lock_);
  if (first_free_ == kNone) return make();
  Slot& slot = at(first_free_);
  first_free_ = slot.next_free;
  if (first_free_ == kNone) last_free_ = kNone;
  return &slot;
}

Slot* Slots::make() {
  const size_t index = made_.load(std::memory_order_relaxed);
  if (index == capacity_) return nullptr;
  std::atomic<Slot*>& chunk = chunks_[index / kChunk];
  if (index % kChunk == 0) chunk.store(new Slot[kChunk], std::memory_order_release);
  Slot& slot = chunk.load(std::memory_order_relaxed)[index % kChunk];
  slot.index = static_cast<uint32_t>(index);
  made_.store(index + 1, std::memory_order_release);
  return &slot;
}

Slot* Slots::reserve() {
  Slot* slot = take_free();
  if (slot == nullptr) return nullptr;
  const SocketId id = slot->generation++ * kIdStride + slot->index + 1;
  try_change(*slot, id, -1, SlotState::invalid, SlotState::reserve);
  slot->id.store(id, std::memory_order_release);
  return slot;
}

Slot* Slots::find(SocketId id) const {
  const size_t place = id % kIdStride;
  if (place == 0 || place > made_.load(std::memory_order_acquire)) return nullptr;
  Slot& slot = at(place - 1);
  return slot.id.load(std::memory_order_acquire) == id ? &slot : nullptr;
}

void Slots::prefetch(SocketId id) const {
  constexpr size_t kLine = 64;
  const size_t place = id % kIdStride;
  if (place == 0 || place > made_.load(std::memory_order_acquire)) return;
  const auto* slot = reinterpret_cast<const char*>(&at(place - 1));
  for (size_t line = 0; line < sizeof(Slot); line += kLine) __builtin_prefetch(slot + line, 1);
}

void Slots::change(Slot& slot, SlotState to) {
  const SlotState from = slot.state.load(std::memory_order_acquire);
  if (!try_change(slot, slot.id.load(), slot.fd, from, to)) illegal(slot, slot.state.load(), to);
}

int Slots::release(Slot& slot) {
  SocketId id = 0;
  int fd = -1;
  {
    os::WordLock hold(os_, slot.lock);
    // From here on nobody finds it: whoever waits for this lock sees that the id has changed.
    id = slot.id.exchange(0, std::memory_order_acq_rel);
    fd = slot.fd;
    slot.clear();
  }
  const SlotState from = slot.state.load(std::memory_order_acquire);
  if (!try_change(slot, id, fd, from, SlotState::invalid)) illegal(slot, from, SlotState::invalid);
  os::Lock hold(lock_);
  slot.next_free = kNone;
  if (last_free_ == kNone) {
    first_free_ = slot.index;
  } else {
    at(last_free_).next_free = slot.index;
  }
  last_free_ = slot.index;
  return fd;
}

}  // namespace wakepath::server
