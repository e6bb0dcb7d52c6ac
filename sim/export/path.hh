#pragma once

#include <cstddef>
#include <string>

#include "sim/trace/trace.hh"

namespace wakepath::exports {

struct PathOptions {
  std::size_t most_rows = 28;  ///< In one box; the rest is counted.
  std::string title;
  std::string subtitle;
};

/// The way of control between two positions as a graph in DOT. A box is a run of functions, each called by the one
/// above it and by nothing else in between; its events (states, objects new and freed, wake-ups) stand below. Edges are
/// calls, numbered in the order in which they happened; a dashed edge goes from a wake-up to what the woken thread did
/// next. What a program notes of its own steps between two system calls is a box too; what one thread gives and another
/// takes is joined by a dashed edge. Boxes stand in frames by thread and context, rows have the colour of their layer.
[[nodiscard]] std::string path_dot(const trace::Trace& trace, trace::Position from, trace::Position to,
                                   const PathOptions& options = {});

}  // namespace wakepath::exports
