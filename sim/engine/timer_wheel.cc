#include "sim/engine/timer_wheel.hh"

#include <algorithm>
#include <bit>

namespace wakepath::engine {

unsigned TimerWheel::slot_of(std::uint64_t moment) const {
  std::uint64_t different = (moment ^ time_) | 1;  // equal: at the lowest digit
  unsigned level = (63u - static_cast<unsigned>(std::countl_zero(different))) / kBits;
  return level * kSlots + static_cast<unsigned>(moment >> level * kBits & (kSlots - 1));
}

/// The first moment of a slot, seen from `time`.
std::uint64_t TimerWheel::slot_begin(unsigned slot, std::uint64_t time) {
  unsigned shift = slot / kSlots * kBits;
  std::uint64_t above = shift + kBits < 64 ? time >> (shift + kBits) << (shift + kBits) : 0;
  return above | static_cast<std::uint64_t>(slot % kSlots) << shift;
}

unsigned TimerWheel::first_slot() const {
  auto level = static_cast<unsigned>(std::countr_zero(levels_));
  return level * kSlots + static_cast<unsigned>(std::countr_zero(used_[level]));
}

void TimerWheel::link(Index at) {
  Entry& entry = entries_[at];
  entry.slot = static_cast<std::uint16_t>(slot_of(entry.moment));
  Slot& slot = slots_[entry.slot];
  entry.before = slot.last;
  entry.behind = 0;
  (slot.last != 0 ? entries_[slot.last].behind : slot.first) = at;
  slot.last = at;
  unsigned level = entry.slot / kSlots;
  used_[level] |= std::uint64_t{1} << entry.slot % kSlots;
  levels_ |= 1u << level;
}

void TimerWheel::unlink(Index at) {
  const Entry& entry = entries_[at];
  Slot& slot = slots_[entry.slot];
  (entry.before != 0 ? entries_[entry.before].behind : slot.first) = entry.behind;
  (entry.behind != 0 ? entries_[entry.behind].before : slot.last) = entry.before;
  if (slot.first != 0) return;
  unsigned level = entry.slot / kSlots;
  used_[level] &= ~(std::uint64_t{1} << entry.slot % kSlots);
  if (used_[level] == 0) levels_ &= ~(1u << level);
}

void TimerWheel::add(Timer& timer, std::uint64_t deadline) {
  Index at = free_;
  if (at != 0) {
    free_ = entries_[at].behind;
  } else {
    at = static_cast<Index>(entries_.size());
    entries_.emplace_back();
  }
  // an exact one for a moment of which the coarse ones have begun is behind those of their tick
  entries_[at].moment = std::max(deadline << 1 | (timer.grain_ == TimerGrain::kCoarse ? 1 : 0), time_);
  entries_[at].timer = &timer;
  entries_[at].armed = armed_++;
  timer.place_ = at;
  link(at);
}

TimerWheel::Due TimerWheel::take(Index at) {
  Entry& entry = entries_[at];
  unlink(at);
  entry.behind = free_;
  free_ = at;
  entry.timer->place_ = 0;
  return {entry.timer, entry.moment >> 1};
}

std::optional<std::uint64_t> TimerWheel::earliest() const {
  if (levels_ == 0) return std::nullopt;
  Index at = slots_[first_slot()].first;
  std::uint64_t least = entries_[at].moment;
  for (; at != 0; at = entries_[at].behind) least = std::min(least, entries_[at].moment);
  return least >> 1;
}

Timer* TimerWheel::take_coarse(unsigned cpu) {
  if ((levels_ & 1) == 0) return nullptr;  // equals of the last one stand on the lowest level
  for (Index at = slots_[first_slot()].last; at != 0; at = entries_[at].before) {
    const Entry& entry = entries_[at];
    if (entry.moment != time_) return nullptr;
    if (entry.timer->grain_ == TimerGrain::kCoarse && entry.timer->cpu_ == cpu && in_tick(entry)) return take(at).timer;
  }
  return nullptr;
}

/// Those of the tick, the last armed first (another CPU may have begun it); then exact ones that came too late for
/// theirs, in order; then the next tick.
TimerWheel::Index TimerWheel::first_of_tick(const Slot& slot) {
  Index exact = 0;
  for (Index at = slot.last; at != 0; at = entries_[at].before) {
    if (entries_[at].timer->grain_ == TimerGrain::kExact)
      exact = at;
    else if (in_tick(entries_[at]))
      return at;
  }
  if (exact != 0) return exact;
  tick_ = armed_;
  return slot.last;
}

TimerWheel::Due TimerWheel::take_due(std::uint64_t limit_ns) {
  const std::uint64_t limit = limit_ns << 1 | 1;
  while (levels_ != 0) {
    unsigned number = first_slot();
    Slot& slot = slots_[number];
    if (slot.first == slot.last || number < kSlots) {  // alone, or among equals
      if (entries_[slot.first].moment > limit) break;
      if (time_ != entries_[slot.first].moment) tick_ = armed_;
      time_ = entries_[slot.first].moment;
      return take((time_ & 1) != 0 ? first_of_tick(slot) : slot.first);
    }
    std::uint64_t begin = slot_begin(number, time_);
    if (begin > limit) break;
    time_ = begin;
    Index at = slot.first;
    Index last = slot.last;
    for (Index next = 0;; at = next) {
      next = entries_[at].behind;
      unlink(at);
      link(at);
      if (at == last) break;
    }
  }
  return {};
}

}  // namespace wakepath::engine
