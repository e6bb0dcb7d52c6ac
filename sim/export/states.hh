#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace wakepath::exports {

struct StateEdge {
  std::string from;
  std::string to;
  std::string why;  ///< on the edge; several from one state to another share a line
};

/// A state machine in DOT, from a table of its edges; the states are those that the edges name. `first`: where it
/// begins.
[[nodiscard]] std::string states_dot(std::string_view title, std::string_view first,
                                     const std::vector<StateEdge>& edges);

}  // namespace wakepath::exports
