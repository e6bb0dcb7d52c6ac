#include "src/scenario/kernel_worker.hh"

#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <fmt/format.h>

#include <cstdio>
#include <cstring>

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
  if (table == Worker::Table::shared) {
    return;
  }
  if (table == Worker::Table::copied) {
    unshare(CLONE_FILES);
  } else {
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

Worker::Worker(Table table, int cpu, bool fifo) : thread_([this, table, cpu, fifo] { loop(table, cpu, fifo); }) {
  wait_while(phase_, kStarting);
}

Worker::~Worker() { stop(); }

void Worker::loop(Table table, int cpu, bool fifo) {
  take_table(table);
  if (cpu >= 0) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<size_t>(cpu), &set);
    sched_setaffinity(0, sizeof set, &set);
  }
  if (fifo) {
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
  if (!thread_.joinable()) {
    return;
  }
  set(phase_, kStop);
  thread_.join();
  // pthread_join() returns when the thread gives up its stack; its descriptors are closed a little later.
  const std::string path = fmt::format("/proc/self/task/{}", tid_);
  while (access(path.c_str(), F_OK) == 0) {
    const timespec moment{0, 50000};
    nanosleep(&moment, nullptr);
  }
}

long sleeping_in(pid_t thread) {
  const std::string stat = first_line(fmt::format("/proc/self/task/{}/stat", thread));
  const size_t bracket = stat.rfind(')');
  if (bracket == std::string::npos || bracket + 2 >= stat.size() ||
      (stat[bracket + 2] != 'S' && stat[bracket + 2] != 'D')) {
    return -1;
  }
  const std::string call = first_line(fmt::format("/proc/self/task/{}/syscall", thread));
  long current = -1;
  return std::sscanf(call.c_str(), "%ld", &current) == 1 ? current : -1;
}

}  // namespace wakepath::scenario
