#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "src/cli/commands.hh"
#include "src/cli/serve_session.hh"
#include "src/cli/stop_signals.hh"
#include "src/os/linux_os.hh"
#include "src/probe/probe.hh"

namespace wakepath::cli {

namespace {

/// The mirror's share of the last line.
struct MirrorFigures {
  uint64_t checked = 0, unchecked = 0, injected = 0, divergences = 0, lost = 0;
};

int explain_start_failure(int error, uint16_t port) {
  if (error == EADDRINUSE)
    fmt::print(stderr, "serve: port {} of 127.0.0.1 is in use, expected a free one (--port 0 takes any)\n", port);
  else if (error == EACCES)
    fmt::print(stderr, "serve: port {} needs privileges, expected one above 1023 (--port 0 takes any)\n", port);
  else
    fmt::print(stderr, "serve: cannot listen on 127.0.0.1:{}: {}\n", port, std::strerror(error));
  return 3;
}

/// Until a stop signal comes or, when nobody sits at a terminal, the demo has ended.
void wait_for_the_end(StopSignals& signals, const ServeSession& session, bool demo) {
  constexpr int look_at_demo_ms = 20;
  const bool ends_by_itself = demo && isatty(STDIN_FILENO) == 0;
  if (!ends_by_itself) {
    signals.wait(-1);
    return;
  }
  while (!session.demo_done() && !signals.wait(look_at_demo_ms)) {
  }
}

}  // namespace

int serve(const ServeOptions& options) {
  StopSignals signals;  // before any thread
  os::LinuxOs machine;
  probe::Probe probe;
  ServeSession session(machine, probe);
  if (int error = session.start(options.port); error < 0) return explain_start_failure(-error, options.port);
  fmt::print("listening {}\n", session.endpoint().to_string());
  std::fflush(stdout);
  if (options.demo) {
    if (int error = session.start_demo(options.demo_pause_ms * int64_t{1'000'000}); error < 0) {
      fmt::print(stderr, "serve: cannot start the demo client: {}\n", std::strerror(-error));
      return 3;
    }
  }
  wait_for_the_end(signals, session, options.demo);
  const bool demo_ended = session.demo_done();
  session.stop();
  const MirrorFigures mirror;
  fmt::print("connections {} messages {} checked {} unchecked {} injected {} divergences {} lost {}\n",
             session.connections(), session.messages(), mirror.checked, mirror.unchecked, mirror.injected,
             mirror.divergences, mirror.lost);
  const DemoReport report = session.join_demo();
  if (demo_ended && report.error != 0) {
    fmt::print(stderr, "serve: the demo client failed after {} messages: {}\n", report.messages,
               std::strerror(report.error));
    return 1;
  }
  return 0;
}

}  // namespace wakepath::cli
