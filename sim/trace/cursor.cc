#include "sim/trace/cursor.hh"

#include <algorithm>
#include <iterator>

namespace wakepath::trace {

bool Cursor::seek(Position target) {
  RecordStore::Reading reading = trace_->reading();
  Position floor = trace_->floor();
  target = std::min(target, trace_->size());
  keyframes_.erase(keyframes_.begin(), keyframes_.lower_bound(floor));
  if (target < floor) return false;

  Position nearest = position_;
  auto distance = [&](Position from) { return from > target ? from - target : target - from; };
  auto start = keyframes_.end();
  auto consider = [&](std::map<Position, World>::iterator keyframe) {
    if (distance(keyframe->first) >= distance(nearest) && nearest >= floor) return;
    nearest = keyframe->first;
    start = keyframe;
  };
  auto behind = keyframes_.lower_bound(target);
  if (behind != keyframes_.end()) consider(behind);
  if (behind != keyframes_.begin()) consider(std::prev(behind));
  if (nearest < floor) return false;
  if (start != keyframes_.end()) {
    world_ = start->second;
    position_ = start->first;
  }
  walk(target);
  return true;
}

void Cursor::walk(Position target) {
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
