#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sim/trace/world.hh"

/// What the model's kernel would show of itself, in the formats of the running kernel's /proc (6.18) and of ss
/// (iproute2 6.1), so that the two can be held side by side. Source of each format: the file and function named below.
///
/// What the model does not have is printed as a fixed value, in the column's width: uid 0, the numbers of mounts and
/// devices, dropped datagrams (0). What stands for an address of the kernel is the object's serial number. Rows come in
/// the order in which their sockets were made, where the kernel has the order of its hash tables.

namespace wakepath::exports {

/// /proc/net/tcp: listeners, then what stands in ehash. net/ipv4/tcp_ipv4.c, tcp4_seq_show().
[[nodiscard]] std::string proc_net_tcp(const trace::Trace& trace, const trace::World& world);

/// /proc/net/tcp6: the same of AF_INET6. net/ipv6/tcp_ipv6.c, tcp6_seq_show().
[[nodiscard]] std::string proc_net_tcp6(const trace::Trace& trace, const trace::World& world);

/// /proc/net/udp: bound sockets. net/ipv4/udp.c, udp4_seq_show(). The first column, a place in a hash table, is the
/// port; what was dropped is 0.
[[nodiscard]] std::string proc_net_udp(const trace::Trace& trace, const trace::World& world);

/// /proc/net/udp6: the same of AF_INET6. net/ipv6/datagram.c, __ip6_dgram_sock_seq_show().
[[nodiscard]] std::string proc_net_udp6(const trace::Trace& trace, const trace::World& world);

/// `ls -l /proc/PID/fd`: links in the order of ls (as text), dated the first second of the epoch. fs/proc/fd.c and each
/// file system's d_dname. Nothing when there is no such task. `task` is a name or a process id.
[[nodiscard]] std::optional<std::string> proc_fd(const trace::Trace& trace, const trace::World& world,
                                                 std::string_view task);

/// /proc/PID/fdinfo/FD: fs/proc/fd.c, seq_show(), and what the file adds (ep_show_fdinfo() of fs/eventpoll.c,
/// eventfd_show_fdinfo(), timerfd_show(), signalfd_show_fdinfo(), unix_show_fdinfo() of net/unix/af_unix.c). Nothing
/// when the task has no such descriptor.
[[nodiscard]] std::optional<std::string> proc_fdinfo(const trace::Trace& trace, const trace::World& world,
                                                     std::string_view task, int fd);

struct SsOptions {
  bool listening = false;  ///< -l: listeners alone
  bool all = false;        ///< -a: listeners too
  bool extended = false;   ///< -e: timer, inode, which directions are shut
  bool internal = false;   ///< -i: a second line with TCP's own numbers
};
/// Options as they stand behind the dash of ss: "tlnie". Nothing for a letter that is not t, n, l, a, e or i.
[[nodiscard]] std::optional<SsOptions> ss_options(std::string_view letters);

/// `ss -tn…`: misc/ss.c of iproute2, columns as wide as what stands in them, as on no terminal. Not printed: control
/// group, congestion control and round trips, which the model does not have, and blanks at the end of a line.
[[nodiscard]] std::string ss(const trace::Trace& trace, const trace::World& world, const SsOptions& options);

}  // namespace wakepath::exports
