#include <fmt/format.h>

#include "sim/export/proc.hh"
#include "sim/export/tcp_rows.hh"

namespace wakepath::exports {

namespace {

constexpr std::uint64_t kTickNs = 10'000'000;  // USER_HZ is 100

/// An end as /proc shows it: the address' bytes in network order, read as numbers of this (little-endian) machine.
std::string shown(const RowEnd& end) {
  std::string out;
  for (std::size_t word = 0; word < (end.v6 ? 4 : 1); ++word)
    for (std::size_t byte = 4; byte > 0; --byte) out += fmt::format("{:02X}", end.bytes[4 * word + byte - 1]);
  return out + fmt::format(":{:04X}", end.port);
}

std::string tcp_line(const Reading& reading, const TcpRow& row, std::size_t number) {
  std::string line =
      fmt::format("{:4}: {} {} {:02X} {:08X}:{:08X} {:02X}:{:08X} {:08X} {:5} {:8} ", number, shown(row.local),
                  shown(row.remote), row.state, row.send_queue, row.receive_queue, static_cast<int>(row.timer),
                  row.timer_left_ns / kTickNs, row.retransmits, 0, row.probes);
  line += fmt::format("{} {} {:016x}", row.inode, row.refcnt, row.object->id);
  if (!row.full) return line;
  const trace::Object& sock = *row.object;
  std::uint64_t quick = reading.value(sock, "icsk_ack.quick") << 1 | reading.value(sock, "icsk_ack.pingpong");
  const std::uint64_t ssthresh = reading.value(sock, "snd_ssthresh");
  const std::int64_t told = row.state == kListen ? 0 : ssthresh == 65535 ? -1 : static_cast<std::int64_t>(ssthresh);
  return line + fmt::format(" {} {} {} {} {}", tcp_rto_ns(reading, sock) / kTickNs,
                            reading.value(sock, "icsk_ack.ato") / kTickNs, quick, reading.value(sock, "snd_cwnd"),
                            told);
}

/// The rows of one family; each line is filled up to `width`.
std::string tcp_table(const trace::Trace& trace, const trace::World& world, bool v6, std::string_view head,
                      std::size_t width) {
  Reading reading(trace, world);
  std::string out = fmt::format("{:<{}}\n", head, width);
  std::size_t number = 0;
  for (const TcpRow& row : tcp_rows(reading))
    if (row.local.v6 == v6) out += fmt::format("{:<{}}\n", tcp_line(reading, row, number++), width);
  return out;
}

std::string udp_table(const trace::Trace& trace, const trace::World& world, bool v6, std::string_view head,
                      std::size_t width) {
  Reading reading(trace, world);
  std::string out = fmt::format("{:<{}}\n", head, width);
  for (const trace::Object* sock : reading.living("udp_sock")) {
    RowEnd local = local_end(reading, *sock);
    if (local.port == 0 || local.v6 != v6) continue;  // not in the hash table, or in the other view
    const trace::Object* socket = reading.target(*sock, "sk_socket");
    std::int64_t unread = reading.number(*sock, "sk_rmem_alloc") - reading.number(*sock, "forward_deficit");
    std::string line = fmt::format(
        "{:5}: {} {} {:02X} {:08X}:{:08X} {:02X}:{:08X} {:08X} {:5} {:8} {} {} {:016x} {}", local.port, shown(local),
        shown(remote_end(reading, *sock)), reading.value(*sock, "skc_state"), reading.value(*sock, "sk_wmem_alloc"),
        unread, 0, 0, 0, 0, 0, socket != nullptr ? reading.value(*socket, "i_ino") : 0,
        reading.number(*sock, "skc_refcnt"), sock->id, reading.value(*sock, "inet.sk.sk_drops"));
    out += fmt::format("{:<{}}\n", line, width);
  }
  return out;
}

}  // namespace

std::string proc_net_tcp(const trace::Trace& trace, const trace::World& world) {
  constexpr std::size_t kWidth = 149;  // TMPSZ - 1
  return tcp_table(trace, world, false,
                   "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
                   kWidth);
}

std::string proc_net_tcp6(const trace::Trace& trace, const trace::World& world) {
  return tcp_table(trace, world, true,
                   "  sl  local_address                         remote_address                        st tx_queue "
                   "rx_queue tr tm->when retrnsmt   uid  timeout inode",
                   0);
}

std::string proc_net_udp(const trace::Trace& trace, const trace::World& world) {
  constexpr std::size_t kWidth = 127;
  return udp_table(trace, world, false,
                   "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode "
                   "ref pointer drops",
                   kWidth);
}

std::string proc_net_udp6(const trace::Trace& trace, const trace::World& world) {
  return udp_table(trace, world, true,
                   "  sl  local_address                         remote_address                        st tx_queue "
                   "rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops",
                   0);
}

}  // namespace wakepath::exports
