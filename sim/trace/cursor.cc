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

  auto distance = [&](Position from) { return from > target ? from - target : target - from; };
  bool stays = position_ >= floor;
  Position best = stays ? distance(position_) : ~Position{0};
  auto start = keyframes_.end();
  auto consider = [&](std::map<Position, World>::iterator keyframe) {
    Position cost = distance(keyframe->first) + (stays ? kKeyframeCosts : 0);
    if (cost >= best) return;
    best = cost;
    start = keyframe;
  };
  auto behind = keyframes_.lower_bound(target);
  if (behind != keyframes_.end()) consider(behind);
  if (behind != keyframes_.begin()) consider(std::prev(behind));
  if (!stays && start == keyframes_.end()) return false;
  if (start != keyframes_.end()) {
    world_ = start->second;
    position_ = start->first;
  }
  walk(target);
  return true;
}

void Cursor::walk(Position target) {
  while (position_ < target) {
    Position stop = std::min(target, (position_ / kKeyframeEvery + 1) * kKeyframeEvery);
    world_.forward(*trace_, position_, stop);
    position_ = stop;
    if (position_ % kKeyframeEvery == 0) keyframes_.try_emplace(position_, world_);
  }
  if (position_ > target) world_.back(*trace_, position_, target);
  position_ = target;
}

}  // namespace wakepath::trace
