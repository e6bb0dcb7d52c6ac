#pragma once

#include <string>

#include "sim/trace/trace.hh"

namespace wakepath::exports {

/// The records [from, to) as JSON in Chrome's Trace Event Format, which Perfetto's and Chrome's viewers open: a thread
/// for each task, a span for each system call and function, arrows from wake-ups to what the woken thread did next, an
/// instant for each step. The model's calls take no time, so a record counts as a microsecond; the model's own time
/// stands with every system call.
[[nodiscard]] std::string timeline_json(const trace::Trace& trace, trace::Position from, trace::Position to);

}  // namespace wakepath::exports
