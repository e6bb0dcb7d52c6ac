// The kernel's own texts of one moment of a trace: what /proc and ss would show.
#include <fmt/format.h>

#include "sim/export/proc.hh"
#include "src/cli/commands.hh"
#include "src/cli/open.hh"

namespace wakepath::cli {

bool is_kernel_view(const std::string& view) { return view == "ss" || view.starts_with("proc-"); }

std::optional<std::string> kernel_view(const ExportOptions& options, const trace::Trace& trace,
                                       const trace::World& world, std::string& error) {
  if (options.view == "proc-net-tcp") return exports::proc_net_tcp(trace, world);
  if (options.view == "proc-net-tcp6") return exports::proc_net_tcp6(trace, world);
  if (options.view == "proc-net-udp6") return exports::proc_net_udp6(trace, world);
  if (options.view == "proc-net-udp") return exports::proc_net_udp(trace, world);
  if (options.view == "ss") {
    auto letters = exports::ss_options(options.ss);
    if (letters) return exports::ss(trace, world, *letters);
    error = fmt::format("--ss: found '{}', expected letters of tnlaei", options.ss);
    return std::nullopt;
  }
  if (options.process.empty()) {
    error = fmt::format("--view {}: expected --process, one of {}", options.view, tasks_there_are(trace, world));
    return std::nullopt;
  }
  auto listing = exports::proc_fd(trace, world, options.process);
  if (!listing) {
    error = fmt::format("--process: found '{}', expected one of {}", options.process, tasks_there_are(trace, world));
    return std::nullopt;
  }
  if (options.view == "proc-fd") return listing;
  auto info = options.fd ? exports::proc_fdinfo(trace, world, options.process, *options.fd) : std::nullopt;
  if (!info)
    error = options.fd ? fmt::format("--fd: {} is not open in {}:\n{}", *options.fd, options.process, *listing)
                       : fmt::format("--view proc-fdinfo: expected --fd, one of {}:\n{}", options.process, *listing);
  return info;
}

}  // namespace wakepath::cli
