#pragma once

#include <sys/types.h>

#include <cstddef>
#include <vector>

namespace wakepath::bench {

/// The work on the running kernel: an epoll server and its client in one thread, on real loopback sockets. Failures
/// (no descriptors, no ports) are thrown as std::runtime_error with what failed.
class KernelLoad {
 public:
  /// `open` connections are established and stay idle meanwhile, their server ends in the server's epoll. Their client
  /// ends live in a child process, as both would not fit into the usual descriptor limit.
  explicit KernelLoad(std::size_t open);
  ~KernelLoad();
  KernelLoad(const KernelLoad&) = delete;
  KernelLoad& operator=(const KernelLoad&) = delete;

  /// So many connections one after the other: connect, accept, 64 bytes there and back, close of both ends.
  void connections(std::size_t count);

 private:
  void listen_on_several_addresses();
  void start_holder(std::size_t open);
  void converse(std::size_t number);

  std::vector<int> listeners_;
  std::vector<unsigned short> ports_;
  std::vector<int> idle_;
  int server_epoll_ = -1;
  int client_epoll_ = -1;
  int holder_pipe_ = -1;
  pid_t holder_ = -1;
};

}  // namespace wakepath::bench
