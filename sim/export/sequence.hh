#pragma once

#include <cstddef>
#include <string>

#include "sim/trace/trace.hh"

namespace wakepath::exports {

struct SequenceOptions {
  std::size_t most_rows = 120;  ///< Beyond them what comes is counted.
  std::string title;
  std::string subtitle;
};

/// The records [from, to) as a sequence diagram: a column for each thread that does something, time downwards. Rows are
/// system calls with their results, the first of a step with its number; sleeps and what they are in; wake-ups, and
/// what one thread of a program hands over to another, as arrows; marks.
[[nodiscard]] std::string sequence_dot(const trace::Trace& trace, trace::Position from, trace::Position to,
                                       const SequenceOptions& options = {});
/// The same in Mermaid's language (`sequenceDiagram`).
[[nodiscard]] std::string sequence_mermaid(const trace::Trace& trace, trace::Position from, trace::Position to,
                                           const SequenceOptions& options = {});

}  // namespace wakepath::exports
