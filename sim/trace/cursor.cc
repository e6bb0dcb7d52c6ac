#include "sim/trace/cursor.hh"

#include <algorithm>

namespace wakepath::trace {

namespace {
constexpr Position kKeyframeEvery = 65536;
}

void Cursor::seek(Position target) {
  target = std::min(target, trace_->size());
  auto keyframe = std::prev(keyframes_.upper_bound(target));
  Position from_here = target > position_ ? target - position_ : position_ - target;
  if (target - keyframe->first < from_here) {
    world_ = keyframe->second;
    position_ = keyframe->first;
  }
  while (position_ < target) {
    world_.apply(trace_->schema(), (*trace_)[position_], position_);
    ++position_;
    if (position_ % kKeyframeEvery == 0) keyframes_.try_emplace(position_, world_);
  }
  while (position_ > target) {
    --position_;
    world_.revert((*trace_)[position_], position_);
  }
}

}  // namespace wakepath::trace
