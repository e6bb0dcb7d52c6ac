#include "tests/kernel/events.hh"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace wakepath::testing_kernel {

namespace {

using trace::RecordKind;

std::string value_words(const trace::Schema& schema, const trace::FieldInfo& field, std::uint64_t value) {
  if (field.type == trace::FieldType::kEnum)
    for (const auto& named : schema.enums[field.detail].values)
      if (named.value == value) return named.name;
  if (value == trace::kUnactivePointer) return "EP_UNACTIVE_PTR";
  if (field.type == trace::FieldType::kPointer) return value == 0 ? "NULL" : "object";
  return std::to_string(static_cast<std::int64_t>(value));
}

std::string last_component(const std::string& path) {
  auto dot = path.rfind('.');
  return dot == std::string::npos ? path : path.substr(dot + 1);
}

std::vector<std::string> split(const std::string& text, const std::string& by) {
  std::vector<std::string> out;
  std::size_t from = 0;
  for (std::size_t at = 0; (at = text.find(by, from)) != std::string::npos; from = at + by.size())
    out.push_back(text.substr(from, at - from));
  out.push_back(text.substr(from));
  return out;
}

/// The words of `chain` stand in `stack` in this order.
bool below(const std::vector<std::string>& stack, const std::vector<std::string>& chain) {
  std::size_t found = 0;
  for (const std::string& frame : stack)
    if (found < chain.size() && frame == chain[found]) ++found;
  return found == chain.size();
}

struct Reader {
  const trace::Trace& trace;
  std::map<trace::ObjectId, trace::KindId> kinds;
  std::map<trace::TaskId, std::vector<std::string>> stacks;

  /// Nothing for records that are no event.
  bool read(const trace::Record& r, Event& event) {
    const trace::Schema& schema = trace.schema();
    std::vector<std::string>& stack = stacks[r.task];
    event.task = r.task;
    event.context = r.context;
    event.object = r.object;
    switch (r.kind) {
      case RecordKind::kCall:
        stack.push_back(schema.functions[r.field].name);
        event.what = "call";
        event.name = stack.back();
        break;
      case RecordKind::kReturn:
        if (!stack.empty()) stack.pop_back();
        return false;
      case RecordKind::kCreate:
      case RecordKind::kDestroy:
        kinds[r.object] = r.field;
        event.what = r.kind == RecordKind::kCreate ? "create" : "free";
        event.name = schema.kinds[r.field].name;
        break;
      case RecordKind::kSet:
      case RecordKind::kListInsert:
      case RecordKind::kListErase: {
        const trace::Kind& kind = schema.kinds[kinds[r.object]];
        const trace::FieldInfo& field = kind.fields[r.field];
        event.what = r.kind == RecordKind::kSet ? "set" : r.kind == RecordKind::kListInsert ? "insert" : "erase";
        event.name = kind.name + "." + field.name;
        event.part_name = kind.name + "." + last_component(kind.parts[field.part].path) + "." + field.name;
        if (r.kind == RecordKind::kSet)
          event.change = value_words(schema, field, r.before) + " -> " + value_words(schema, field, r.after);
        break;
      }
      case RecordKind::kWake:
        event.what = "wake";
        break;
      default:
        return false;
    }
    event.stack = stack;
    return true;
  }
};

}  // namespace

Events events_of(const trace::Trace& trace, Stretch stretch) {
  Events out;
  out.schema = &trace.schema();
  Reader reader{trace, {}, {}};
  for (trace::Position i = 0; i < stretch.to; ++i) {  // from the start: stacks and kinds come from there
    Event event;
    event.at = i;
    if (reader.read(trace[i], event) && i >= stretch.from) out.push_back(std::move(event));
  }
  return out;
}

bool fits(const Event& event, const std::string& pattern) {
  std::vector<std::string> halves = split(pattern, " in ");
  if (halves.size() > 1 && !below(event.stack, split(halves[1], " > "))) return false;
  std::size_t space = halves[0].find(' ');
  if (halves[0].substr(0, space) != event.what) return false;
  if (space == std::string::npos) return true;
  std::string rest = halves[0].substr(space + 1);
  if (event.what == "call") {
    std::vector<std::string> chain = split(rest, " > ");
    return chain.back() == event.name && below(event.stack, chain);
  }
  std::size_t values = rest.find(' ');
  std::string name = rest.substr(0, values);
  if (name != event.name && name != event.part_name) return false;
  return values == std::string::npos || rest.substr(values + 1) == event.change;
}

namespace {

bool is_function(const trace::Schema& schema, const std::string& name) {
  return std::any_of(schema.functions.begin(), schema.functions.end(),
                     [&](const trace::FunctionInfo& function) { return function.name == name; });
}

/// "tcp_sock", or with a member: "tcp_sock.skc_state", "tcp_sock.skc.skc_state".
bool is_kind_or_member(const trace::Schema& schema, const std::string& name) {
  for (const trace::Kind& kind : schema.kinds) {
    if (name == kind.name) return true;
    for (const trace::FieldInfo& field : kind.fields)
      if (name == kind.name + "." + field.name ||
          name == kind.name + "." + last_component(kind.parts[field.part].path) + "." + field.name)
        return true;
  }
  return false;
}

}  // namespace

std::string unknown_in(const trace::Schema& schema, const std::string& pattern) {
  const std::vector<std::string> halves = split(pattern, " in ");
  const std::vector<std::string> words = split(halves[0], " ");
  std::vector<std::string> functions;
  if (halves.size() > 1) functions = split(halves[1], " > ");
  if (words[0] == "call") {
    for (const std::string& name : split(halves[0].substr(words[0].size()), " > "))
      functions.push_back(name.substr(name.find_first_not_of(' ')));
  } else if (words[0] != "set" && words[0] != "insert" && words[0] != "erase" && words[0] != "create" &&
             words[0] != "free" && words[0] != "wake") {
    return words[0];
  } else if (words.size() > 1 && !is_kind_or_member(schema, words[1])) {
    return words[1];
  }
  for (const std::string& name : functions)
    if (!is_function(schema, name)) return name;
  return "";
}

testing::AssertionResult contains_in_order(const Events& events, const std::vector<std::string>& patterns) {
  std::size_t at = 0;
  for (const std::string& pattern : patterns) {
    std::size_t from = at;
    while (at < events.size() && !fits(events[at], pattern)) ++at;
    if (at++ < events.size()) continue;
    std::string seen;
    for (std::size_t i = from; i < events.size() && i < from + 150; ++i)
      seen += fmt::format("  {}{} {} {}\n", std::string(2 * events[i].stack.size(), ' '), events[i].what,
                          events[i].name, events[i].change);
    return testing::AssertionFailure() << "not found: \"" << pattern << "\" among what followed:\n" << seen;
  }
  return testing::AssertionSuccess();
}

std::size_t count_of(const Events& events, const std::string& pattern) {
  const std::string unknown = unknown_in(*events.schema, pattern);
  EXPECT_EQ(unknown, "") << "\"" << pattern << "\" can fit nothing: the model has no such name";
  std::size_t count = 0;
  for (const Event& event : events) count += fits(event, pattern) ? 1 : 0;
  return count;
}

Event first_of(const Events& events, const std::string& pattern) {
  for (const Event& event : events)
    if (fits(event, pattern)) return event;
  ADD_FAILURE() << "not found: \"" << pattern << "\"";
  return {};
}

}  // namespace wakepath::testing_kernel
