#include "src/scenario/kernel_run.hh"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "sim/kernel/kernel.hh"
#include "src/scenario/json_output.hh"
#include "src/scenario/kernel_machine.hh"
#include "src/scenario/kernel_versions.hh"

namespace wakepath::scenario {
namespace {

constexpr int kLongestRunMs = 60000;

[[noreturn]] void child(const Scenario& scenario, const RunOptions& options, int out, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) {
    _exit(1);
  }
  signal(SIGPIPE, SIG_IGN);
  // the model's limit of descriptors, as far as this process may have it
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_max = std::min<rlim_t>(limit.rlim_max, kernel::Config{}.rlimit_nofile);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  auto* machine = new KernelMachine(options.views);  // never destroyed: its actors may be asleep for ever
  std::string text;
  try {
    const FileResult result = run(scenario, *machine, options);
    nlohmann::ordered_json json = to_json(result);
    json["unavailable"] = result.unavailable;  // not part of the format: the exit status tells it
    text = json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  } catch (const std::exception& error) {
    text = nlohmann::json{{"broken", error.what()}}.dump();
  }
  machine->kill_processes();
  for (size_t sent = 0; sent < text.size();) {
    const ssize_t n = write(out, text.data() + sent, text.size() - sent);
    if (n <= 0) {
      break;
    }
    sent += static_cast<size_t>(n);
  }
  _exit(0);
}

long now_ms() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/// Everything that the child writes; false when the time is over.
bool read_all(int in, std::string& text) {
  const long until = now_ms() + kLongestRunMs;
  char buffer[65536];
  while (true) {
    pollfd wait{in, POLLIN, 0};
    const long left = until - now_ms();
    if (left <= 0) {
      return false;
    }
    if (poll(&wait, 1, static_cast<int>(left)) <= 0) {
      continue;
    }
    const ssize_t n = read(in, buffer, sizeof buffer);
    if (n <= 0) {
      return true;
    }
    text.append(buffer, static_cast<size_t>(n));
  }
}

FileResult not_available(const Scenario& scenario, std::string reason) {
  FileResult out;
  out.file = scenario.file;
  out.on = "kernel";
  out.ok = false;
  out.skipped = std::move(reason);
  out.unavailable = true;
  return out;
}

}  // namespace

FileResult run_on_kernel(const Scenario& scenario, const RunOptions& options) {
  if (!host_kernel().not_linux.empty()) {
    return not_available(scenario, host_kernel().not_linux);
  }
  int channel[2];
  if (pipe2(channel, O_CLOEXEC) != 0) {
    return not_available(scenario, fmt::format("no pipe: {}", std::strerror(errno)));
  }
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) {
    close(channel[0]);
    child(scenario, options, channel[1], parent);
  }
  close(channel[1]);
  if (pid < 0) {
    close(channel[0]);
    return not_available(scenario, fmt::format("no process: {}", std::strerror(errno)));
  }
  std::string text;
  const bool in_time = read_all(channel[0], text);
  close(channel[0]);
  kill(pid, SIGKILL);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!in_time) {
    return not_available(scenario, "the run took more than 60 s and was ended");
  }
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  if (json.is_discarded() || json.contains("broken")) {
    return not_available(scenario, json.is_discarded() ? "the process of the run died"
                                                       : "the run failed: " + json["broken"].get<std::string>());
  }
  FileResult result = from_json(json);
  excuse(result);
  return result;
}

}  // namespace wakepath::scenario
