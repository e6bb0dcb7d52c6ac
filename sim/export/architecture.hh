#pragma once

#include <string>

#include "sim/trace/trace.hh"

namespace wakepath::exports {

struct ArchitectureOptions {
  std::string title;
  std::string subtitle;
};

/// How a program with a socket-server is built, from what its probe has told in the records [0, to): the services with
/// their callbacks and queues, the server's record with its control pipe, poller and slots, what stands for it in the
/// kernel, and who else is connected. Edges are what was handed over, with its kinds and the threads that did it. Empty
/// when nothing tells of a server.
[[nodiscard]] std::string architecture_dot(const trace::Trace& trace, trace::Position to,
                                           const ArchitectureOptions& options = {});

}  // namespace wakepath::exports
