#include "sim/export/states.hh"

#include <fmt/format.h>

#include <set>

#include "sim/export/dot.hh"

namespace wakepath::exports {

std::string states_dot(std::string_view title, std::string_view first, const std::vector<StateEdge>& edges) {
  std::string out = graph_head("states", "TB", title, "");
  out +=
      "  node [shape=box, style=\"rounded,filled\", fillcolor=\"#F6F8FA\", color=\"#93A1B5\", fontsize=10];\n"
      "  ranksep=0.5; nodesep=0.4;\n";
  std::set<std::string> states;
  for (const StateEdge& edge : edges) states.insert({edge.from, edge.to});
  for (const std::string& state : states)
    out += fmt::format("  {} [label=<<B>{}</B>>{}];\n", quoted(state), html(state),
                       state == first ? fmt::format(", fillcolor=\"{}\"", kChangedColour) : "");
  for (const StateEdge& edge : edges)
    out += fmt::format("  {} -> {} [label=< {}>];\n", quoted(edge.from), quoted(edge.to), html(edge.why, 80));
  return out + "}\n";
}

}  // namespace wakepath::exports
