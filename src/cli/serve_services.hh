#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "src/service/service.hh"

namespace wakepath::cli {

/// One of the services that `serve` is to run.
struct ServiceChoice {
  std::string use = "echo";   ///< echo, gate, chat, http, console, or a file of Lua (.lua)
  std::string name;           ///< by which other services find it
  uint16_t port = 0;          ///< of 127.0.0.1; 0: any
  size_t max_clients = 1024;  ///< gate
};

/// Whether `use` names a service.
bool is_service(const std::string& use);

/// Null when the file of a script cannot be read; `why` says so.
std::unique_ptr<service::Service> make_service(const ServiceChoice& choice, std::string& why);

}  // namespace wakepath::cli
