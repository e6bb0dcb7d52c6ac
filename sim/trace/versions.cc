#include "sim/trace/versions.hh"

#include <algorithm>

namespace wakepath::trace {

void Versions::update() {
  RecordStore::Reading reading = trace_->reading();
  Position floor = trace_->floor();
  Position end = trace_->size();
  while (seen_ < end) {
    auto number = static_cast<std::size_t>(seen_ / kSegment);
    if (segments_.size() <= number) segments_.resize(number + 1);
    Segment& segment = segments_[number];
    auto sorted = static_cast<std::ptrdiff_t>(segment.size());
    for (Position stop = std::min(end, (number + 1) * kSegment); seen_ < stop; ++seen_) {
      if (seen_ < floor) continue;
      const Record& r = (*trace_)[seen_];
      if (r.kind == RecordKind::kSet || r.kind == RecordKind::kListInsert || r.kind == RecordKind::kListErase)
        segment.push_back(key(r.object, r.field, seen_ % kSegment));
    }
    std::sort(segment.begin() + sorted, segment.end());
    std::inplace_merge(segment.begin(), segment.begin() + sorted, segment.end());
  }
}

std::optional<Position> Versions::last_change(ObjectId object, FieldId field, Position before) const {
  before = std::min(before, seen_);
  for (std::size_t number = static_cast<std::size_t>((before + kSegment - 1) / kSegment); number-- > 0;) {
    const Segment& segment = segments_[number];
    Position limit = before - number * kSegment;
    // of a stretch that lies before it as a whole, the last of this field: what stands before the next field's first
    auto behind = limit >= kSegment ? std::upper_bound(segment.begin(), segment.end(), key(object, field, kSegment - 1))
                                    : std::lower_bound(segment.begin(), segment.end(), key(object, field, limit));
    if (behind != segment.begin() && *std::prev(behind) >= key(object, field, 0))
      return number * kSegment + *std::prev(behind) % kSegment;
  }
  return std::nullopt;
}

std::optional<Position> Versions::next_change(ObjectId object, FieldId field, Position from) const {
  for (auto number = static_cast<std::size_t>(from / kSegment); number < segments_.size(); ++number) {
    const Segment& segment = segments_[number];
    Position begin = from > number * kSegment ? from - number * kSegment : 0;
    auto found = std::lower_bound(segment.begin(), segment.end(), key(object, field, begin));
    if (found != segment.end() && *found <= key(object, field, kSegment - 1))
      return number * kSegment + *found % kSegment;
  }
  return std::nullopt;
}

std::vector<Position> Versions::changes(ObjectId object, FieldId field, Position from, Position to) const {
  std::vector<Position> out;
  for (auto at = next_change(object, field, from); at && *at < to; at = next_change(object, field, *at + 1))
    out.push_back(*at);
  return out;
}

std::optional<std::uint64_t> Versions::value_at(ObjectId object, FieldId field, Position position) const {
  auto at = last_change(object, field, position);
  if (!at) return 0;
  RecordStore::Reading reading = trace_->reading();
  if (*at < trace_->floor()) return std::nullopt;
  return (*trace_)[*at].after;
}

}  // namespace wakepath::trace
