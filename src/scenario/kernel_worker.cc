#include "src/scenario/kernel_worker.hh"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <utility>

namespace wakepath::scenario {
namespace {

long futex(std::atomic<uint32_t>& word, int op, uint32_t value) {
  return syscall(SYS_futex, &word, op, value, nullptr, nullptr, 0);
}

void wait_while(std::atomic<uint32_t>& word, uint32_t value) {
  while (word.load(std::memory_order_acquire) == value) {
    futex(word, FUTEX_WAIT_PRIVATE, value);
  }
}

void set(std::atomic<uint32_t>& word, uint32_t value) {
  word.store(value, std::memory_order_release);
  futex(word, FUTEX_WAKE_PRIVATE, 0x7fffffff);
}

void close_above_two() {
  if (syscall(SYS_close_range, 3u, ~0u, 0u) != 0) {
    for (int fd = 3; fd < 65536; ++fd) {
      close(fd);
    }
  }
}

void take_table(Worker::Table table) {
  if (table != Worker::Table::fresh) {
    return;
  }
  // both at once: the new table is as small as what is left in it, whatever the runner had open (select() can tell)
  if (syscall(SYS_close_range, 3u, ~0u, CLOSE_RANGE_UNSHARE) != 0) {
    unshare(CLONE_FILES);
    close_above_two();
  }
  const int null = open("/dev/null", O_RDWR);
  for (int fd = 0; fd <= 2; ++fd) {
    dup2(null, fd);
  }
  close(null);
}

std::string proc_of(pid_t thread, const char* file) { return fmt::format("/proc/{}/{}", thread, file); }

void wait_until_gone(pid_t thread) {
  const std::string path = proc_of(thread, "");
  while (access(path.c_str(), F_OK) == 0) {
    const timespec moment{0, 50000};
    nanosleep(&moment, nullptr);
  }
}

/// One line of a file of /proc; empty when it is not there.
std::string first_line(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return {};
  }
  char buffer[512];
  const ssize_t size = read(fd, buffer, sizeof buffer);
  close(fd);
  return size > 0 ? std::string(buffer, static_cast<size_t>(size)) : std::string();
}

}  // namespace

Worker::Worker(Table table, int cpu, bool fifo) : table_(table), cpu_(cpu), fifo_(fifo) {
  if (table == Table::shared) {
    thread_ = std::thread([this] { loop(); });
  } else {
    // The process takes over the stack and the thread-local memory of a thread that ends as soon as it has made the
    // process, past libc, which therefore keeps both. They are given back when the run's process ends.
    std::thread([this] { start_process(); }).detach();
  }
  wait_while(phase_, kStarting);
}

Worker::~Worker() { stop(); }

void Worker::give_up_admin() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[2]{};
  if (syscall(SYS_capget, &header, sets) == 0) {
    sets[0].effective &= ~(1u << CAP_SYS_ADMIN);
    syscall(SYS_capset, &header, sets);
  }
}

/// In the thread whose place the process takes. Signal handlers and blocked signals are copied, as the table is, unless
/// take_table() will make a new one.
void Worker::start_process() {
  const bool copied = table_ == Table::copied;  // by an actor; the new process shall be a child of the run all the same
  run_ = copied ? getppid() : getpid();
  alignas(16) char stack[256 * 1024];
  host_ = static_cast<pid_t>(syscall(SYS_gettid));
  clone(process_main, stack + sizeof stack, CLONE_VM | (copied ? CLONE_PARENT : CLONE_FILES), this);
  syscall(SYS_exit, 0);
}

int Worker::process_main(void* worker) {
  auto* self = static_cast<Worker*>(worker);
  wait_until_gone(self->host_);  // from now on the thread-local memory is ours, and the run's main thread our parent
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != self->run_) {
    return 1;
  }
  self->loop();
  return 0;
}

void Worker::loop() {
  take_table(table_);
  if (cpu_ >= 0) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<size_t>(cpu_), &set);
    sched_setaffinity(0, sizeof set, &set);
  }
  if (fifo_) {
    take_fifo();
  }
  tid_ = static_cast<pid_t>(syscall(SYS_gettid));
  set(phase_, kIdle);
  while (true) {
    wait_while(phase_, kIdle);
    if (phase_.load(std::memory_order_acquire) == kStop) {
      return;
    }
    job_();
    set(phase_, kIdle);
  }
}

void Worker::take_fifo() {
  sched_param param{};
  param.sched_priority = 1;
  sched_setscheduler(0, SCHED_FIFO, &param);
}

void Worker::post(std::function<void()> job) {
  job_ = std::move(job);
  set(phase_, kJob);
}

void Worker::wait() { wait_while(phase_, kJob); }

void Worker::call(std::function<void()> job) {
  post(std::move(job));
  wait();
}

void Worker::stop() {
  if (tid_ == 0) {
    return;
  }
  set(phase_, kStop);
  if (table_ != Table::shared) {
    reap();
    return;
  }
  thread_.join();  // returns when the thread gives up its stack; its descriptors are closed a little later
  wait_until_gone(std::exchange(tid_, 0));
}

void Worker::kill() {
  if (tid_ != 0) {
    ::kill(tid_, SIGKILL);
    reap();
  }
}

void Worker::replaced() {
  if (thread_.joinable()) thread_.detach();
  tid_ = 0;
}

void Worker::reap() {
  while (waitpid(tid_, nullptr, __WALL) < 0 && errno == EINTR) {
  }
  tid_ = 0;
}

long sleeping_in(pid_t thread) {
  const std::string stat = first_line(proc_of(thread, "stat"));
  const size_t bracket = stat.rfind(')');
  if (bracket == std::string::npos || bracket + 2 >= stat.size() ||
      (stat[bracket + 2] != 'S' && stat[bracket + 2] != 'D')) {
    return -1;
  }
  const std::string call = first_line(proc_of(thread, "syscall"));
  long current = -1;
  return std::sscanf(call.c_str(), "%ld", &current) == 1 ? current : -1;
}

std::vector<std::string> stack_of(pid_t thread) {
  std::ifstream in(proc_of(thread, "stack"));
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);) {  // [<0>] ep_poll+0x12/0x34
    const size_t from = line.find(' ') + 1;
    const std::string name = line.substr(from, line.find('+') - from);
    const bool leads_in = name.starts_with("__x64_sys") || name.starts_with("__sys_") ||
                          name.starts_with("do_syscall") || name.starts_with("entry_") ||
                          name.starts_with("ret_from") || name.starts_with("x64_sys");
    if (!leads_in && name != "wait_woken" && name.find("schedule") == std::string::npos) {
      out.insert(out.begin(), name);
    }
  }
  return out;
}

bool can_see_sleepers(pid_t thread) { return !first_line(proc_of(thread, "syscall")).empty(); }

}  // namespace wakepath::scenario
