#pragma once

#include <cstdint>

#include "src/os/endpoint.hh"
#include "src/os/os.hh"

namespace wakepath::cli {

struct DemoReport {
  int connections = 0;
  int messages = 0;  ///< echoed in full
  int error = 0;     ///< the first failure, a positive errno; EPROTO: something else came back than was sent
};

/// A client that shows what an echo server can do, with blocking sockets: three connections; "hello" on the first, a
/// few messages across all; then one after the other finishes sending (half-close), reads to the end and closes.
/// Between two messages it sleeps for `pause_ns`, for those who watch; 0: it does not.
DemoReport run_demo_client(os::Os& os, os::Endpoint server, int64_t pause_ns);

}  // namespace wakepath::cli
