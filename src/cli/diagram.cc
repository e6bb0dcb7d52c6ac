// wakepath diagram: what is true of every run, drawn from the program's own tables.
#include <fmt/format.h>

#include "sim/export/states.hh"
#include "sim/kernel/tcp_edges.hh"
#include "src/cli/commands.hh"
#include "src/cli/output.hh"
#include "src/server/slot_state.hh"

namespace wakepath::cli {

namespace {

std::string name_of(kernel::TcpState state) {
  for (const auto& value : record::EnumWords<kernel::TcpState>::values())
    if (value.value == static_cast<std::uint64_t>(state)) return value.name;
  return "?";
}

std::string tcp_states() {
  std::vector<exports::StateEdge> edges;
  for (const kernel::TcpEdge& edge : kernel::tcp_edges())
    edges.push_back({name_of(edge.from), name_of(edge.to), edge.why});
  // What one socket's state does not show: an accepted connection is a new socket, and TIME_WAIT a small one.
  edges.push_back({"LISTEN", "SYN_RECV", "last ACK of a handshake: a new socket"});
  edges.push_back({"FIN_WAIT2", "TIME_WAIT", "the peer's FIN: a small socket stays"});
  edges.push_back({"CLOSING", "TIME_WAIT", "our FIN is acknowledged: a small socket stays"});
  edges.push_back({"TIME_WAIT", "CLOSE", "its timer, after a minute: the small socket goes"});
  return exports::states_dot("States of a TCP socket, and where another socket takes over", "CLOSE", edges);
}

std::string slot_states() {
  std::vector<exports::StateEdge> edges;
  for (const server::SlotEdge& edge : server::kSlotEdges)
    edges.push_back(
        {std::string(server::name_of(edge.from)), std::string(server::name_of(edge.to)), std::string(edge.why)});
  return exports::states_dot("States of a slot of the socket-server", "invalid", edges);
}

}  // namespace

int diagram(const DiagramOptions& options) {
  const std::string by_ending = format_of_ending(options.output);
  const std::string format = !options.format.empty() ? options.format : by_ending.empty() ? "svg" : by_ending;
  if (!is_picture(format) && format != "dot")
    return fail(kWrong, fmt::format("{}: found an ending that is no picture's, expected .dot, .svg, .png or .pdf "
                                    "(or --format)",
                                    options.output));
  return write_graph(options.subject == "tcp-states" ? tcp_states() : slot_states(), format, options.output);
}

}  // namespace wakepath::cli
