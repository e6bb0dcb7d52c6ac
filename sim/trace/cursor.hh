#pragma once

#include <map>

#include "sim/trace/world.hh"

namespace wakepath::trace {

/// A reader's own place in a trace, with the world as it is there. Moving costs the distance in records; far moves
/// start from the nearer of the keyframes before and behind (copies of the world that share what did not change), which
/// the cursor keeps about every 50,000 records that it has passed.
///
/// In a ring a cursor that follows its growth can go back as far as the floor. One that began after the floor rose, or
/// fell behind it, has no world to start from.
class Cursor {
 public:
  static constexpr Position kKeyframeEvery = 50'000;

  explicit Cursor(const Trace& trace) : trace_(&trace) { keyframes_.emplace(0, World{}); }

  [[nodiscard]] const Trace& trace() const { return *trace_; }
  [[nodiscard]] const World& world() const { return world_; }
  /// The world is the one after the first `position()` records.
  [[nodiscard]] Position position() const { return position_; }

  /// Goes there, forward or back; beyond the end means the end as it is now. False: it is no longer kept (in a ring
  /// only), and the cursor stays where it is.
  bool seek(Position target);

 private:
  /// Starting from a keyframe costs about as much as walking so many records: what it shares is copied when written.
  static constexpr Position kKeyframeCosts = 10'000;

  void walk(Position target);

  const Trace* trace_;
  World world_;
  Position position_ = 0;
  std::map<Position, World> keyframes_;
};

}  // namespace wakepath::trace
