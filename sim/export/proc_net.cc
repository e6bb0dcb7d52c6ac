#include <fmt/format.h>

#include "sim/export/proc.hh"
#include "sim/export/tcp_rows.hh"

namespace wakepath::exports {

namespace {

constexpr std::uint64_t kTickNs = 10'000'000;  // USER_HZ is 100

/// An address as /proc shows it: its bytes in network order, read as a number of this (little-endian) machine.
std::uint32_t swapped(std::uint32_t ip) { return ip >> 24 | (ip >> 8 & 0xff00) | (ip << 8 & 0xff0000) | ip << 24; }

std::string tcp_line(const Reading& reading, const TcpRow& row, std::size_t number) {
  std::string line = fmt::format(
      "{:4}: {:08X}:{:04X} {:08X}:{:04X} {:02X} {:08X}:{:08X} {:02X}:{:08X} {:08X} {:5} {:8} ", number,
      swapped(row.local), row.local_port, swapped(row.remote), row.remote_port, row.state, row.send_queue,
      row.receive_queue, static_cast<int>(row.timer), row.timer_left_ns / kTickNs, row.retransmits, 0, row.probes);
  line += fmt::format("{} {} {:016x}", row.inode, row.refcnt, row.object->id);
  if (!row.full) return line;
  const trace::Object& sock = *row.object;
  std::uint64_t quick = reading.value(sock, "icsk_ack.quick") << 1 | reading.value(sock, "icsk_ack.pingpong");
  return line + fmt::format(" {} {} {} {} {}", tcp_rto_ns(reading, sock) / kTickNs,
                            reading.value(sock, "icsk_ack.ato") / kTickNs, quick, 10, row.state == kListen ? 0 : -1);
}

}  // namespace

std::string proc_net_tcp(const trace::Trace& trace, const trace::World& world) {
  constexpr std::size_t kWidth = 149;  // TMPSZ - 1: each line is filled up to it
  Reading reading(trace, world);
  std::string out = fmt::format("{:<{}}\n",
                                "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  "
                                "timeout inode",
                                kWidth);
  std::size_t number = 0;
  for (const TcpRow& row : tcp_rows(reading)) out += fmt::format("{:<{}}\n", tcp_line(reading, row, number++), kWidth);
  return out;
}

std::string proc_net_udp(const trace::Trace& trace, const trace::World& world) {
  constexpr std::size_t kWidth = 127;
  Reading reading(trace, world);
  std::string out = fmt::format("{:<{}}\n",
                                "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  "
                                "timeout inode ref pointer drops",
                                kWidth);
  for (const trace::Object* sock : reading.living("udp_sock")) {
    auto port = reading.value(*sock, "skc_num");
    if (port == 0) continue;  // not in the hash table
    const trace::Object* socket = reading.target(*sock, "sk_socket");
    auto ip = [&](std::string_view field) { return swapped(static_cast<std::uint32_t>(reading.value(*sock, field))); };
    std::int64_t unread = reading.number(*sock, "sk_rmem_alloc") - reading.number(*sock, "forward_deficit");
    std::string line = fmt::format(
        "{:5}: {:08X}:{:04X} {:08X}:{:04X} {:02X} {:08X}:{:08X} {:02X}:{:08X} {:08X} {:5} {:8} {} {} {:016x} {}", port,
        ip("skc_rcv_saddr"), port, ip("skc_daddr"), reading.value(*sock, "skc_dport"),
        reading.value(*sock, "skc_state"), reading.value(*sock, "sk_wmem_alloc"), unread, 0, 0, 0, 0, 0,
        socket != nullptr ? reading.value(*socket, "i_ino") : 0, reading.number(*sock, "skc_refcnt"), sock->id, 0);
    out += fmt::format("{:<{}}\n", line, kWidth);
  }
  return out;
}

}  // namespace wakepath::exports
