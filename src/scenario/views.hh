#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <string>

#include "sim/trace/trace.hh"

namespace wakepath::scenario {

/// The kernel's own texts at each mark of a scenario, in files of the same names from either machine, so that they can
/// be held side by side: FOLDER/MARK/proc-net-tcp, -udp, -tcp6 and -udp6, FOLDER/MARK/ss, FOLDER/MARK/ACTOR/fd,
/// FOLDER/MARK/ACTOR/fdinfo-N. Both throw FileError (of the whole file) when one of them cannot be written.

/// Reads the running kernel: /proc, and `ss -tanie` and `ls -l` where they are installed. Context: in the network of
/// the run. `actors` by the id of a thread that has their descriptor table.
void write_kernel_views(const std::filesystem::path& folder, const std::map<std::string, pid_t>& actors);

/// Writes what the model would show, at every mark of its trace, into FOLDER/MARK.
void write_model_views(const std::filesystem::path& folder, const trace::Trace& trace);

}  // namespace wakepath::scenario
