#include "sim/export/tcp_rows.hh"

#include <arpa/inet.h>

#include <algorithm>
#include <tuple>

namespace wakepath::exports {

using trace::Object;

namespace {

std::uint64_t left(const Reading& reading, std::uint64_t due) {
  std::uint64_t now = reading.world().now_ns();
  return due > now ? due - now : 0;
}

RowEnd end_of(const Reading& reading, const Object& object, std::string_view v4, std::string_view v6,
              std::string_view port) {
  RowEnd end;
  end.port = static_cast<std::uint16_t>(reading.value(object, port));
  end.v6 = is_v6(reading, object);
  if (end.v6) {
    inet_pton(AF_INET6, std::string(reading.text(object, v6)).c_str(),
              end.bytes.data());  // fails for "", which is "::"
    return end;
  }
  std::uint64_t ip = reading.value(object, v4);
  for (std::size_t i = 0; i < 4; ++i) end.bytes[i] = static_cast<std::uint8_t>(ip >> (24 - 8 * i));
  return end;
}

TcpRow addresses(const Reading& reading, const Object& object) {
  TcpRow row;
  row.object = &object;
  row.state = reading.value(object, "skc_state");
  row.local = local_end(reading, object);
  row.remote = remote_end(reading, object);
  row.refcnt = reading.number(object, "skc_refcnt");
  return row;
}

/// Which timer runs: get_tcp4_sock() looks at icsk_pending, then at sk_timer.
void look_at_timers(const Reading& reading, TcpRow& row) {
  const Object& sock = *row.object;
  if (reading.value(sock, "icsk_pending") != 0) {
    bool probing = reading.value(sock, "packets_out") == 0 && !reading.list(sock, "sk_write_queue.list").empty();
    row.timer = probing ? TcpTimer::kProbe : TcpTimer::kRetransmit;
    row.timer_left_ns = left(reading, reading.value(sock, "icsk_timeout"));
  } else if (reading.value(sock, "sk_timer.expires") != 0) {
    row.timer = TcpTimer::kSocket;
    row.timer_left_ns = left(reading, reading.value(sock, "sk_timer.expires"));
  }
}

TcpRow of_socket(const Reading& reading, const Object& sock) {
  TcpRow row = addresses(reading, sock);
  row.full = true;
  auto difference = [&](std::string_view a, std::string_view b) {
    return static_cast<std::uint32_t>(reading.value(sock, a) - reading.value(sock, b));
  };
  row.send_queue = difference("write_seq", "snd_una");
  auto unread = static_cast<std::int32_t>(difference("rcv_nxt", "copied_seq"));
  row.receive_queue = row.state == kListen ? static_cast<std::uint32_t>(reading.value(sock, "sk_ack_backlog"))
                                           : static_cast<std::uint32_t>(std::max(unread, 0));
  look_at_timers(reading, row);
  row.retransmits = reading.value(sock, "icsk_retransmits");
  row.probes = reading.value(sock, "icsk_probes_out");
  if (const Object* socket = reading.target(sock, "sk_socket")) row.inode = reading.value(*socket, "i_ino");
  return row;
}

}  // namespace

bool is_v6(const Reading& reading, const Object& object) { return reading.value(object, "skc_family") == AF_INET6; }

RowEnd local_end(const Reading& reading, const Object& object) {
  return end_of(reading, object, "skc_rcv_saddr", "skc_v6_rcv_saddr", "skc_num");
}

RowEnd remote_end(const Reading& reading, const Object& object) {
  return end_of(reading, object, "skc_daddr", "skc_v6_daddr", "skc_dport");
}

std::vector<TcpRow> tcp_rows(const Reading& reading) {
  std::vector<TcpRow> out;
  for (const Object* sock : reading.living("tcp_sock"))
    if (std::uint64_t state = reading.value(*sock, "skc_state"); state != kClose && state != 0)
      out.push_back(of_socket(reading, *sock));
  for (const Object* request : reading.living("tcp_request_sock")) {
    if (reading.target(*request, "sk") != nullptr) continue;  // complete: it only waits to be accepted
    TcpRow row = addresses(reading, *request);
    row.state = kSynRecv;
    row.timer = TcpTimer::kRetransmit;
    row.timer_left_ns = left(reading, reading.value(*request, "rsk_timer.expires"));
    row.retransmits = reading.value(*request, "num_timeout");
    out.push_back(row);
  }
  for (const Object* timewait : reading.living("tcp_timewait_sock")) {
    TcpRow row = addresses(reading, *timewait);
    row.state = reading.value(*timewait, "tw_substate");
    row.timer = TcpTimer::kTimewait;
    row.timer_left_ns = left(reading, reading.value(*timewait, "tw_timer.expires"));
    out.push_back(row);
  }
  auto place = [](const TcpRow& row) { return std::tuple(row.local.v6, row.state != kListen, row.object->id); };
  auto earlier = [&](const TcpRow& a, const TcpRow& b) { return place(a) < place(b); };
  std::sort(out.begin(), out.end(), earlier);
  return out;
}

std::uint64_t tcp_rto_ns(const Reading& reading, const Object& sock) {
  if (reading.has(sock, "icsk_rto")) return reading.value(sock, "icsk_rto");
  std::uint64_t state = reading.value(sock, "skc_state");
  std::uint64_t tries = reading.value(sock, "icsk_retransmits");
  if (state == kListen) return 1000 * kMs;  // TCP_TIMEOUT_INIT
  if (state == kSynSent) {                  // the first four are sent a second apart (tcp_syn_linear_timeouts)
    constexpr std::uint64_t kLinear = 4;
    return (1000 * kMs) << (tries > kLinear ? tries - kLinear : 0);
  }
  return std::min<std::uint64_t>((200 * kMs) << std::min<std::uint64_t>(tries, 10), 120'000 * kMs);
}

}  // namespace wakepath::exports
