#include "src/scenario/kernel_exec.hh"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "src/scenario/machine.hh"

namespace wakepath::scenario {
namespace {

using namespace std::chrono_literals;

constexpr const char* kSleeper = "/bin/sleep";
constexpr auto kLimit = 10s;

/// The numbers that a process has open, the lowest first.
std::vector<int> descriptors_of(pid_t process) {
  std::vector<int> out;
  for (const auto& entry : std::filesystem::directory_iterator(fmt::format("/proc/{}/fd", process)))
    out.push_back(std::stoi(entry.path().filename().string()));
  std::sort(out.begin(), out.end());
  return out;
}

/// A set of signals as /proc/PID/status has it.
unsigned long signals_of(pid_t process, const std::string& name) {
  std::ifstream status(fmt::format("/proc/{}/status", process));
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(name + ":")) return std::stoul(line.substr(name.size() + 1), nullptr, 16);
  return 0;
}

/// Nobody has waited for it yet.
bool has_ended(pid_t process) {
  siginfo_t info{};
  return waitid(P_PID, static_cast<id_t>(process), &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0 &&
         info.si_pid == process;
}

/// The calling process comes to have what `from` has open, under the same numbers, and nothing else. 0 or an errno.
/// It needs two numbers more than `numbers`, the lowest free ones: the table grows no further than the other one's.
int copy_descriptors(pid_t from, const std::vector<int>& numbers) {
  for (int fd = 0; fd <= 2; ++fd) close(fd);
  int holder = static_cast<int>(syscall(SYS_pidfd_open, from, 0));
  if (holder < 0) return errno;
  int gap = 0;  // the holder's place: a number that the other one does not use
  while (std::binary_search(numbers.begin(), numbers.end(), gap)) ++gap;
  if (gap != holder) {
    dup2(holder, gap);
    close(holder);
    holder = gap;
  }
  int error = 0;
  for (const int number : numbers) {
    const int got = static_cast<int>(syscall(SYS_pidfd_getfd, holder, number, 0));
    if (got < 0) {
      error = errno;
      break;
    }
    if (got == number) {
      fcntl(got, F_SETFD, 0);  // whoever survived execve() has it not set
    } else {
      dup2(got, number);
      close(got);
    }
  }
  close(holder);
  return error;
}

void pause_a_moment() {
  const timespec moment{0, 50'000};
  nanosleep(&moment, nullptr);
}

}  // namespace

Exec::Exec(Worker& observer, Worker& actor, int cpu) : sleeper_(observer.tid()) {
  prlimit(sleeper_, RLIMIT_NOFILE, nullptr, &limit_);
  const rlimit room{limit_.rlim_max, limit_.rlim_max};  // a program opens its libraries
  prlimit(sleeper_, RLIMIT_NOFILE, &room, nullptr);
  run_sleeper(actor);
  actor.replaced();
  process_ = std::make_unique<Worker>(Worker::Table::fresh, cpu, false);
  take_over();
  observer.kill();
}

void Exec::run_sleeper(Worker& actor) const {
  int error = 0;
  actor.post([&error] {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execl(kSleeper, "sleep", "60", nullptr);
    error = errno;
  });
  int in_exec = 0;
  for (const auto end = std::chrono::steady_clock::now() + kLimit; sleeping_in(sleeper_) != SYS_clock_nanosleep;) {
    pause_a_moment();
    if (!actor.busy()) throw Unavailable(fmt::format("{}: {}", kSleeper, std::strerror(error)));
    // a file of the disk may be waited for a moment
    in_exec = sleeping_in(sleeper_) == SYS_execve ? in_exec + 1 : 0;
    if (in_exec > 2'000) throw Unavailable("execve() closes a socket that lingers, which is not waited for here");
    if (has_ended(sleeper_)) throw Unavailable(fmt::format("{} ended at once", kSleeper));
    if (std::chrono::steady_clock::now() > end) throw Unavailable("a program did not start within 10 s");
  }
}

void Exec::take_over() {
  const std::vector<int> numbers = descriptors_of(sleeper_);
  int error = 0;
  process_->call([&] {
    error = copy_descriptors(sleeper_, numbers);
    setrlimit(RLIMIT_NOFILE, &limit_);
  });
  if (error != 0)
    throw Unavailable(fmt::format("descriptors of another process cannot be taken over here, as execve() needs: {}",
                                  std::strerror(error)));
  blocked_ = signals_of(sleeper_, "SigBlk");
  pending_ = signals_of(sleeper_, "SigPnd");
}

void Exec::settle_signals(Worker& thread, pid_t process) const {
  thread.call([this] { syscall(SYS_rt_sigprocmask, SIG_SETMASK, &blocked_, nullptr, sizeof blocked_); });
  for (int number = 1; number <= 64; ++number)
    if ((pending_ >> (number - 1) & 1) != 0) syscall(SYS_tgkill, process, thread.tid(), number);
}

}  // namespace wakepath::scenario
