#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "src/bench/figures.hh"

/// The benchmarks: what a run costs, beside the same work on the running kernel, and what a trace costs its readers.

namespace wakepath::bench {

struct Options {
  bool quick = false;                 ///< smaller numbers, for a look: seconds
  std::size_t endpoints = 1'000'000;  ///< of the large epoll set
  std::size_t records = 10'000'000;   ///< of the long trace
  std::function<void(const std::string&)> progress = [](const std::string&) {};
};

/// Of the socket-server beside others.
struct ServerOptions {
  bool quick = false;                      ///< a look: seconds
  int rounds = 0;                          ///< 0: as many as it takes, 7; 2 when quick
  std::vector<std::string> kinds;          ///< of server_kinds(); none: all. raw is always there
  std::vector<std::size_t> connections;    ///< none: 1 to 10,000; 1 and 100 when quick
  std::vector<uint32_t> depths = {1, 16};  ///< messages under way in each connection
  std::vector<std::string> parts;          ///< of kServerParts; none: all
  std::function<void(const std::string&)> progress = [](const std::string&) {};
};
inline constexpr const char* kServerParts[] = {"echo", "short", "large", "paced", "idle", "never_read", "mirror"};

struct Report {
  Figures figures;
  std::vector<std::string> notes;
};

/// Connections a second, memory of endpoints, cost of a recorded write. Throws std::runtime_error when this machine
/// does not let the work be done (descriptors, ports), or when the model does something else than the kernel.
[[nodiscard]] Report bench_sim(const Options& options);
/// A long recording: opening, seeking, scrubbing, questions. Throws std::runtime_error when it cannot be written.
[[nodiscard]] Report bench_trace(const Options& options);
/// The socket-server and its services beside other servers, under load from a second process. The caller has one
/// thread. Throws std::runtime_error when a server fails, or when there are too few descriptors.
[[nodiscard]] Report bench_server(const ServerOptions& options);
[[nodiscard]] std::vector<std::string> server_kinds();

}  // namespace wakepath::bench
