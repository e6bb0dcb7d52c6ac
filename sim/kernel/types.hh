#pragma once

// Numbers and names that user space sees (errno, EPOLLIN, O_NONBLOCK, …) are those of the C library's headers; here are
// the kernel's own enumerations, with the words by which a trace prints them.

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <vector>

#include "sim/record/field.hh"

namespace wakepath::kernel {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;

/// `__poll_t`: EPOLLIN and its like.
enum poll_t : u32 { POLL_NONE = 0 };
constexpr poll_t operator|(poll_t a, u32 b) { return static_cast<poll_t>(static_cast<u32>(a) | b); }

/// include/net/tcp_states.h; NEW_SYN_RECV is the state of a request_sock.
enum class TcpState : u8 {
  NONE = 0,
  ESTABLISHED = 1,
  SYN_SENT,
  SYN_RECV,
  FIN_WAIT1,
  FIN_WAIT2,
  TIME_WAIT,
  CLOSE,
  CLOSE_WAIT,
  LAST_ACK,
  LISTEN,
  CLOSING,
  NEW_SYN_RECV
};

/// include/uapi/linux/net.h
enum class SocketState : u8 { SS_FREE = 0, SS_UNCONNECTED, SS_CONNECTING, SS_CONNECTED, SS_DISCONNECTING };

/// include/linux/sched.h
enum class TaskState : u32 { TASK_RUNNING = 0, TASK_INTERRUPTIBLE = 1, TASK_DEAD = 0x80, TASK_WAKING = 0x200 };

/// include/linux/wait.h
enum wq_flags : u32 { WQ_FLAG_NONE = 0, WQ_FLAG_EXCLUSIVE = 1, WQ_FLAG_WOKEN = 2 };

/// f_flags of struct file, as fcntl(2) F_GETFL gives them.
enum file_flags : u16 { FILE_FLAGS_NONE = 0 };

/// sk_shutdown, include/net/sock.h
enum shutdown_mask : u8 { SHUTDOWN_NONE = 0, RCV_SHUTDOWN = 1, SEND_SHUTDOWN = 2, SHUTDOWN_MASK = 3 };

/// The bits of sk_flags that are modelled (enum sock_flags).
enum sock_flags : u32 {
  SOCK_FLAGS_NONE = 0,
  SOCK_DEAD_BIT = 1,
  SOCK_DONE_BIT = 2,
  SOCK_LINGER_BIT = 4,
  SOCK_BROADCAST_BIT = 8,
  SOCK_URGINLINE_BIT = 16,
  SOCK_KEEPOPEN_BIT = 32
};

/// Flags of a TCP header (RFC 9293, section 3.1).
enum tcp_flags : u8 {
  TCPHDR_NONE = 0,
  TCPHDR_FIN = 1,
  TCPHDR_SYN = 2,
  TCPHDR_RST = 4,
  TCPHDR_PSH = 8,
  TCPHDR_ACK = 16,
  TCPHDR_URG = 32
};

/// tp->nonagle, include/net/tcp.h
enum nagle_flags : u8 {
  TCP_NAGLE_ON = 0,
  TCP_NAGLE_OFF = 1,   ///< TCP_NODELAY
  TCP_NAGLE_CORK = 2,  ///< TCP_CORK, MSG_MORE
  TCP_NAGLE_PUSH = 4   ///< Cork is overridden for what is queued now.
};

/// tp->urg_data: one byte of data, or what is known of it.
enum urgent_data : u16 {
  TCP_URG_NONE = 0,
  TCP_URG_VALID = 0x100,   ///< The low byte is the urgent one.
  TCP_URG_NOTYET = 0x200,  ///< Announced, not here.
  TCP_URG_READ = 0x400
};

/// tcp_skb_cb.sacked, include/net/tcp.h
enum skb_sacked : u8 {
  TCPCB_NONE = 0,
  TCPCB_SACKED_ACKED = 1,
  TCPCB_SACKED_RETRANS = 2,
  TCPCB_LOST = 4,
  TCPCB_EVER_RETRANS = 0x80
};

/// icsk_ca_state, include/net/tcp.h
enum class ca_state : u8 { TCP_CA_Open = 0, TCP_CA_Disorder, TCP_CA_CWR, TCP_CA_Recovery, TCP_CA_Loss };

/// icsk_ack.pending, include/net/inet_connection_sock.h
enum ack_pending : u8 {
  ICSK_ACK_NONE = 0,
  ICSK_ACK_SCHED = 1,
  ICSK_ACK_TIMER = 2,
  ICSK_ACK_PUSHED = 4,
  ICSK_ACK_PUSHED2 = 8,
  ICSK_ACK_NOW = 16,
  ICSK_ACK_NOMEM = 32  ///< There was no room: the window is taken back.
};

/// sigset_t: bit N - 1 is signal N.
enum signal_set : u32 { NO_SIGNALS = 0 };

/// include/uapi/linux/eventfd.h
enum eventfd_flags : u32 { EVENTFD_NO_FLAGS = 0 };

/// An IPv6 address: the id of its text in the trace's table of strings, by which equal addresses are equal numbers
/// (in6_make(), in6_bytes()). 0 is "::".
struct In6 {
  u32 value = 0;
  static constexpr u32 kMapped = 0x80000000;  ///< Set when it is ::ffff:a.b.c.d.
  [[nodiscard]] bool any() const { return value == 0; }
  [[nodiscard]] bool v4mapped() const { return (value & kMapped) != 0; }
  friend bool operator==(const In6&, const In6&) = default;
};

constexpr u64 kNsPerMs = 1'000'000;

}  // namespace wakepath::kernel

