#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "sim/export/reading.hh"

namespace wakepath::exports {

inline constexpr std::uint64_t kMs = 1'000'000;  ///< nanoseconds of a millisecond

/// enum in include/net/tcp_states.h, as far as a view needs it by number.
enum TcpStateNumber : std::uint64_t {
  kSynSent = 2,
  kSynRecv = 3,
  kTimeWait = 6,
  kClose = 7,
  kListen = 10,
  kNewSynRecv = 12
};

/// The `tr` column of /proc/net/tcp, idiag_timer of sock_diag.
enum class TcpTimer : std::uint8_t { kNone = 0, kRetransmit = 1, kSocket = 2, kTimewait = 3, kProbe = 4 };

/// One end of a connection.
struct RowEnd {
  bool v6 = false;
  std::array<std::uint8_t, 16> bytes{};  ///< network order; of IPv4 the first four
  std::uint16_t port = 0;
  [[nodiscard]] bool any() const { return bytes == decltype(bytes){}; }
};
/// The ends of an object that begins with a sock_common.
[[nodiscard]] RowEnd local_end(const Reading& reading, const trace::Object& object);
[[nodiscard]] RowEnd remote_end(const Reading& reading, const trace::Object& object);
/// Is the object of AF_INET6?
[[nodiscard]] bool is_v6(const Reading& reading, const trace::Object& object);

/// What /proc/net/tcp and sock_diag both tell about one entry of TCP's tables, be it a socket, a request (SYN_RECV) or
/// what is left of a connection (TIME_WAIT).
struct TcpRow {
  const trace::Object* object = nullptr;
  bool full = false;  ///< a socket; else a request or a time-wait socket
  std::uint64_t state = 0;
  RowEnd local, remote;
  std::uint32_t send_queue = 0;     ///< not acknowledged; of a listener 0
  std::uint32_t receive_queue = 0;  ///< not read; of a listener its accept queue
  TcpTimer timer = TcpTimer::kNone;
  std::uint64_t timer_left_ns = 0;
  std::uint64_t retransmits = 0;
  std::uint64_t probes = 0;
  std::uint64_t inode = 0;
  std::int64_t refcnt = 0;
};

/// IPv4, then IPv6; listeners first, then the others; each in the order in which they were made.
[[nodiscard]] std::vector<TcpRow> tcp_rows(const Reading& reading);

/// icsk_rto. The model's retransmission timeout is the least there is, doubled at each try (sim/kernel/tcp_timer.cc).
[[nodiscard]] std::uint64_t tcp_rto_ns(const Reading& reading, const trace::Object& sock);

}  // namespace wakepath::exports
