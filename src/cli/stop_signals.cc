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

bool StopSignals::wait(int timeout_ms, int input) {
  pollfd wanted[2] = {{.fd = fd_, .events = POLLIN, .revents = 0}, {.fd = input, .events = POLLIN, .revents = 0}};
  has_input_ = false;
  if (came_) return true;
  poll(wanted, 2, timeout_ms);
  came_ = wanted[0].revents != 0;
  has_input_ = wanted[1].revents != 0;
  return came_;
}

}  // namespace wakepath::cli
