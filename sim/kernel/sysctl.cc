// Models: the tables of net/ipv4/sysctl_net_ipv4.c and net/core/sysctl_net_core.c, and two of fs, Linux 6.18: those
// that a path of the model reads, under their names. Left out: the bounds that the kernel puts on a value; a scenario
// runs on both, and a value that the running kernel refuses ends it there.

#include <sstream>
#include <stdexcept>

#include "sim/kernel/kernel.hh"

namespace wakepath::kernel {

namespace {

template <class T>
struct Entry {
  const char* name;
  T Config::*member;
};

constexpr Entry<int> kInts[] = {{"net.ipv4.tcp_syncookies", &Config::tcp_syncookies},
                                {"net.ipv4.tcp_syn_retries", &Config::tcp_syn_retries},
                                {"net.ipv4.tcp_synack_retries", &Config::tcp_synack_retries},
                                {"net.ipv4.tcp_syn_linear_timeouts", &Config::tcp_syn_linear_timeouts},
                                {"net.ipv4.tcp_retries2", &Config::tcp_retries2},
                                {"net.ipv4.tcp_orphan_retries", &Config::tcp_orphan_retries},
                                {"net.ipv4.tcp_fin_timeout", &Config::tcp_fin_timeout},
                                {"net.ipv4.tcp_keepalive_time", &Config::tcp_keepalive_time},
                                {"net.ipv4.tcp_keepalive_intvl", &Config::tcp_keepalive_intvl},
                                {"net.ipv4.tcp_keepalive_probes", &Config::tcp_keepalive_probes},
                                {"net.ipv4.tcp_tw_reuse", &Config::tcp_tw_reuse},
                                {"net.ipv4.tcp_invalid_ratelimit", &Config::tcp_invalid_ratelimit},
                                {"net.ipv4.tcp_challenge_ack_limit", &Config::tcp_challenge_ack_limit},
                                {"net.core.netdev_budget", &Config::netdev_budget}};
constexpr Entry<u32> kUnsigned[] = {{"net.core.somaxconn", &Config::somaxconn},
                                    {"net.unix.max_dgram_qlen", &Config::max_dgram_qlen},
                                    {"net.ipv4.tcp_max_syn_backlog", &Config::tcp_max_syn_backlog},
                                    {"net.ipv4.tcp_notsent_lowat", &Config::tcp_notsent_lowat}};
constexpr Entry<std::array<int, 3>> kTriples[] = {{"net.ipv4.tcp_rmem", &Config::tcp_rmem},
                                                  {"net.ipv4.tcp_wmem", &Config::tcp_wmem}};

std::vector<long> numbers(const std::string& name, const std::string& value, std::size_t count) {
  std::istringstream in(value);
  std::vector<long> out;
  for (long n = 0; in >> n;) out.push_back(n);
  if (out.size() != count || !in.eof()) throw std::invalid_argument(name + " cannot be " + value);
  return out;
}

}  // namespace

bool set_sysctl(Config& config, std::string_view wanted, const std::string& value) {
  const std::string name(wanted);
  for (const auto& entry : kInts)
    if (name == entry.name) return config.*entry.member = static_cast<int>(numbers(name, value, 1)[0]), true;
  for (const auto& entry : kUnsigned)
    if (name == entry.name) return config.*entry.member = static_cast<u32>(numbers(name, value, 1)[0]), true;
  for (const auto& entry : kTriples) {
    if (name != entry.name) continue;
    const std::vector<long> three = numbers(name, value, 3);
    for (std::size_t i = 0; i < 3; ++i) (config.*entry.member)[i] = static_cast<int>(three[i]);
    return true;
  }
  if (name == "net.ipv4.tcp_congestion_control") {
    if (value != "reno" && value != "cubic" && value != "bbr") return false;
    return config.tcp_sndbuf_expand = value == "bbr" ? 3 : 2, true;  // tcp_congestion_ops.sndbuf_expand
  }
  if (name == "fs.file-max") return config.file_max = static_cast<u64>(numbers(name, value, 1)[0]), true;
  if (name == "fs.epoll.max_user_watches")
    return config.max_user_watches = static_cast<u64>(numbers(name, value, 1)[0]), true;
  if (name == "net.ipv4.tcp_moderate_rcvbuf") {  // buffers do not grow here by what a reader takes in a while
    return numbers(name, value, 1)[0] == 0;
  }
  if (name == "net.ipv4.tcp_abort_on_overflow")
    return config.tcp_abort_on_overflow = numbers(name, value, 1)[0] != 0, true;
  if (name == "net.ipv4.ip_local_port_range") {
    const std::vector<long> range = numbers(name, value, 2);
    config.port_low = static_cast<u16>(range[0]);
    config.port_high = static_cast<u16>(range[1]);
    return true;
  }
  return false;
}

}  // namespace wakepath::kernel
