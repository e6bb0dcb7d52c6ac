#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string_view>

#include "src/bench/server/latencies.hh"
#include "src/bench/server/load.hh"

// Of the load process alone: connections, and what is done with them. Functions that fail throw std::runtime_error.

namespace wakepath::bench {

int64_t now_ns();

/// A socket of family IPv4, bound to one of many addresses of this machine and to no port yet.
int client_socket(int flags);

/// One connection. Its messages carry its number and their own, so that a wrong answer is seen.
class Client {
 public:
  Client(uint32_t number, int fd) : number_(number), fd_(fd) {}
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] uint32_t number() const { return number_; }
  /// Sends so many messages, in one call.
  void send(uint32_t count);
  /// Reads what is there and compares it. Returns how many answers are complete by it. Throws at the end of a stream.
  uint32_t receive();
  [[nodiscard]] uint64_t sent() const { return sent_; }
  [[nodiscard]] uint64_t answered() const { return received_ / kMessageBytes; }
  [[nodiscard]] uint64_t wrong() const { return wrong_; }

  int64_t sent_ns = 0;  ///< for whoever measures

 private:
  void check(std::string_view bytes);

  uint32_t number_;
  int fd_;
  uint64_t sent_ = 0;      // messages
  uint64_t received_ = 0;  // bytes
  uint64_t wrong_ = 0;
};

/// The open connections.
class Clients {
 public:
  Clients(uint16_t port, std::size_t count);

  std::deque<Client>& all() { return clients_; }
  [[nodiscard]] uint64_t wrong() const;

 private:
  std::deque<Client> clients_;
};

Outcome run_echo(Clients& clients, const Task& task);
Outcome run_paced(Clients& clients, const Task& task);
Outcome run_sequential(uint16_t port, const Task& task);
Outcome run_concurrent(uint16_t port, const Task& task);
Outcome run_flood(uint16_t port, const Task& task);
Outcome run_never_read(uint16_t port, const Task& task);

/// A connected socket. `flags` of socket(2).
int connected_socket(uint16_t port, int flags);
/// Whether it is connected; a non-blocking one may still be on its way.
bool connect_to(int fd, uint16_t port);

/// No answer for so long is a failure of the server.
inline constexpr int kPatienceMs = 10'000;

}  // namespace wakepath::bench