namespace wakepath::record {

template <>
struct FieldTraits<kernel::In6> : NoDetail<kernel::In6> {
  static constexpr trace::FieldType kType = trace::FieldType::kString;
  static std::uint64_t encode(const Recorder&, kernel::In6 value) { return value.value & ~kernel::In6::kMapped; }
};

template <>
struct EnumWords<kernel::poll_t> {
  static constexpr const char* kName = "__poll_t";
  static constexpr bool kFlags = true;
  static std::vector<trace::Enumeration::Value> values();
};
template <>
struct EnumWords<kernel::TcpState> {
  static constexpr const char* kName = "tcp_state";
  static constexpr bool kFlags = false;
  static std::vector<trace::Enumeration::Value> values();
};
template <>
struct EnumWords<kernel::SocketState> {
  static constexpr const char* kName = "socket_state";
  static constexpr bool kFlags = false;
  static std::vector<trace::Enumeration::Value> values();
};
template <>
struct EnumWords<kernel::TaskState> {
  static constexpr const char* kName = "task_state";
  static constexpr bool kFlags = false;
  static std::vector<trace::Enumeration::Value> values();
};
template <>
struct EnumWords<kernel::wq_flags> {
  static constexpr const char* kName = "wq_flags";
  static constexpr bool kFlags = true;
  static std::vector<trace::Enumeration::Value> values();
};
template <>
struct EnumWords<kernel::file_flags> {
  static constexpr const char* kName = "file_flags";
  static constexpr bool kFlags = true;
  static std::vector<trace::Enumeration::Value> values();
};
template <>
struct EnumWords<kernel::shutdown_mask> {
  static constexpr const char* kName = "sk_shutdown";
  static constexpr bool kFlags = true;
  static std::vector<trace::Enumeration::Value> values();
};
template <>
struct EnumWords<kernel::sock_flags> {
  static constexpr const char* kName = "sk_flags";
  static constexpr bool kFlags = true;
  static std::vector<trace::Enumeration::Value> values();
};
template <>
struct EnumWords<kernel::tcp_flags> {
  static constexpr const char* kName = "tcp_flags";
  static constexpr bool kFlags = true;
  static std::vector<trace::Enumeration::Value> values();
};
template <>
struct EnumWords<kernel::signal_set> {
  static constexpr const char* kName = "sigset_t";
  static constexpr bool kFlags = true;
  static std::vector<trace::Enumeration::Value> values();
};
template <>
struct EnumWords<kernel::eventfd_flags> {
  static constexpr const char* kName = "eventfd_flags";
  static constexpr bool kFlags = true;
  static std::vector<trace::Enumeration::Value> values();
};
template <>
struct EnumWords<kernel::ack_pending> {
  static constexpr const char* kName = "icsk_ack.pending";
  static constexpr bool kFlags = true;
  static std::vector<trace::Enumeration::Value> values();
};
template <>
struct EnumWords<kernel::nagle_flags> {
  static constexpr const char* kName = "nonagle";
  static constexpr bool kFlags = true;
  static std::vector<trace::Enumeration::Value> values();
};
template <>
struct EnumWords<kernel::urgent_data> {
  static constexpr const char* kName = "urg_data";
  static constexpr bool kFlags = true;
  static std::vector<trace::Enumeration::Value> values();
};
template <>
struct EnumWords<kernel::skb_sacked> {
  static constexpr const char* kName = "sacked";
  static constexpr bool kFlags = true;
  static std::vector<trace::Enumeration::Value> values();
};
template <>
struct EnumWords<kernel::ca_state> {
  static constexpr const char* kName = "icsk_ca_state";
  static constexpr bool kFlags = false;
  static std::vector<trace::Enumeration::Value> values();
};

}  // namespace wakepath::record
