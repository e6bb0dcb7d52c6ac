#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "sim/export/proc.hh"
#include "sim/export/tcp_rows.hh"

namespace wakepath::exports {

using trace::Object;

namespace {

std::string_view state_name(std::uint64_t state) {
  static constexpr std::array<std::string_view, 12> kNames = {"UNKNOWN",    "ESTAB",      "SYN-SENT",  "SYN-RECV",
                                                              "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT", "UNCONN",
                                                              "CLOSE-WAIT", "LAST-ACK",   "LISTEN",    "CLOSING"};
  return state < kNames.size() ? kNames[state] : kNames[0];
}

/// inet_addr_print(): "*" is any address of both families.
std::string address(const RowEnd& end, bool v6only) {
  if (end.v6 && end.any()) return v6only ? "[::]" : "*";
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(end.v6 ? AF_INET6 : AF_INET, end.bytes.data(), text, sizeof text);
  return end.v6 ? fmt::format("[{}]", text) : text;
}

/// Does the connection travel over IPv6? Not when its peer is an IPv4-mapped address.
bool over_v6(const RowEnd& end) {
  constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return end.v6 && !std::equal(kMapped.begin(), kMapped.end(), end.bytes.begin());
}

/// print_ms_timer(): "200ms", "1.200ms", "59sec", "2min10sec".
std::string duration(std::uint64_t ms) {
  std::uint64_t minutes = ms / 60'000;
  std::uint64_t seconds = ms / 1000 % 60;
  ms %= 1000;
  std::string out;
  if (minutes > 0) {
    ms = 0;
    out = fmt::format("{}min", minutes);
    if (minutes > 9) seconds = 0;
  }
  if (seconds > 9) ms = 0;
  if (seconds > 0) out += fmt::format("{}{}", seconds, ms > 0 ? "." : "sec");
  if (ms > 0) out += fmt::format("{:03}ms", ms);
  return out;
}

std::string timer(const TcpRow& row) {
  static constexpr std::array<std::string_view, 5> kNames = {"off", "on", "keepalive", "timewait", "persist"};
  if (row.timer == TcpTimer::kNone) return "";
  bool counts_probes = row.timer == TcpTimer::kProbe || row.timer == TcpTimer::kSocket;  // inet_sk_diag_fill()
  return fmt::format(" timer:({},{},{})", kNames[static_cast<std::size_t>(row.timer)],
                     duration(row.timer_left_ns / kMs), counts_probes ? row.probes : row.retransmits);
}

std::string extended(const Reading& reading, const TcpRow& row) {
  std::string out = timer(row) + fmt::format(" ino:{} sk:{:x}", row.inode, row.object->id);
  if (!row.full) return out;
  // the kernel tells of it while the socket has no connection
  if (row.local.v6 && row.state == kListen)
    out += fmt::format(" v6only:{}", reading.value(*row.object, "skc_ipv6only"));
  std::uint64_t shut = reading.value(*row.object, "sk_shutdown");
  return out + fmt::format(" {}-{}", (shut & 1) != 0 ? '-' : '<', (shut & 2) != 0 ? '-' : '>');
}

constexpr std::uint64_t kTimestamps = 12;  // of every segment's options
constexpr std::uint64_t full_mss(bool v6) { return (v6 ? 65476 : 65495) - kTimestamps; }

/// tp->mss_cache: what a segment carries; before the peer has told its own, what is taken for it.
std::uint64_t send_mss(const Reading& reading, const Object& sock, bool v6) {
  std::uint64_t clamp = reading.value(sock, "rx_opt.mss_clamp");
  if (clamp == 0) {
    std::uint64_t own = reading.value(sock, "rx_opt.user_mss");
    return (own != 0 ? own : v6 ? 1220 : 536) - kTimestamps;
  }
  std::uint64_t mss = std::min(full_mss(v6), clamp - kTimestamps);
  constexpr std::uint64_t kDefault = 536, kLeast = 68 - 20 - kTimestamps;
  std::uint64_t window = reading.value(sock, "max_window");
  std::uint64_t most = window > kDefault ? window / 2 : window;  // tcp_bound_to_half_wnd()
  return most == 0 ? mss : std::min(mss, std::max(most, kLeast));
}

/// How long ago something was that a socket notes in ms from 1 on. Nothing when it never was: the kernel then tells of
/// the time since its own start.
std::string since(const Reading& reading, std::string_view what, std::uint64_t stamp) {
  constexpr std::uint64_t kNever = 0, kLongAgo = 0x8000'0000;
  if (stamp == kNever || stamp == kLongAgo) return "";
  std::uint64_t ms = reading.world().now_ns() / kMs + 1 - stamp;
  return ms != 0 ? fmt::format(" {}:{}", what, ms) : "";
}

std::string internal(const Reading& reading, const TcpRow& row) {
  if (!row.full) return "\t";
  const Object& sock = *row.object;
  if (row.state == kListen)
    return "\t cwnd:10" + (row.receive_queue > 0 ? fmt::format(" unacked:{}", row.receive_queue) : "");
  std::string out = fmt::format("\t rto:{}", tcp_rto_ns(reading, sock) / kMs);
  if (std::uint64_t backoff = reading.value(sock, "icsk_backoff")) out += fmt::format(" backoff:{}", backoff);
  if (std::uint64_t ato = reading.value(sock, "icsk_ack.ato")) out += fmt::format(" ato:{}", ato / kMs);
  // lo's mtu is 65536; timestamps take 12 bytes of each segment once both ends have agreed on them
  bool v6 = over_v6(row.remote);
  std::uint64_t own = reading.value(sock, "rx_opt.user_mss");
  std::uint64_t advmss = (own != 0 ? own - kTimestamps : full_mss(v6)) + (row.state == kSynSent ? kTimestamps : 0);
  out += fmt::format(" mss:{} pmtu:{} rcvmss:{} advmss:{} cwnd:{}", send_mss(reading, sock, v6), v6 ? 65536 : 65535,
                     reading.value(sock, "icsk_ack.rcv_mss"), advmss, reading.value(sock, "snd_cwnd"));
  if (std::uint64_t ssthresh = reading.value(sock, "snd_ssthresh"); ssthresh < 65535)
    out += fmt::format(" ssthresh:{}", ssthresh);
  for (std::string_view counter : {"bytes_sent", "bytes_acked", "bytes_received"})
    if (std::uint64_t bytes = reading.value(sock, counter)) out += fmt::format(" {}:{}", counter, bytes);
  out += since(reading, "lastsnd", reading.value(sock, "lsndtime"));
  out += since(reading, "lastrcv", reading.value(sock, "icsk_ack.lrcvtime"));
  out += since(reading, "lastack", reading.value(sock, "rcv_tstamp"));
  if (std::uint64_t unacked = reading.value(sock, "packets_out")) out += fmt::format(" unacked:{}", unacked);
  auto unsent = static_cast<std::uint32_t>(reading.value(sock, "write_seq") - reading.value(sock, "snd_nxt"));
  if (unsent > 0) out += fmt::format(" notsent:{}", unsent);
  if (std::uint64_t window = reading.value(sock, "snd_wnd")) out += fmt::format(" snd_wnd:{}", window);
  return out;
}

/// One column of ss: what separates it from the one before, and how it is aligned.
struct Column {
  std::string_view head;
  std::string_view delimiter;
  bool right = false;
};
constexpr std::array<Column, 8> kColumns = {{{"State", "", false},
                                             {"Recv-Q", " ", false},
                                             {"Send-Q", " ", false},
                                             {"Local Address:", " ", true},
                                             {"Port", "", false},
                                             {"Peer Address:", " ", true},
                                             {"Port", "", false},
                                             {"Process", "", false}}};
using Cells = std::array<std::string, kColumns.size()>;

Cells cells_of(const Reading& reading, const TcpRow& row, const SsOptions& options) {
  bool listens = row.state == kListen;
  bool v6only = reading.value(*row.object, "skc_ipv6only") != 0;
  std::uint64_t send = listens ? reading.value(*row.object, "sk_max_ack_backlog") : row.send_queue;
  return {std::string(state_name(row.state)),
          fmt::format("{}", row.receive_queue),
          fmt::format("{}", send),
          address(row.local, v6only) + ":",
          fmt::format("{}", row.local.port),
          address(row.remote, v6only) + ":",
          row.remote.port != 0 ? fmt::format("{}", row.remote.port) : "*",
          options.extended ? extended(reading, row) : ""};
}

std::string line_of(const Cells& cells, const std::array<std::size_t, kColumns.size()>& widths) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    line += kColumns[i].delimiter;
    line += kColumns[i].right ? fmt::format("{:>{}}", cells[i], widths[i]) : fmt::format("{:<{}}", cells[i], widths[i]);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

}  // namespace

std::optional<SsOptions> ss_options(std::string_view letters) {
  SsOptions options;
  for (char letter : letters) {
    if (letter == 'l')
      options.listening = true;
    else if (letter == 'a')
      options.all = true;
    else if (letter == 'e')
      options.extended = true;
    else if (letter == 'i')
      options.internal = true;
    else if (letter != 't' && letter != 'n')
      return std::nullopt;
  }
  return options;
}

std::string ss(const trace::Trace& trace, const trace::World& world, const SsOptions& options) {
  Reading reading(trace, world);
  std::vector<TcpRow> rows = tcp_rows(reading);
  std::erase_if(rows, [&](const TcpRow& row) {
    if (row.state == kListen) return !options.listening && !options.all;
    bool asked = options.all || !options.listening;
    // without -a what is not yet, or no longer, a connection is not shown
    bool hidden = !options.all && (row.state == kSynRecv || row.state == kTimeWait);
    return !asked || hidden;
  });
  std::vector<Cells> lines(1);
  for (std::size_t i = 0; i < kColumns.size(); ++i) lines[0][i] = kColumns[i].head;
  for (const TcpRow& row : rows) lines.push_back(cells_of(reading, row, options));
  std::array<std::size_t, kColumns.size()> widths{};
  for (const Cells& cells : lines)
    for (std::size_t i = 0; i < cells.size(); ++i) widths[i] = std::max(widths[i], cells[i].size());
  std::string out = line_of(lines[0], widths);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    out += line_of(lines[i + 1], widths);
    if (options.internal) out += internal(reading, rows[i]) + "\n";
  }
  return out;
}

}  // namespace wakepath::exports
