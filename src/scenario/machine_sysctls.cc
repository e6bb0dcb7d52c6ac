#include "src/scenario/machine_sysctls.hh"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "src/scenario/machine.hh"

namespace wakepath::scenario {
namespace {

/// The words are made before fork(): the guard only makes system calls.
struct Loan {
  std::string path, value;
};

bool put(int file, std::string_view text) {
  return pwrite(file, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
}

/// The guard's whole life. `alive` ends when the last process that has its other end has ended.
[[noreturn]] void guard(const Loan& loan, int alive, int ready) {
  setsid();
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, nullptr);
  // nothing else that the run's starter waits for may stay open here
  dup2(alive, 0);
  dup2(ready, 1);
  syscall(SYS_close_range, 2u, ~0u, 0u);
  const int file = open(loan.path.c_str(), O_RDWR | O_CLOEXEC);
  const int turn = open("/proc/sys/fs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  char old[64];
  if (file < 0 || turn < 0 || flock(turn, LOCK_EX) != 0) {
    _exit(1);
  }
  const ssize_t size = pread(file, old, sizeof old, 0);
  if (size <= 0 || !put(file, loan.value)) {
    _exit(1);
  }
  char byte = 1;
  if (write(1, &byte, 1) == 1) {
    close(1);
    while (read(0, &byte, 1) > 0) {
    }
  }
  put(file, {old, static_cast<std::size_t>(size)});
  _exit(0);
}

}  // namespace

void borrow_sysctl(const std::string& name, const std::string& value) {
  const char* allowed = std::getenv("WAKEPATH_MACHINE_SYSCTLS");
  if (allowed == nullptr || std::string_view(allowed) != "1") {
    throw Unavailable(fmt::format(
        "{} is the whole machine's: it is changed only where WAKEPATH_MACHINE_SYSCTLS=1 says that this may be", name));
  }
  Loan loan{"/proc/sys/" + name, value};
  std::replace(loan.path.begin() + 10, loan.path.end(), '.', '/');
  int alive[2];
  int ready[2];
  if (pipe2(alive, O_CLOEXEC) != 0 || pipe2(ready, O_CLOEXEC) != 0) {
    throw Unavailable("no pipe to the guard of a sysctl");
  }
  const pid_t child = fork();
  if (child == 0) {
    guard(loan, alive[0], ready[1]);
  }
  close(alive[0]);  // the other end stays open as long as this process lives
  close(ready[1]);
  char byte = 0;
  const bool done = child > 0 && read(ready[0], &byte, 1) == 1;
  close(ready[0]);
  if (!done) {
    close(alive[1]);
    throw Unavailable(fmt::format("{} cannot be set to {} here (it takes root)", name, value));
  }
}

}  // namespace wakepath::scenario
