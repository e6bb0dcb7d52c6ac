#pragma once

#include <string>

#include "sim/syscalls/syscalls.hh"
#include "tests/kernel/events.hh"

/// A modelled kernel with a server and a client, and the steps that most tests begin with.

namespace wakepath::testing_kernel {

constexpr kernel::u32 kLocalhost = 0x7F000001;
constexpr kernel::u16 kPort = 47011;
constexpr long kBlocked = -9999;  ///< The call sleeps.

class Machine {
 public:
  explicit Machine(const kernel::Config& config = {}) : k(config) {}

  kernel::user_epoll_event events[8] = {};  // outlives the kernel, whose sleeping calls write here
  char buffer[64] = {};
  kernel::Address address;
  kernel::Kernel k;
  kernel::task_struct* server = k.spawn_process("server");
  kernel::task_struct* client = k.spawn_process("client");

  /// Starts a call and runs until all is quiet. Its result, or kBlocked. `last` is then what was recorded.
  long call(kernel::task_struct* task, kernel::MaySleep<long> what);
  /// Time passes; `last` is what happened meanwhile.
  void wait_ms(kernel::u64 ms);
  /// The events of the last call or wait.
  [[nodiscard]] Events seen() const { return events_of(*k.trace(), last); }

  /// Listener (descriptor 3 of the server) on kPort.
  void listen(int backlog = 8);
  /// An epoll (descriptor 4 of the server) that watches the listener.
  void watch_listener();
  /// A client socket (descriptor 3 of the client) is connected. `flags`: SOCK_NONBLOCK or 0.
  long connect(int flags = 0);
  /// accept4 with SOCK_NONBLOCK. The descriptor.
  long accept();
  long epoll_wait(int timeout_ms);
  long send(kernel::task_struct* task, int fd, const std::string& data);
  long recv(kernel::task_struct* task, int fd, std::size_t size = 64, int flags = 0);

  Stretch last;
};

}  // namespace wakepath::testing_kernel
