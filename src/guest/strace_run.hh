#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace wakepath::guest {

/// How a command ended that ran under strace.
struct TracedRun {
  std::string error;  ///< Why nothing was run; else empty.
  int status = 0;     ///< Its exit status; 128 and the number of the signal that ended it, as shells say it.
};

/// Runs `command` (its first word is found along PATH) under strace, on our standard input, output and error. strace's
/// log goes to `log`, in the form that read_strace() likes best. Returns when the command and all processes that it
/// made have ended. Meanwhile SIGINT and SIGQUIT of the terminal are the command's alone; SIGTERM and SIGHUP that come
/// to us are passed on to it. For a process of one thread: signals of all threads would have to be blocked.
TracedRun run_under_strace(const std::vector<std::string>& command, const std::filesystem::path& log);

}  // namespace wakepath::guest
