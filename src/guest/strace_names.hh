#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace wakepath::guest {

/// What strace writes a constant as, in any of its versions ("PF_INET", "SO_RCVTIMEO_OLD"), several with | between, or
/// numbers among them. nullopt when one of them is not known here.
std::optional<long> constant(std::string_view words);
/// "EAGAIN" is EAGAIN; 0 when there is none of that name.
int error_number(std::string_view name);

}  // namespace wakepath::guest
