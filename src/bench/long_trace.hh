#pragma once

#include <cstddef>

#include "sim/trace/trace.hh"

namespace wakepath::bench {

/// Fills a trace as a long recording looks: `objects` objects that live from beginning to end, of which conversations
/// of a thousand records change sixteen each; calls, returns, changes of members, lists and wake-ups in the shares that
/// the modelled kernel has; a step every 10,000 records. The same bytes each time.
[[nodiscard]] trace::Schema long_trace_schema();
void fill_long_trace(trace::Trace& trace, trace::Position records, std::size_t objects);

}  // namespace wakepath::bench
