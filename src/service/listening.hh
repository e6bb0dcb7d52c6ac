#pragma once

#include <cstdint>
#include <string>

#include "src/server/options.hh"

namespace wakepath::service {

/// Where a service of C++ listens.
struct ListenAt {
  std::string host = "127.0.0.1";  ///< "": every address of this machine
  uint16_t port = 0;               ///< 0: any that is free
  server::ListenOptions options;
};

}  // namespace wakepath::service
