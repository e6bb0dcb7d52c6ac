#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>

#include "sim/trace/file.hh"
#include "src/cli/commands.hh"
#include "src/cli/serve_config.hh"
#include "src/cli/serve_console.hh"
#include "src/cli/serve_path.hh"
#include "src/cli/serve_session.hh"
#include "src/cli/stop_signals.hh"
#include "src/mirror/afterwards.hh"
#include "src/mirror/follower.hh"
#include "src/mirror/live_session.hh"
#include "src/mirror/mirror.hh"
#include "src/mirror/step_log.hh"
#include "src/os/call_log.hh"
#include "src/os/linux_os.hh"
#include "src/os/recorded_os.hh"
#ifdef WAKEPATH_GUI
#include "gui/gui.hh"
#endif

namespace wakepath::cli {

namespace {

int explain_start_failure(int error, const ServeSession& session) {
  const ServiceChoice& failed = session.failed();
  if (error == EADDRINUSE)
    fmt::print(stderr, "serve: port {} of 127.0.0.1 is in use, expected a free one (--port 0 takes any)\n",
               failed.port);
  else if (error == EACCES)
    fmt::print(stderr, "serve: port {} needs privileges, expected one above 1023 (--port 0 takes any)\n", failed.port);
  else if (!session.failure().empty())
    fmt::print(stderr, "serve: {} does not start: {}\n", failed.use, session.failure());
  else
    fmt::print(stderr, "serve: cannot listen on 127.0.0.1:{}: {}\n", failed.port, std::strerror(error));
  return failed.use.ends_with(".lua") && !session.failure().empty() ? 2 : 3;
}

/// What is to be served; nothing when the configuration is wrong, which is said.
std::optional<ServeSetup> setup_of(const ServeOptions& options) {
  ServeSetup setup{.services = {{.use = options.service, .port = options.port}}, .threads = options.threads};
  if (!options.config.empty()) {
    std::string problem;
    std::optional<ServeConfig> config = read_serve_config(options.config, problem);
    if (!config) {
      fmt::print(stderr, "{}\n", problem);
      return {};
    }
    setup.services = std::move(config->services);
    setup.threads = config->threads.value_or(options.threads);
  }
  if (options.poller == "edge") setup.poller = server::PollerKind::epoll_edge;
  if (!options.mirror || options.mirror_standby) setup.first_read = 0;
  if (options.console) setup.services.push_back({.use = "console", .port = *options.console});
  return setup;
}

constexpr std::string_view kMirrorHelp =
    "mirror off     follow the calls no more; mirror on: from what the descriptors are then; mirror stat: figures\n";

/// The machine that the server runs on: the running kernel, with a mirror behind every call or without.
struct Machine {
  explicit Machine(const ServeOptions& options) {
    if (!options.mirror) return;
    mirror::MirrorOptions wanted;
    wanted.max_records = options.mirror_records;
    wanted.ring = options.mirror_keep;
    wanted.config.mutant = kernel::mutant_by_name(options.mutant).value_or(kernel::Mutant::none);
    mirror = std::make_unique<mirror::Mirror>(wanted);
    afterwards = options.mirror_ring > 0;
    os::CallLogOptions logged = afterwards ? mirror::ring_of(options.mirror_ring) : os::CallLogOptions{};
    logged.one_of = options.mirror_sample;
    log = std::make_unique<os::CallLog>(logged);
    recorded = std::make_unique<os::RecordedOs>(kernel, *log);
    steps = std::make_unique<mirror::StepLog>(*log, options.mirror_sample > 1 ? recorded.get() : nullptr);
    if (!afterwards) follower = std::make_unique<mirror::Follower>(*log, *mirror, !options.mirror_standby);
    if (!options.output.empty()) file = std::make_unique<trace::FileWriter>(*mirror->trace(), options.output);
  }
  os::Os& os() { return recorded != nullptr ? static_cast<os::Os&>(*recorded) : kernel; }
  probe::Probe& probe() { return steps != nullptr ? static_cast<probe::Probe&>(*steps) : nobody; }
  /// The mirror shows all that the server has done so far.
  void catch_up() const {
    if (follower != nullptr) follower->catch_up();
  }
  /// What the console answers to "mirror", which it has then; none without a mirror.
  std::vector<service::HostCommand> commands() {
    if (mirror == nullptr) return {};
    return {{.word = "mirror", .help = std::string(kMirrorHelp), .run = [this](std::string_view argument) {
               return mirror_command(argument);
             }}};
  }
  std::string mirror_command(std::string_view argument) {
    if (argument == "on" || argument == "off") turn(argument == "on");
    if (argument != "on" && argument != "off" && argument != "stat")
      return fmt::format("mirror: found \"{}\", expected on, off or stat\n", argument);
    const std::string state = log->on() ? afterwards ? "recording" : "on" : "off";
    return fmt::format("{}; {}; {} calls not recorded\n", state, mirror->status(), log->missed());
  }
  void turn(bool on) {
    if (on == log->on()) return;
    if (follower != nullptr)
      follower->turn(on);
    else
      log->turn(on);
  }
  /// The server is about to end: the last calls of its work are to be kept, not those with which it cleans up.
  void before_the_end() {
    if (log != nullptr) was_off = log->missed(), passed_by = log->passed_by();
    if (afterwards) log->turn(false);
  }
  /// It has ended.
  void at_the_end() const {
    catch_up();
    if (afterwards) mirror::follow_afterwards(*log, *mirror);
  }

