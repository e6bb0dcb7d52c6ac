#include "gui/hunt.hh"

#include <algorithm>
#include <charconv>

#include "sim/trace/world.hh"

namespace wakepath::gui {

using trace::ObjectId;
using trace::Position;
using trace::Record;
using trace::RecordKind;

namespace {

constexpr trace::KindId kNoKind = 0xFFFF;

bool changes_a_field(RecordKind kind) {
  return kind == RecordKind::kSet || kind == RecordKind::kListInsert || kind == RecordKind::kListErase;
}

/// All fields of that name, of one kind or of any; by their own name or with their structures ("socket.wq").
std::vector<std::pair<trace::KindId, trace::FieldId>> fields_named(const trace::Schema& schema, std::string_view name,
                                                                   trace::KindId of) {
  std::vector<std::pair<trace::KindId, trace::FieldId>> found;
  for (trace::KindId k = 0; k < schema.kinds.size(); ++k)
    for (trace::FieldId f = 0; f < schema.kinds[k].fields.size() && (of == kNoKind || of == k); ++f)
      if (schema.kinds[k].fields[f].name == name || trace::member_name(schema.kinds[k], f) == name)
        found.emplace_back(k, f);
  return found;
}

}  // namespace

void Hunter::update() {
  const auto& kinds = trace_->schema().kinds;
  for (const Position end = trace_->size(); seen_ < end; ++seen_) {
    const Record record = (*trace_)[seen_];
    if (record.kind == RecordKind::kCreate) {
      if (record.object >= kind_of_.size()) kind_of_.resize(record.object + 1, kNoKind);
      kind_of_[record.object] = record.field;
      by_serial_[{record.field, record.after}] = record.object;
    } else if (record.kind == RecordKind::kSpawn) {
      task_of_[record.object] = record.task;
    } else if (record.kind == RecordKind::kSet && record.object < kind_of_.size()) {
      const trace::KindId kind = kind_of_[record.object];
      if (kind < kinds.size() && kinds[kind].is_task && record.field < kinds[kind].fields.size() &&
          kinds[kind].fields[record.field].name == "comm")
        name_of_[record.object] = std::string(trace_->string(static_cast<trace::StringId>(record.after)));
    }
  }
}

std::optional<Quarry> Hunter::quarry(std::string_view text) const {
  Quarry out{.text = std::string(text)};
  const trace::Schema& schema = trace_->schema();
  if (text == "divergence") return out.kind = Quarry::Kind::kDivergence, out;
  if (text == "wake" || text.starts_with("wake ")) {
    out.kind = Quarry::Kind::kWake;
    if (text == "wake") return out;
    for (const auto& [object, name] : name_of_)
      if (const auto task = task_of_.find(object); name == text.substr(5) && task != task_of_.end())
        out.tasks.push_back(task->second);
    return out.tasks.empty() ? std::nullopt : std::optional(out);
  }
  for (trace::FunctionId f = 0; f < schema.functions.size(); ++f)
    if (schema.functions[f].name == text) return out.kind = Quarry::Kind::kFunction, out.function = f, out;
  out.kind = Quarry::Kind::kField;
  trace::KindId of = kNoKind;
  if (const std::size_t hash = text.find('#'), dot = text.find('.'); hash < dot && dot != std::string_view::npos) {
    std::uint64_t serial = 0;
    std::from_chars(text.data() + hash + 1, text.data() + dot, serial);
    of = schema.kind_id(text.substr(0, hash)).value_or(kNoKind);
    const auto found = by_serial_.find({of, serial});
    if (found == by_serial_.end()) return std::nullopt;
    out.object = found->second;
    text.remove_prefix(dot + 1);
  }
  out.fields = fields_named(schema, text, of);
  return out.fields.empty() ? std::nullopt : std::optional(out);
}

bool Hunter::meets(const Quarry& quarry, const Record& record) const {
  switch (quarry.kind) {
    case Quarry::Kind::kDivergence:
      return record.kind == RecordKind::kDivergence;
    case Quarry::Kind::kFunction:
      return record.kind == RecordKind::kCall && record.field == quarry.function;
    case Quarry::Kind::kWake:
      return record.kind == RecordKind::kWake &&
             (quarry.tasks.empty() ||
              std::find(quarry.tasks.begin(), quarry.tasks.end(), record.before) != quarry.tasks.end());
    case Quarry::Kind::kField:
      return changes_a_field(record.kind) && record.object < kind_of_.size() &&
             (quarry.object == 0 || quarry.object == record.object) &&
             std::find(quarry.fields.begin(), quarry.fields.end(), std::pair(kind_of_[record.object], record.field)) !=
                 quarry.fields.end();
  }
  return false;
}

std::optional<Position> Hunter::next(const Quarry& quarry, Position from, Position to) const {
  for (Position at = from; at < std::min(to, seen_); ++at)
    if (meets(quarry, (*trace_)[at])) return at + 1;
  return std::nullopt;
}

std::optional<Position> Hunter::previous(const Quarry& quarry, Position from) const {
  for (Position at = std::min(from, seen_); at > 1; --at)
    if (meets(quarry, (*trace_)[at - 2])) return at - 1;
  return std::nullopt;
}

}  // namespace wakepath::gui
