#pragma once

#include <string_view>
#include <vector>

namespace wakepath::scenario {

/// Whether Linux 6.18 has a sysctl of its network by that name.
[[nodiscard]] bool is_sysctl(std::string_view name);
/// Those names, to choose the nearest from; without those that have an interface's name within.
[[nodiscard]] std::vector<std::string_view> sysctl_names();

}  // namespace wakepath::scenario
