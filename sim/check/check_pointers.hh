#pragma once

#include "sim/check/check.hh"
#include "sim/trace/trace.hh"

namespace wakepath::check {

/// What lives points only to what lives: a sentence for each field of a living object that, when some system call
/// returned, led to a freed one. Plays the whole recording; `looked_at`, when given, counts the pointers seen.
[[nodiscard]] Complaints check_pointers(const trace::Trace& trace, std::uint64_t* looked_at = nullptr);

}  // namespace wakepath::check
