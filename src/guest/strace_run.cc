#include "src/guest/strace_run.hh"

#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace wakepath::guest {

namespace {

/// The signals that decide how we wait, blocked as long as this lives; SIGINT and SIGQUIT are not for us.
class WaitingSignals {
 public:
  WaitingSignals() {
    sigemptyset(&set_);
    for (int signal : {SIGCHLD, SIGTERM, SIGHUP}) sigaddset(&set_, signal);
    sigprocmask(SIG_BLOCK, &set_, &before_);
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGINT, &ignore, &interrupt_);
    sigaction(SIGQUIT, &ignore, &quit_);
  }
  ~WaitingSignals() {
    sigaction(SIGINT, &interrupt_, nullptr);
    sigaction(SIGQUIT, &quit_, nullptr);
    sigprocmask(SIG_SETMASK, &before_, nullptr);
  }
  WaitingSignals(const WaitingSignals&) = delete;
  WaitingSignals& operator=(const WaitingSignals&) = delete;

  /// The number of the next one.
  int next() const {
    int signal = sigwaitinfo(&set_, nullptr);
    return signal < 0 ? 0 : signal;
  }

  /// As they were before: what a child begins with.
  const sigset_t& mask() const { return before_; }
  sigset_t defaults() const {
    sigset_t out;
    sigemptyset(&out);
    if (interrupt_.sa_handler != SIG_IGN) sigaddset(&out, SIGINT);
    if (quit_.sa_handler != SIG_IGN) sigaddset(&out, SIGQUIT);
    return out;
  }

 private:
  sigset_t set_{}, before_{};
  struct sigaction interrupt_ {
  }, quit_{};
};

/// The command is the child of strace.
void pass_on(pid_t strace, int signal) {
  std::ifstream children(fmt::format("/proc/{0}/task/{0}/children", strace));
  for (pid_t child; children >> child;) kill(child, signal);
}

int status_of(int waited) { return WIFSIGNALED(waited) ? 128 + WTERMSIG(waited) : WEXITSTATUS(waited); }

/// 0, or why it could not be started.
int start(std::vector<std::string> words, const WaitingSignals& signals, pid_t& child) {
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  const sigset_t defaults = signals.defaults();
  posix_spawnattr_setsigmask(&attributes, &signals.mask());
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  const int error = posix_spawnp(&child, argv[0], nullptr, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  return error;
}

}  // namespace

TracedRun run_under_strace(const std::vector<std::string>& command, const std::filesystem::path& log) {
  // what the mirror follows, and what tells processes and threads apart; with --seccomp-bpf the other calls do not stop
  std::vector<std::string> words{"strace",
                                 "-f",
                                 "--seccomp-bpf",
                                 "-ttt",
                                 "-T",
                                 "-yy",
                                 "-s",
                                 "65536",
                                 "-e",
                                 "trace=%network,%desc,%process,prctl",
                                 "-o",
                                 log.string(),
                                 "--"};
  words.insert(words.end(), command.begin(), command.end());
  const WaitingSignals signals;
  pid_t strace = 0;
  if (const int error = start(words, signals, strace); error != 0) {
    const bool missing = error == ENOENT;
    return {missing ? "found no strace, expected it installed (Debian: apt-get install strace)"
                    : fmt::format("strace: {}", std::strerror(error)),
            0};
  }
  for (;;) {
    const int signal = signals.next();
    int waited = 0;
    if (signal == SIGTERM || signal == SIGHUP) pass_on(strace, signal);
    if (waitpid(strace, &waited, WNOHANG) == strace) return {"", status_of(waited)};
  }
}

}  // namespace wakepath::guest
