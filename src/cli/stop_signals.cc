#include "src/cli/stop_signals.hh"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace wakepath::cli {

StopSignals::StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  fd_ = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

StopSignals::~StopSignals() { close(fd_); }

bool StopSignals::wait(int timeout_ms) {
  pollfd wanted{.fd = fd_, .events = POLLIN, .revents = 0};
  if (!came_) came_ = poll(&wanted, 1, timeout_ms) > 0;
  return came_;
}

}  // namespace wakepath::cli
