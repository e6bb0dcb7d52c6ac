#pragma once

#include <cstddef>
#include <memory>

#include "sim/kernel/kernel.hh"

namespace wakepath::bench {

/// The same work as KernelLoad, on the modelled kernel: the same calls in the same order by one task.
class ModelLoad {
 public:
  struct Options {
    bool record = false;
    std::size_t open = 0;  ///< connections that are established and idle meanwhile
  };
  explicit ModelLoad(const Options& options);

  void connections(std::size_t count);
  [[nodiscard]] kernel::Kernel& kernel() { return *kernel_; }

 private:
  void open_idle(std::size_t count);
  void run(kernel::task_struct* task, kernel::MaySleep<long> program);

  std::unique_ptr<kernel::Kernel> kernel_;
  kernel::task_struct* program_ = nullptr;
  kernel::task_struct* holder_ = nullptr;
  int listener_ = -1;
  int server_epoll_ = -1;
  int client_epoll_ = -1;
};

/// So many endpoints, all of them in one epoll set: pairs of connected sockets. Bytes of memory and CPU ns for each.
struct Crowd {
  double bytes_each = 0;
  double ns_each = 0;
};
[[nodiscard]] Crowd measure_crowd(std::size_t endpoints);

}  // namespace wakepath::bench
