#include "src/bench/server/process.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <exception>
#include <filesystem>
#include <fstream>
#include <new>
#include <stdexcept>
#include <string>

namespace wakepath::bench {

namespace {

constexpr int kPatienceMs = 10'000;

void use_all_descriptors() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

/// The number behind `key` in a file of /proc, 0 when there is none.
uint64_t number_in(const std::string& file, const std::string& key) {
  std::ifstream in(file);
  for (std::string word; in >> word;) {
    if (word != key) continue;
    uint64_t value = 0;
    in >> value;
    return value;
  }
  return 0;
}

}  // namespace

Processors processors() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  sched_getaffinity(0, sizeof allowed, &allowed);
  Processors found;
  int seen = 0;
  for (int i = 0; i < CPU_SETSIZE && seen < 2; ++i) {
    if (!CPU_ISSET(i, &allowed)) continue;
    (seen == 0 ? found.server : found.clients) = i;
    if (++seen == 1) found.clients = i;
  }
  return found;
}

std::size_t most_descriptors() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_max;
}

pid_t fork_pinned(std::string_view name, int processor, const std::function<void()>& body) {
  const pid_t parent = getpid();
  const pid_t process = fork();
  if (process < 0) throw std::runtime_error("no process can be forked");
  if (process > 0) return process;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_NAME, std::string(name).c_str());
  if (getppid() != parent) _exit(0);
  signal(SIGPIPE, SIG_IGN);
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(processor, &one);
  sched_setaffinity(0, sizeof one, &one);
  use_all_descriptors();
  try {
    body();
  } catch (const std::exception&) {
    _exit(3);  // whoever waits for its word hears that there is none
  }
  _exit(0);
}

void end_process(pid_t process) {
  kill(process, SIGKILL);
  waitpid(process, nullptr, 0);
}

ServerProcess::ServerProcess(const Kind& kind, Ways ways) {
  void* memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int ready[2] = {-1, -1};
  int stop[2] = {-1, -1};
  if (memory == MAP_FAILED || pipe2(ready, O_CLOEXEC) < 0 || pipe2(stop, O_CLOEXEC) < 0)
    throw std::runtime_error("no pipe or memory for a server's process");
  shared_ = new (memory) Shared;
  process_ = fork_pinned(kind.name, processors().server, [&] {
    kind.serve({.shared = shared_,
                .ready_fd = ready[1],
                .stop_fd = stop[0],
                .count_calls = ways.count_calls,
                .mirroring = ways.mirroring});
  });
  close(ready[1]);
  close(stop[0]);
  stop_fd_ = stop[1];
  port_ = wait_for_port(ready[0]);
  close(ready[0]);
  if (port_ != 0) return;
  end_process(process_);
  close(stop_fd_);
  munmap(memory, sizeof(Shared));
  throw std::runtime_error(fmt::format("the server '{}' does not start", kind.name));
}

uint16_t ServerProcess::wait_for_port(int fd) const {
  pollfd wanted{.fd = fd, .events = POLLIN, .revents = 0};
  uint16_t port = 0;
  if (poll(&wanted, 1, kPatienceMs) <= 0 || read(fd, &port, sizeof port) != sizeof port) return 0;
  return port;
}

ServerProcess::~ServerProcess() {
  if (process_ > 0) end_process(process_);
  close(stop_fd_);
  munmap(shared_, sizeof(Shared));
}

void ServerProcess::finish() {
  const char stop = 0;
  if (write(stop_fd_, &stop, 1) == 1) waitpid(process_, nullptr, 0);
  process_ = 0;
}

int64_t ServerProcess::cpu_ns() const {
  clockid_t clock = 0;
  timespec used{};
  if (clock_getcpuclockid(process_, &clock) != 0 || clock_gettime(clock, &used) != 0) return 0;
  return used.tv_sec * int64_t{1'000'000'000} + used.tv_nsec;
}

uint64_t ServerProcess::sleeps() const {
  uint64_t sum = 0;
  for (const auto& thread : std::filesystem::directory_iterator(fmt::format("/proc/{}/task", process_)))
    sum += number_in(thread.path() / "status", "voluntary_ctxt_switches:");
  return sum;
}

uint64_t ServerProcess::private_bytes() const {
  return number_in(fmt::format("/proc/{}/status", process_), "RssAnon:") * 1024;
}

uint64_t ServerProcess::peak_bytes() const {
  return number_in(fmt::format("/proc/{}/status", process_), "VmHWM:") * 1024;
}

}  // namespace wakepath::bench
