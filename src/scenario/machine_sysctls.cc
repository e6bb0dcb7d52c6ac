#include "src/scenario/machine_sysctls.hh"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "src/scenario/machine.hh"

namespace wakepath::scenario {
namespace {

/// The words are made before fork(): the guard only makes system calls.
struct Borrowed {
  std::string path, value;
  int file = -1;
  char old[64] = {};
  ssize_t old_size = 0;
};

bool put(int file, std::string_view text) {
  return pwrite(file, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
}

/// Notes what each has, and sets it. False: one cannot be set.
bool lend(std::vector<Borrowed>& all) {
  for (Borrowed& one : all) {
    const int file = open(one.path.c_str(), O_RDWR | O_CLOEXEC);
    one.old_size = file >= 0 ? pread(file, one.old, sizeof one.old, 0) : -1;
    if (one.old_size <= 0 || !put(file, one.value)) {
      return false;
    }
    one.file = file;
  }
  return true;
}

void give_back(const std::vector<Borrowed>& all) {
  for (const Borrowed& one : all) {
    if (one.file >= 0) {
      put(one.file, {one.old, static_cast<std::size_t>(one.old_size)});
    }
  }
}

/// The guard's whole life. `alive` ends when the last process that has its other end has ended.
[[noreturn]] void guard(std::vector<Borrowed>& all, int alive, int ready) {
  setsid();
  sigset_t every;
  sigfillset(&every);
  sigprocmask(SIG_BLOCK, &every, nullptr);
  // nothing else that the run's starter waits for may stay open here
  dup2(alive, 0);
  dup2(ready, 1);
  syscall(SYS_close_range, 2u, ~0u, 0u);
  const int turn = open("/proc/sys/fs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  char byte = 1;
  const bool lent = turn >= 0 && flock(turn, LOCK_EX) == 0 && lend(all);
  if (lent && write(1, &byte, 1) == 1) {
    close(1);
    while (read(0, &byte, 1) > 0) {
    }
  }
  give_back(all);
  _exit(lent ? 0 : 1);
}

}  // namespace

void borrow_sysctls(const std::vector<Loan>& loans) {
  if (loans.empty()) {
    return;
  }
  const std::string& name = loans.front().first;
  const char* allowed = std::getenv("WAKEPATH_MACHINE_SYSCTLS");
  if (allowed == nullptr || std::string_view(allowed) != "1") {
    throw Unavailable(fmt::format(
        "{} is the whole machine's: it is changed only where WAKEPATH_MACHINE_SYSCTLS=1 says that this may be", name));
  }
  std::vector<Borrowed> all;
  for (const Loan& loan : loans) {
    Borrowed& one = all.emplace_back();
    one.path = "/proc/sys/" + loan.first;
    one.value = loan.second;
    std::replace(one.path.begin() + 10, one.path.end(), '.', '/');
  }
  int alive[2];
  int ready[2];
  if (pipe2(alive, O_CLOEXEC) != 0 || pipe2(ready, O_CLOEXEC) != 0) {
    throw Unavailable("no pipe to the guard of a sysctl");
  }
  const pid_t child = fork();
  if (child == 0) {
    guard(all, alive[0], ready[1]);
  }
  close(alive[0]);  // the other end stays open as long as this process lives
  close(ready[1]);
  char byte = 0;
  const bool done = child > 0 && read(ready[0], &byte, 1) == 1;
  close(ready[0]);
  if (!done) {
    close(alive[1]);
    waitpid(child, nullptr, 0);
    throw Unavailable(fmt::format("{} cannot be set here: it takes root, and a value that Linux allows", name));
  }
}

}  // namespace wakepath::scenario
