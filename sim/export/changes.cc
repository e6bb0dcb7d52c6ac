#include "sim/export/changes.hh"

#include <algorithm>

namespace wakepath::exports {

using trace::FieldId;
using trace::Object;
using trace::ObjectId;
using trace::Record;
using trace::RecordKind;

Changes::Changes(const trace::Trace& trace, trace::Position from, trace::Position to) {
  for (trace::Position at = from; at < std::min(to, trace.size()); ++at) {
    const Record& r = trace[at];
    if (r.kind == RecordKind::kCreate) changes_[r.object].born = true;
    if (r.kind == RecordKind::kSet) changes_[r.object].old_values.try_emplace(r.field, r.before);
    if (r.kind == RecordKind::kListInsert || r.kind == RecordKind::kListErase) changes_[r.object].lists.insert(r.field);
  }
}

std::vector<ObjectId> Changes::objects() const {
  std::vector<ObjectId> out;
  for (const auto& [id, change] : changes_) out.push_back(id);
  return out;
}

bool Changes::is_new(const Object& object) const {
  auto found = changes_.find(object.id);
  return found != changes_.end() && found->second.born;
}

bool Changes::changed(const Object& object, FieldId field) const {
  auto found = changes_.find(object.id);
  if (found == changes_.end()) return false;
  const Change& change = found->second;
  auto old = change.old_values.find(field);
  return change.lists.contains(field) || (old != change.old_values.end() && old->second != object.values[field]);
}

std::uint64_t Changes::old_value(ObjectId object, FieldId field) const {
  return changes_.at(object).old_values.at(field);
}

}  // namespace wakepath::exports
