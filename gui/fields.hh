#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sim/trace/world.hh"

/// Looking up fields by the names that Linux gives them, and a few values in the words of the stage.

namespace wakepath::gui {

/// The field called `name`: its own name, its whole path ("socket.wq.wait.head"), or the end of one ("wait.head").
[[nodiscard]] std::optional<trace::FieldId> field_named(const trace::Kind& kind, std::string_view name);
/// "inet_conn.icsk_inet.sk.sk_ack_backlog"
[[nodiscard]] std::string field_path(const trace::Kind& kind, trace::FieldId field);

/// One object with its kind, for reading fields by name; a field that the kind lacks reads as 0, "" or no members.
class Reader {
 public:
  Reader(const trace::Trace& trace, const trace::World& world, const trace::Object& object)
      : trace_(&trace), world_(&world), object_(&object), kind_(&trace.schema().kinds[object.kind]) {}

  [[nodiscard]] const trace::Kind& kind() const { return *kind_; }
  [[nodiscard]] bool has(std::string_view name) const { return field_named(*kind_, name).has_value(); }
  [[nodiscard]] std::uint64_t value(std::string_view name) const;
  [[nodiscard]] std::string text(std::string_view name) const;
  [[nodiscard]] trace::ObjectId target(std::string_view name) const;
  [[nodiscard]] const trace::Object* follow(std::string_view name) const;
  [[nodiscard]] const std::vector<trace::Ref>& list(std::string_view name) const;

 private:
  const trace::Trace* trace_;
  const trace::World* world_;
  const trace::Object* object_;
  const trace::Kind* kind_;
};

/// What one record says, as a sentence: "tcp_sock#2: skc_state TCP_SYN_SENT > TCP_ESTABLISHED".
[[nodiscard]] std::string record_words(const trace::Trace& trace, const trace::World& world, trace::Position at);

}  // namespace wakepath::gui
