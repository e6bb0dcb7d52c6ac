#include "src/scenario/kernel_services.hh"

#include <fmt/format.h>
#include <sys/syscall.h>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iterator>

namespace wakepath::scenario {
namespace {

std::vector<pid_t> threads_of(pid_t process) {
  std::vector<pid_t> threads;
  for (const auto& entry : std::filesystem::directory_iterator(fmt::format("/proc/{}/task", process))) {
    threads.push_back(std::stoi(entry.path().filename()));
  }
  std::sort(threads.begin(), threads.end());
  return threads;
}

}  // namespace

KernelServices::KernelServices(pid_t process, Worker& starter, const Scenario& scenario) {
  const std::vector<pid_t> before = threads_of(process);
  std::exception_ptr failure;
  starter.call([&] {
    try {
      services_ = std::make_unique<Services>(os_, nobody_, scenario, nullptr);
    } catch (...) {
      failure = std::current_exception();
    }
  });
  if (failure) {
    std::rethrow_exception(failure);
  }
  const std::vector<pid_t> now = threads_of(process);
  std::set_difference(now.begin(), now.end(), before.begin(), before.end(), std::back_inserter(threads_));
}

std::map<std::string, pid_t> KernelServices::threads() const {
  std::map<std::string, pid_t> out;
  for (const pid_t thread : threads_) {
    std::ifstream comm(fmt::format("/proc/{}/comm", thread));
    std::string name;
    std::getline(comm, name);
    out[name] = thread;
  }
  return out;
}

bool KernelServices::quiet() const {
  return std::all_of(threads_.begin(), threads_.end(), [](pid_t thread) {
    const std::initializer_list<long> waits = {SYS_futex, SYS_epoll_wait, SYS_epoll_pwait};
    const long call = sleeping_in(thread);
    return std::find(waits.begin(), waits.end(), call) != waits.end();
  });
}

}  // namespace wakepath::scenario