  os::LinuxOs kernel;
  probe::Probe nobody;
  uint64_t passed_by = 0;   ///< calls that were not recorded, since they are of connections that are not in the sample
  uint64_t was_off = 0;     ///< calls that were not recorded
  bool afterwards = false;  ///< calls are recorded only, and followed at the end
  std::unique_ptr<mirror::Mirror> mirror;
  std::unique_ptr<os::CallLog> log;
  std::unique_ptr<os::RecordedOs> recorded;
  std::unique_ptr<mirror::StepLog> steps;
  std::unique_ptr<mirror::Follower> follower;
  std::unique_ptr<trace::FileWriter> file;
};

/// What was asked for about the first connection. False when a picture could not be written.
bool show_first_connection(const ServeOptions& options, const Machine& machine) {
  if (machine.mirror == nullptr || (!options.text && options.out.empty())) return true;
  machine.catch_up();
  const auto trace = machine.mirror->trace();
  if (trace->floor() > 0) {
    fmt::print(stderr, "serve: the first connection is no longer among the records of --mirror-keep {}\n",
               options.mirror_keep);
    return false;
  }
  const ConnectionPath path = first_connection(*trace);
  if (options.text) print_path(*trace, path);
  const bool written = options.out.empty() || path.empty() || write_pictures(*trace, path, options.out);
  std::fflush(stdout);
  return written;
}

/// Until a stop signal comes or, when nobody sits at a terminal, the demo has ended. What was asked for about the first
/// connection is shown when the demo has ended. False when that failed.
bool wait_for_the_end(StopSignals& signals, ServeSession& session, const ServeOptions& options,
                      const Machine& machine) {
  constexpr int kLookMs = 20;
  constexpr int kFlushEvery = 25;  // looks
  const bool at_terminal = isatty(STDIN_FILENO) != 0;
  const int look_ms = options.demo || machine.file != nullptr ? kLookMs : -1;  // else nobody need wake up
  InputConsole console(session);
  const bool asked = at_terminal || options.console_on_input;
  bool shown = false;
  bool fine = true;
  for (int looks = 1; !signals.wait(look_ms, asked ? console.fd() : -1); ++looks) {
    if (signals.has_input()) console.read();
    if (machine.file != nullptr && looks % kFlushEvery == 0) machine.file->flush();
    if (shown || !options.demo || !session.demo_done()) continue;
    if (machine.afterwards && !at_terminal) return true;
    if (machine.afterwards) continue;
    fine = show_first_connection(options, machine);
    shown = true;
    if (!at_terminal) return fine;
    fmt::print("serving on until Ctrl-C (help: what you can ask meanwhile); from a second terminal: nc 127.0.0.1 {}\n",
               session.endpoint().port);
    std::fflush(stdout);
  }
  return shown || machine.afterwards ? fine : show_first_connection(options, machine) && fine;
}

/// The stage over the running server, until the window is closed or a stop signal comes. False when there is no window
/// to be had; then it says why, and the server goes on without.
bool show_window([[maybe_unused]] StopSignals& signals, [[maybe_unused]] const ServeSession& session,
                 const Machine& machine) {
  if (machine.mirror == nullptr || machine.afterwards) {
    fmt::print(stderr, "serve: --gui needs --mirror on, found --mirror {}\n", machine.afterwards ? "ring" : "off");
    return false;
  }
#ifdef WAKEPATH_GUI
  mirror::LiveSession live(*machine.mirror, "listening " + session.endpoint().to_string());
  gui::WindowOptions window;
  window.follow = true;
  window.should_close = [&] {
    if (machine.file != nullptr) machine.file->flush();
    return signals.wait(0);
  };
  return gui::run_window(live, window) == 0;
#else
  fmt::print(stderr, "serve: this build has no window (configured with WAKEPATH_GUI=OFF)\n");
  return false;
#endif
}

void print_last_line(const ServeSession& session, const mirror::Figures& figures) {
  fmt::print("connections {} messages {} checked {} unchecked {} injected {} divergences {} lost {}\n",
             session.connections(), session.messages(), figures.checked, figures.unchecked, figures.injected,
             figures.divergences, figures.lost);
  std::fflush(stdout);  // before what goes to stderr
  if (figures.readings > 0)
    fmt::print(stderr, "serve: {} readings of oracles agree, {} were not stable\n", figures.readings,
               figures.readings_unchecked);
  for (const auto& [reason, count] : figures.reasons) fmt::print(stderr, "serve: {} unchecked: {}\n", count, reason);
  if (figures.established > 0)
    fmt::print(stderr, "serve: the log began later; {} calls before it made what was open then\n", figures.established);
  if (!figures.first_divergence.empty())
    fmt::print(stderr, "serve: the first divergence: {}\n", figures.first_divergence);
  if (!figures.stopped.empty()) fmt::print(stderr, "serve: the mirror stopped: {}\n", figures.stopped);
}

}  // namespace

int serve(const ServeOptions& options) {
  if (!options.mirror && (options.text || !options.out.empty() || !options.output.empty())) {
    fmt::print(stderr, "serve: --text, --out and -o show what the mirror saw, found --mirror off\n");
    return 2;
  }
  std::optional<ServeSetup> setup = setup_of(options);
  if (!setup) return 2;
  StopSignals signals;  // before any thread
  Machine machine(options);
  ServeSession session(machine.os(), machine.probe());
  setup->commands = machine.commands();
  if (int error = session.start(*setup); error < 0) return explain_start_failure(-error, session);
  for (const os::SocketAddress& address : session.listening()) fmt::print("listening {}\n", address.to_string());
  std::fflush(stdout);
  if (options.demo) {
    if (int error = session.start_demo(options.demo_pause_ms * int64_t{1'000'000}); error < 0) {
      fmt::print(stderr, "serve: cannot start the demo client: {}\n", std::strerror(-error));
      return 3;
    }
  }
  const bool shown = options.gui && show_window(signals, session, machine);
  bool pictures_written =
      shown ? show_first_connection(options, machine) : wait_for_the_end(signals, session, options, machine);
  const bool demo_ended = session.demo_done();
  machine.before_the_end();
  session.stop();
  machine.at_the_end();
  if (machine.afterwards) pictures_written = show_first_connection(options, machine);
  print_last_line(session, machine.mirror != nullptr ? machine.mirror->figures() : mirror::Figures{});
  if (machine.passed_by > 0)
    fmt::print(stderr, "serve: {} calls were of connections that are not in the sample\n",
               machine.passed_by + machine.mirror->figures().not_in_sample);
  if (machine.was_off > 0) fmt::print(stderr, "serve: {} calls were made while the mirror was off\n", machine.was_off);
  if (machine.file != nullptr) {
    machine.file->close();
    if (!machine.file->error().empty()) {
      fmt::print(stderr, "serve: {}: {}\n", options.output, machine.file->error());
      return 1;
    }
    fmt::print(stderr, "serve: wrote {}\n", options.output);
  }
  const DemoReport report = session.join_demo();
  if (demo_ended && report.error != 0) {
    fmt::print(stderr, "serve: the demo client failed after {} messages: {}\n", report.messages,
               std::strerror(report.error));
    return 1;
  }
  if (machine.mirror != nullptr && machine.mirror->figures().divergences > 0) return 1;
  return pictures_written ? 0 : 3;
}

}  // namespace wakepath::cli
