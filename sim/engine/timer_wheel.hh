#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace wakepath::engine {

/// Exact timers come to the moment. Coarse ones are looked after once a tick: those of one tick run together, behind
/// the exact ones, whoever was armed last first. Who is armed by them for the same moment waits for the next look.
enum class TimerGrain : std::uint16_t { kExact, kCoarse };

/// A timer of the modelled machine. Owned by whoever embeds it; must be inactive when it dies.
class Timer {
 public:
  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  [[nodiscard]] bool active() const { return place_ != 0; }

  /// A plain function: timers run in softirq and must not sleep. It is given the scheduler's machine, and finds the
  /// structure that embeds the timer from the timer's address. Set before the timer is armed.
  void (*function)(void* machine, Timer& timer) = nullptr;

 private:
  friend class Scheduler;
  friend class TimerWheel;
  std::uint16_t cpu_ = 0;  // it fires where it was armed
  TimerGrain grain_ = TimerGrain::kExact;
  std::uint32_t place_ = 0;  // its entry in the wheel; 0: inactive
};

/// The armed timers, in order of deadline, and those of one deadline by TimerGrain. Arming and cancelling cost the same
/// however many there are: most timers of a network stack are cancelled, and a busy one has tens of thousands in
/// TIME_WAIT.
///
/// Moments are half nanoseconds here: the exact timers of a deadline come at its begin, the coarse ones in its second
/// half. They are written in digits of 64. A timer stands at the highest digit in which its moment differs from the
/// wheel's time, in the slot of that digit's value; so whoever is first is in the lowest slot of the lowest level that
/// has any. When time comes to a slot, its timers move down to the levels below, in their order.
class TimerWheel {
 public:
  TimerWheel() : entries_(1) {}

  /// Precondition: the timer is inactive, and `deadline` not before the last one taken.
  void add(Timer& timer, std::uint64_t deadline);
  /// True if it was active.
  bool remove(Timer& timer) {
    if (!timer.active()) return false;
    take(timer.place_);
    return true;
  }
  [[nodiscard]] std::optional<std::uint64_t> earliest() const;
  struct Due {
    Timer* timer = nullptr;  ///< nullptr: none.
    std::uint64_t deadline = 0;
  };
  /// The first of all, taken off, if its deadline is not after `limit`. Whoever asks lets time come to `limit`, or to
  /// the deadline, before anything is added.
  [[nodiscard]] Due take_due(std::uint64_t limit);
  /// The next coarse one of the tick in which the last one was taken, of those of this CPU; nullptr: no more of them.
  [[nodiscard]] Timer* take_coarse(unsigned cpu);

 private:
  static constexpr unsigned kBits = 6;  // of a digit
  static constexpr unsigned kSlots = 1u << kBits;
  static constexpr unsigned kLevels = (64 + kBits - 1) / kBits;
  using Index = std::uint32_t;  // into entries_; 0: none

  struct Entry {
    std::uint64_t moment = 0;
    Timer* timer = nullptr;
    Index before = 0, behind = 0;
    std::uint16_t slot = 0;   // level * kSlots + value of the digit
    std::uint32_t armed = 0;  // the how manieth
  };
  struct Slot {
    Index first = 0, last = 0;
  };
  [[nodiscard]] static std::uint64_t slot_begin(unsigned slot, std::uint64_t time);
  [[nodiscard]] unsigned slot_of(std::uint64_t moment) const;
  /// The slot of the earliest. Precondition: there is one.
  [[nodiscard]] unsigned first_slot() const;
  /// Was it armed before the tick that runs now began? (The counter may wrap.)
  [[nodiscard]] bool in_tick(const Entry& entry) const { return static_cast<std::int32_t>(entry.armed - tick_) < 0; }
  /// Who is first in a slot of a second half; notes when a new tick begins with it.
  [[nodiscard]] Index first_of_tick(const Slot& slot);
  void link(Index at);
  void unlink(Index at);
  Due take(Index at);

  std::uint64_t time_ = 0;    // not after any deadline
  std::uint32_t armed_ = 0;   // how many timers have been
  std::uint32_t tick_ = 0;    // `armed_` when the tick that runs now began
  std::uint32_t levels_ = 0;  // bit by bit: is anything in a level, and in its slots
  std::array<std::uint64_t, kLevels> used_{};
  std::array<Slot, kLevels * kSlots> slots_{};
  std::vector<Entry> entries_;  // entries_[0] is none; free ones are linked by `behind` from free_
  Index free_ = 0;
};

}  // namespace wakepath::engine
