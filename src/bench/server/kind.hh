#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>
#include <vector>

namespace wakepath::bench {

/// What a server process lets others see of itself, in memory that they share.
struct Shared {
  std::atomic<uint64_t> calls{0};  ///< system calls, when they are counted
  std::atomic<uint64_t> mirror_checked{0}, mirror_lost{0}, mirror_divergences{0};  ///< when it has ended
  char first_divergence[512] = {};                                                 ///< the same, in words
};

enum class Mirroring : uint8_t { off, ring, on };

/// How a server process is to work.
struct Seat {
  Shared* shared = nullptr;
  int ready_fd = -1;  ///< tell() writes there
  int stop_fd = -1;   ///< a byte comes when the process is to end in order; most are simply killed
  bool count_calls = false;
  Mirroring mirroring = Mirroring::off;

  /// Says that clients may connect to that port of 127.0.0.1.
  void tell(uint16_t port) const;
};

/// One of the servers that are compared: each sends back what it receives.
struct Kind {
  std::string_view name;
  std::string_view words;
  void (*serve)(const Seat&) = nullptr;  ///< until it is killed; null: its library was not there when this was built
  std::string_view package;              ///< of Debian, when it needs one
  bool ours = false;                     ///< counts its system calls
};

/// In the order of the tables; the first is what the others are measured by.
const std::vector<Kind>& all_kinds();

/// A listening socket on a free port of 127.0.0.1, non-blocking, whose connections have TCP_NODELAY. Throws
/// std::runtime_error.
int listening_socket(uint16_t& port);

void serve_raw(const Seat& seat);
void serve_libevent(const Seat& seat);
void serve_libuv(const Seat& seat);
void serve_asio(const Seat& seat);
void serve_echo(const Seat& seat);       ///< the socket-server's poll loop alone, which answers itself
void serve_service(const Seat& seat);    ///< a service of C++ behind queue and workers
void serve_workers(const Seat& seat);    ///< the same service, always handed over to a worker
void serve_lua(const Seat& seat);        ///< a script, one function for all messages
void serve_coroutine(const Seat& seat);  ///< a script, a coroutine a connection

}  // namespace wakepath::bench
