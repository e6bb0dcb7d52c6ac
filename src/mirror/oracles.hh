#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>

#include "sim/kernel/kernel.hh"
#include "src/mirror/peers.hh"

/// What the running kernel shows of itself without privileges, against the same in the model: the interest list of an
/// epoll (/proc/self/fdinfo, proc(5)) and a TCP socket's state and queues (NETLINK_SOCK_DIAG, sock_diag(7)).

namespace wakepath::mirror {

/// One registration: descriptor, events, data.
using Watched = std::tuple<int, uint32_t, uint64_t>;
/// Empty when it cannot be read.
std::optional<std::set<Watched>> interest_list(int epfd);

/// sock_diag's answer for one socket. Listeners: rqueue is the accept queue's length, wqueue its limit.
struct SocketReading {
  kernel::TcpState state = kernel::TcpState::CLOSE;  ///< CLOSE: there is no such socket
  uint32_t rqueue = 0;
  uint32_t wqueue = 0;
  bool operator==(const SocketReading&) const = default;
};

/// What came of one reading.
struct Finding {
  enum class Kind { kAgrees, kUnchecked, kDiffers } kind = Kind::kAgrees;
  std::string on_what;  ///< reason, or what differs
  int64_t model = 0;
  int64_t kernel = 0;
};

/// Reads and compares. Used with the log's gate held, so that no call of this process that cannot sleep comes in
/// between; peers outside do what they like, so every reading is made twice and counts only when both are the same.
class Oracles {
 public:
  Oracles(Peers& peers, const std::map<int, std::string>& foreign);
  ~Oracles();
  Oracles(const Oracles&) = delete;
  Oracles& operator=(const Oracles&) = delete;

  /// A reading about one descriptor; nothing when there is no oracle for it. `busy`: a call that may have happened
  /// already is under way on it.
  std::optional<Finding> consult(const kernel::task_struct* task, int fd, bool busy);

 private:
  std::optional<SocketReading> ask(kernel::Address local, kernel::Address remote);
  Finding consult_epoll(const kernel::eventpoll* ep, int epfd);
  Finding consult_listener(const kernel::sock* sk, int fd);
  Finding consult_connection(const kernel::sock* sk, int fd, bool busy);

  Peers& peers_;
  const std::map<int, std::string>& foreign_;
  int netlink_ = -1;
};

}  // namespace wakepath::mirror
