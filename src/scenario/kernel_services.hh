#pragma once

#include <sys/types.h>

#include <vector>

#include "src/os/linux_os.hh"
#include "src/scenario/kernel_worker.hh"
#include "src/scenario/services.hh"

namespace wakepath::scenario {

/// The services of a file on the running kernel: threads beside the actors, with the process, the CPU and the
/// scheduling of the worker that starts them. Like the actors they live as long as the process of the run.
class KernelServices {
 public:
  /// `process`: that of the starter. Throws as Services does.
  KernelServices(pid_t process, Worker& starter, const Scenario& scenario);

  /// Each of their threads sleeps in epoll_wait() or on a futex: nothing is left to be done.
  bool quiet() const;
  const std::map<std::string, int>& listeners() const { return services_->listeners(); }
  /// By the names that the kernel knows them by.
  std::map<std::string, pid_t> threads() const;

 private:
  os::LinuxOs os_;
  probe::Probe nobody_;
  std::unique_ptr<Services> services_;
  std::vector<pid_t> threads_;
};

}  // namespace wakepath::scenario
