#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "sim/trace/trace.hh"

namespace wakepath::exports {

/// One field of one object over time, as CSV (RFC 4180): a line for each change within the records [from, to), with the
/// record's number, the model's time in ms, the step, the thread on whose stack it happened, and the value as text; of
/// a list, its members. `object` is a name such as "tcp_sock#1", `field` one as pictures show it ("sk_ack_backlog").
struct Csv {
  std::string text;
};
/// Or a sentence that says what was found and what expected.
[[nodiscard]] std::variant<Csv, std::string> field_csv(const trace::Trace& trace, trace::Position from,
                                                       trace::Position to, std::string_view object,
                                                       std::string_view field);

}  // namespace wakepath::exports
