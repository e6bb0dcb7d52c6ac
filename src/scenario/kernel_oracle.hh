#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace wakepath::scenario {

/// One TCP socket as the kernel tells about it.
struct TcpSocket {
  int family = 0;
  int state = 0;              ///< include/net/tcp_states.h
  std::string local, remote;  ///< address and port in network order
  uint16_t local_port = 0, remote_port = 0;
  uint64_t inode = 0;          ///< 0: no descriptor leads to it
  uint32_t receive_queue = 0;  ///< of a listener: sk_ack_backlog
  uint32_t send_queue = 0;     ///< write_seq - snd_una; of a listener: sk_max_ack_backlog
  int timer = 0;               ///< 1 retransmit, 2 keepalive, 3 TIME_WAIT, 4 zero-window probe
};

/// A socket of AF_UNIX as the kernel's diagnostics report it.
struct UnixSocket {
  int state = 0;
  uint32_t receive_queue = 0;  ///< of a listener: connections to accept
  uint32_t send_queue = 0;     ///< of a listener: its backlog
};

/// Reads all TCP sockets of the network namespace of the calling thread through NETLINK_SOCK_DIAG (sock_diag(7)).
class SockDiag {
 public:
  SockDiag();
  ~SockDiag();
  SockDiag(const SockDiag&) = delete;
  SockDiag& operator=(const SockDiag&) = delete;
  /// The socket of AF_UNIX with that inode number, if it is one.
  std::optional<UnixSocket> unix_socket(uint64_t inode);
  bool works() const { return works_; }
  std::vector<TcpSocket> sockets();
  /// Those alone that may have data or a FIN under way: ESTABLISHED, FIN_WAIT1, CLOSE_WAIT, LAST_ACK, CLOSING. Cheaper:
  /// listeners and bound sockets stand in tables of their own, which are not walked.
  std::vector<TcpSocket> sending_sockets(bool ipv6);

 private:
  bool dump(int family, uint32_t states, std::vector<TcpSocket>& out);
  int fd_ = -1;
  bool works_ = false;
};

/// The inode of a socket behind a descriptor of a thread; 0 when there is none.
uint64_t socket_inode(pid_t tid, int fd);
/// The inode of any descriptor's file.
std::optional<uint64_t> file_inode(pid_t tid, int fd);
std::vector<int> open_descriptors(pid_t tid);
/// A line of an epoll's fdinfo.
struct EpollItem {
  int fd;
  uint32_t events;
};
/// The interest list of an epoll, from its fdinfo. Nothing when the descriptor is no epoll.
std::optional<std::vector<EpollItem>> epoll_items(pid_t tid, int fd);
/// What is left until a timerfd runs out, from its fdinfo; zero when it is not running. Nothing when it is no timerfd.
std::optional<std::chrono::nanoseconds> timerfd_left(pid_t tid, int fd);

}  // namespace wakepath::scenario
