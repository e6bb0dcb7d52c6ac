#include "sim/export/readiness.hh"

#include <array>
#include <utility>

#include "sim/export/tcp_rows.hh"

namespace wakepath::exports {

using trace::Object;

std::string event_names(std::uint32_t events) {
  static constexpr std::array<std::pair<std::uint32_t, std::string_view>, 10> kNames = {{{kIn, "EPOLLIN"},
                                                                                         {kPri, "EPOLLPRI"},
                                                                                         {kOut, "EPOLLOUT"},
                                                                                         {kErr, "EPOLLERR"},
                                                                                         {kHup, "EPOLLHUP"},
                                                                                         {kRdHup, "EPOLLRDHUP"},
                                                                                         {kExclusive, "EPOLLEXCLUSIVE"},
                                                                                         {kWakeUp, "EPOLLWAKEUP"},
                                                                                         {kOneShot, "EPOLLONESHOT"},
                                                                                         {kEdge, "EPOLLET"}}};
  std::string out;
  for (const auto& [bit, name] : kNames)
    if ((events & bit) != 0) out += (out.empty() ? "" : "|") + std::string(name);
  return out.empty() ? "0" : out;
}

std::uint32_t by_first_names(std::uint32_t events) {
  constexpr std::uint32_t kRdNorm = 0x40, kWrNorm = 0x100;
  return events | ((events & kRdNorm) != 0 ? kIn : 0) | ((events & kWrNorm) != 0 ? kOut : 0);
}

const Object* sock_of(const Reading& reading, const Object* file) {
  const Object* socket = file == nullptr ? nullptr : reading.target(*file, "private_data");
  return socket != nullptr && reading.has(*socket, "sk") ? reading.target(*socket, "sk") : nullptr;
}

bool is_stream(const Reading& reading, const Object& sock) {
  constexpr std::uint64_t kStream = 1;  // SOCK_STREAM
  return reading.is(&sock, "tcp_sock") || reading.value(sock, "sk_type") == kStream;
}

std::uint32_t unread(const Reading& reading, const Object& sock) {
  return static_cast<std::uint32_t>(reading.value(sock, "rcv_nxt") - reading.value(sock, "copied_seq"));
}

namespace {

std::uint32_t tcp_events(const Reading& reading, const Object& sock) {
  std::uint64_t state = reading.value(sock, "skc_state");
  if (state == kListen) return reading.list(sock, "rskq_accept_head").empty() ? 0 : kIn;
  std::uint64_t shut = reading.value(sock, "sk_shutdown");
  std::uint32_t events = 0;
  if (shut == 3 || state == kClose) events |= kHup;
  if ((shut & 1) != 0) events |= kIn | kRdHup;
  if (state != kSynSent && state != kSynRecv) {
    if (unread(reading, sock) > 0 && unread(reading, sock) >= reading.value(sock, "sk_rcvlowat")) events |= kIn;
    std::int64_t queued = reading.number(sock, "sk_wmem_queued");
    std::int64_t room = reading.number(sock, "sk_sndbuf") - queued;
    if ((shut & 2) != 0 || (room > 0 && room >= queued / 2)) events |= kOut;
  }
  constexpr std::uint64_t kUrgentValid = 0x100;  // TCP_URG_VALID
  if ((reading.value(sock, "urg_data") & kUrgentValid) != 0) events |= kPri;
  if (reading.value(sock, "sk_err") != 0) events |= kErr;
  return events;
}

/// unix_poll() and unix_dgram_poll() of net/unix/af_unix.c.
std::uint32_t unix_events(const Reading& reading, const Object& sock) {
  constexpr std::uint64_t kDatagram = 2;  // SOCK_DGRAM
  std::uint64_t state = reading.value(sock, "skc_state");
  std::uint64_t shut = reading.value(sock, "sk_shutdown");
  bool connects = reading.value(sock, "sk_type") != kDatagram;
  std::uint32_t events = shut == 3 || (connects && state == kClose) ? kHup : 0;
  if ((shut & 1) != 0) events |= kIn | kRdHup;
  if (!reading.list(sock, "sk_receive_queue.list").empty()) events |= kIn;
  if (reading.value(sock, "oob_skb") != 0) events |= kPri;
  bool room = reading.number(sock, "sk_wmem_alloc") * 4 <= reading.number(sock, "sk_sndbuf");
  if (state != kListen && room && !peer_queue_is_full(reading, sock)) events |= kOut;
  return events | (reading.value(sock, "sk_err") != 0 ? kErr : 0);
}

/// Of sockets of datagrams: datagram_poll() of net/core/datagram.c, and UDP's second queue.
std::uint32_t datagram_events(const Reading& reading, const Object& sock) {
  std::uint64_t shut = reading.value(sock, "sk_shutdown");
  std::uint32_t events = shut == 3 ? kHup : 0;
  if ((shut & 1) != 0) events |= kIn | kRdHup;
  if (!reading.list(sock, "sk_receive_queue.list").empty() || !reading.list(sock, "reader_queue.list").empty())
    events |= kIn;
  if (reading.number(sock, "sk_wmem_alloc") < reading.number(sock, "sk_sndbuf") / 2) events |= kOut;
  return events | (reading.value(sock, "sk_err") != 0 ? kErr : 0);
}

std::uint32_t eventfd_events(const Reading& reading, const Object& context) {
  std::uint64_t count = reading.value(context, "count");
  constexpr std::uint64_t kMost = ~std::uint64_t{0};
  return (count > 0 ? kIn : 0) | (count == kMost ? kErr : 0) | (count < kMost - 1 ? kOut : 0);
}

std::uint32_t pipe_events(const Reading& reading, const Object& file, const Object& pipe) {
  bool writer = (reading.value(file, "f_flags") & 1) != 0;
  if (writer)
    return (reading.value(pipe, "bytes") < 65536 ? kOut : 0) | (reading.value(pipe, "readers") == 0 ? kErr : 0);
  return (reading.value(pipe, "bytes") > 0 ? kIn : 0) | (reading.value(pipe, "writers") == 0 ? kHup : 0);
}

}  // namespace

bool peer_queue_is_full(const Reading& reading, const Object& sock) {
  constexpr std::uint64_t kStream = 1;  // SOCK_STREAM: unix_poll() does not ask
  const Object* peer = reading.target(sock, "peer");
  if (peer == nullptr || reading.value(sock, "sk_type") == kStream) return false;
  const Object* back = reading.target(*peer, "peer");
  bool mutual = back != nullptr && back->id == sock.id;
  return !mutual && reading.list(*peer, "sk_receive_queue.list").size() > reading.value(*peer, "sk_max_ack_backlog");
}

std::optional<std::uint32_t> events_there(const Reading& reading, const Object& file, const Object* asker) {
  const Object* sock = sock_of(reading, &file);
  if (reading.is(sock, "tcp_sock")) return tcp_events(reading, *sock);
  if (reading.is(sock, "udp_sock")) return datagram_events(reading, *sock);
  if (reading.is(sock, "unix_sock")) return unix_events(reading, *sock);
  const Object* data = reading.target(file, "private_data");
  if (reading.is(data, "eventfd_ctx")) return eventfd_events(reading, *data);
  if (reading.is(data, "timerfd_ctx")) return reading.value(*data, "ticks") > 0 ? kIn : 0;
  if (reading.is(data, "signalfd_ctx")) {
    std::uint64_t pending = asker == nullptr ? 0 : reading.value(*asker, "pending.signal");
    return (pending & reading.value(*data, "sigmask")) != 0 ? kIn : 0;
  }
  if (reading.is(data, "pipe_inode_info")) return pipe_events(reading, file, *data);
  if (reading.is(data, "eventpoll")) return reading.list(*data, "rdllist").empty() ? 0 : kIn;
  return std::nullopt;
}

}  // namespace wakepath::exports
