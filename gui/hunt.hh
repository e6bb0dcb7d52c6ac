#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/trace/trace.hh"

namespace wakepath::gui {

/// Something that may happen in a trace, as it is written into the search field:
///
///     ep_poll_callback                  the function is entered
///     sk_ack_backlog                    the field changes, whosever it is
///     tcp_sock#1.sk_ack_backlog         that object's
///     wake, wake server                 somebody is woken; that thread
///     divergence                        model and kernel disagree
struct Quarry {
  enum class Kind : std::uint8_t { kFunction, kField, kWake, kDivergence };
  Kind kind{};
  std::string text;                                              ///< as written
  std::vector<std::pair<trace::KindId, trace::FieldId>> fields;  ///< of that name
  trace::ObjectId object = 0;                                    ///< of a field: whose; 0: anybody's
  std::vector<std::uint64_t> tasks;                              ///< of a wake-up: whose; empty: anybody's
  trace::FunctionId function = 0;
};

/// Finds such things in a trace: grows with it, reads only what is new. Knows no drawing library.
class Hunter {
 public:
  explicit Hunter(const trace::Trace& trace) : trace_(&trace) {}
  void update();

  /// What a text means; nothing when the trace knows no such function, field, object or thread.
  [[nodiscard]] std::optional<Quarry> quarry(std::string_view text) const;
  /// The position behind the first such record at or behind `from`, up to `to`.
  [[nodiscard]] std::optional<trace::Position> next(const Quarry& quarry, trace::Position from,
                                                    trace::Position to) const;
  /// The last such position before `from`.
  [[nodiscard]] std::optional<trace::Position> previous(const Quarry& quarry, trace::Position from) const;

 private:
  [[nodiscard]] bool meets(const Quarry& quarry, const trace::Record& record) const;

  const trace::Trace* trace_;
  trace::Position seen_ = 0;
  std::vector<trace::KindId> kind_of_;  // by object
  std::map<std::pair<trace::KindId, std::uint64_t>, trace::ObjectId> by_serial_;
  std::map<trace::ObjectId, trace::TaskId> task_of_;
  std::map<trace::ObjectId, std::string> name_of_;  // of tasks' objects
};

}  // namespace wakepath::gui
