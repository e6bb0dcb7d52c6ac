#pragma once

#include "sim/trace/index.hh"

/// The places where stepping stops, by grain. Pure functions of the trace: going forward and back meets the same stops.

namespace wakepath::gui {

enum class Grain : std::uint8_t { kRecord, kFunction, kSyscall, kStep };

/// The smallest stop after `from`, or the end of the trace. A trace without steps is stepped by system calls instead.
[[nodiscard]] trace::Position next_stop(const trace::Trace& trace, const trace::Index& index, trace::Position from,
                                        Grain grain);
/// How many go by in a second when the stage plays at speed 1.
[[nodiscard]] double stops_per_second(Grain grain);
/// The largest stop before `from`, or 0.
[[nodiscard]] trace::Position previous_stop(const trace::Trace& trace, const trace::Index& index, trace::Position from,
                                            Grain grain);

}  // namespace wakepath::gui
