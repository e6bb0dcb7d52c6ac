#pragma once

#include <optional>
#include <string>
#include <vector>

#include "src/cli/serve_services.hh"

namespace wakepath::cli {

/// What a configuration of `serve` says:
///
///     threads: 4
///     services:
///       - {use: echo, port: 7000}
///       - {use: gate, port: 7001, max_clients: 100}
///       - {use: store.lua, port: 6380, name: store}    # beside the configuration
struct ServeConfig {
  std::optional<int> threads;
  std::vector<ServiceChoice> services;
};

/// Nothing when the file is wrong; `problem` then says where and why.
std::optional<ServeConfig> read_serve_config(const std::string& file, std::string& problem);

}  // namespace wakepath::cli
