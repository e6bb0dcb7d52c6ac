#pragma once

#include <cstdint>
#include <string>

#include "sim/trace/trace.hh"

namespace wakepath::cli {

/// Where in a mirrored run the first connection was made and answered: the records [from, to), from connect() to the
/// end of the service's callback for it. Empty when there was none.
struct ConnectionPath {
  trace::Position from = 0;
  trace::Position to = 0;
  std::uint64_t step = 0;  ///< number of its first step
  [[nodiscard]] bool empty() const { return from == to; }
};
ConnectionPath first_connection(const trace::Trace& trace);

/// The path as indented text: thread, context, function, object.
void print_path(const trace::Trace& trace, const ConnectionPath& path);

/// Writes the objects and the path of it as SVG and PNG into `folder`, naming each file on standard output. False when
/// one could not be written; why stands on stderr.
bool write_pictures(const trace::Trace& trace, const ConnectionPath& path, const std::string& folder);

}  // namespace wakepath::cli
