#pragma once

#include <map>

#include "sim/trace/world.hh"

namespace wakepath::trace {

/// A reader's own place in a trace, with the world as it is there. Moving costs the distance in records; far moves
/// start from a keyframe (a copy of the world), which the cursor keeps about every 65,536 records that it has passed.
class Cursor {
 public:
  explicit Cursor(const Trace& trace) : trace_(&trace) { keyframes_.emplace(0, World{}); }

  [[nodiscard]] const Trace& trace() const { return *trace_; }
  [[nodiscard]] const World& world() const { return world_; }
  /// The world is the one after the first `position()` records.
  [[nodiscard]] Position position() const { return position_; }

  /// Goes there, forward or back; beyond the end means the end as it is now.
  void seek(Position target);

 private:
  const Trace* trace_;
  World world_;
  Position position_ = 0;
  std::map<Position, World> keyframes_;
};

}  // namespace wakepath::trace
