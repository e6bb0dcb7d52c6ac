#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "src/os/call_log.hh"
#include "src/os/sight.hh"

namespace wakepath::mirror {

/// What the descriptors of the process are where a mirror begins to follow.
struct Present {
  std::vector<os::LogItem> origins;              ///< the calls to which they owe it, in order
  std::map<int, std::string> in_pipes;           ///< bytes that stand in a pipe, by its writing end
  std::vector<os::ConnectionSight> connections;  ///< what those accepted have shown of themselves
  std::map<int, std::string> unknown;            ///< descriptors that the model cannot have, and why
  uint64_t place = 0;                            ///< the last entry of the log before
  uint64_t looked = 0;  ///< calls that sleep and began up to there may have seen less than was looked at
};

/// What they are now. Reads the log as far as it has been written; none of its calls that cannot sleep may be under way
/// (CallLog::turn()), and nobody else may read it.
Present present_of(os::CallLog& log);

}  // namespace wakepath::mirror
