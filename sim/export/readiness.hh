#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sim/export/reading.hh"

namespace wakepath::exports {

/// EPOLLIN and its like (include/uapi/linux/eventpoll.h), as far as explanations name them.
constexpr std::uint32_t kIn = 0x1;
constexpr std::uint32_t kPri = 0x2;
constexpr std::uint32_t kOut = 0x4;
constexpr std::uint32_t kErr = 0x8;
constexpr std::uint32_t kHup = 0x10;
constexpr std::uint32_t kRdHup = 0x2000;
constexpr std::uint32_t kExclusive = 1u << 28;
constexpr std::uint32_t kWakeUp = 1u << 29;
constexpr std::uint32_t kOneShot = 1u << 30;
constexpr std::uint32_t kEdge = 1u << 31;
constexpr std::uint32_t kModeBits = kExclusive | kWakeUp | kOneShot | kEdge;
/// "EPOLLIN|EPOLLRDHUP"; "0" for none. Bits without a name above are left out.
[[nodiscard]] std::string event_names(std::uint32_t events);

/// What poll() of a file would give, read off a world: which events are there.
/// Nothing for kinds of files that this does not know. Follows tcp_poll(), datagram_poll(), unix_poll(),
/// unix_dgram_poll(), pipe_poll(), eventfd_poll(), timerfd_poll(), signalfd_poll(), ep_eventpoll_poll().
/// `asker`: the task that would ask: a signalfd has what is pending for that one.
[[nodiscard]] std::optional<std::uint32_t> events_there(const Reading& reading, const trace::Object& file,
                                                        const trace::Object* asker);
/// The same events by their first names: EPOLLRDNORM comes with EPOLLIN, EPOLLWRNORM with EPOLLOUT.
[[nodiscard]] std::uint32_t by_first_names(std::uint32_t events);

/// AF_UNIX, datagrams: whether the socket that it sends to listens to others, too, and its queue is full.
[[nodiscard]] bool peer_queue_is_full(const Reading& reading, const trace::Object& sock);

/// The protocol half behind a socket's file; nullptr when it is no socket.
[[nodiscard]] const trace::Object* sock_of(const Reading& reading, const trace::Object* file);
/// Whether what comes to a socket is bytes without borders, not messages.
[[nodiscard]] bool is_stream(const Reading& reading, const trace::Object& sock);
/// Bytes that came and were not read (a FIN counts as one, as in rcv_nxt).
[[nodiscard]] std::uint32_t unread(const Reading& reading, const trace::Object& sock);

}  // namespace wakepath::exports
