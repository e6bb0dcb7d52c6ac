#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/os/call_record.hh"
#include "src/os/log_ring.hh"

/// How calls stand in a log. A call's arguments are in the order of its manual page in `a` to `d`, sizes and an event's
/// data in `wide`; its bytes are the data (or address, or events) and then, with kHasSights, sights and their size.

namespace wakepath::os {

enum LogFlag : uint8_t {
  kIsNote = 1,
  kEntering = 2,
  kMayBlock = 4,
  kSleeps = 8,
  kHasSights = 16,
  kNullEvent = 32,
  kCut = 64,
  kPassedBy = 128,
};

/// Sights as the last bytes of an entry.
std::string bytes_of(const std::vector<Sight>& sights);
/// The call of an entry that is no note, but for its thread and its times. `bytes`: the entry's.
void decode(const LogEntry& entry, std::string_view bytes, CallRecord& record);

}  // namespace wakepath::os
