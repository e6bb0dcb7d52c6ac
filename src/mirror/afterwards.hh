#pragma once

#include <cstddef>

#include "src/mirror/mirror.hh"
#include "src/os/call_log.hh"

/// Following a log that keeps the last entries of each thread, once it is asked what happened.

namespace wakepath::mirror {

/// A log of which each thread has so many slots of 64 bytes (a call or a step takes one to four, a longer one more;
/// rounded up to a power of two), and keeps the last. Of data the first bytes are kept.
os::CallLogOptions ring_of(std::size_t slots);

/// Makes on the model the calls that have made the descriptors which are open where the kept entries begin, then
/// follows those. Nothing more is recorded meanwhile; the log can be turned on again. `mirror` is new.
void follow_afterwards(os::CallLog& log, Mirror& mirror);

}  // namespace wakepath::mirror
