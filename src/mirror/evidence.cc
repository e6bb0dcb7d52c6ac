#include "src/mirror/evidence.hh"

#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <linux/tcp.h>  // <netinet/tcp.h> has a shorter tcp_info
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cstdio>

namespace wakepath::mirror::evidence {

namespace {
// asm-generic/socket.h; <sys/socket.h> of some C libraries leaves it out
#ifndef SO_MEMINFO
constexpr int SO_MEMINFO = 55;
#endif

std::optional<std::array<uint32_t, SK_MEMINFO_VARS>> meminfo(int fd) {
  std::array<uint32_t, SK_MEMINFO_VARS> info{};
  socklen_t size = sizeof info;
  if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info.data(), &size) != 0) return std::nullopt;
  return info;
}

std::size_t asked(int fd, unsigned long request) {
  int count = 0;
  return ioctl(fd, request, &count) == 0 && count > 0 ? static_cast<std::size_t>(count) : 0;
}
}  // namespace

std::optional<TcpReading> tcp_info(int fd) {
  struct ::tcp_info info {};
  socklen_t size = sizeof info;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return std::nullopt;
  return TcpReading{static_cast<kernel::TcpState>(info.tcpi_state), info.tcpi_bytes_received};
}

std::size_t unread(int fd) { return asked(fd, SIOCINQ); }
std::size_t unacknowledged(int fd) { return asked(fd, SIOCOUTQ); }

std::string peek(int fd, std::size_t size) {
  std::string data(size, '\0');
  const ssize_t got = ::recv(fd, data.data(), data.size(), MSG_PEEK | MSG_DONTWAIT);
  data.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return data;
}

std::optional<kernel::Address> own_address(int fd) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0 || address.sin_family != AF_INET)
    return std::nullopt;
  return kernel::Address{ntohl(address.sin_addr.s_addr), ntohs(address.sin_port)};
}

bool has_room(int fd, std::size_t size) {
  const auto info = meminfo(fd);
  if (!info) return false;
  constexpr std::size_t kMargin = 65536;  // overhead of segments, generously
  return (*info)[SK_MEMINFO_WMEM_QUEUED] + 2 * size + kMargin < (*info)[SK_MEMINFO_SNDBUF];
}

int receive_buffer(int fd) {
  const auto info = meminfo(fd);
  return info ? static_cast<int>((*info)[SK_MEMINFO_RCVBUF]) : 0;
}

PortRange port_range() {
  PortRange range{32768, 60999};
  if (FILE* file = std::fopen("/proc/sys/net/ipv4/ip_local_port_range", "re")) {
    unsigned low = 0, high = 0;
    if (std::fscanf(file, "%u %u", &low, &high) == 2) range = {static_cast<uint16_t>(low), static_cast<uint16_t>(high)};
    std::fclose(file);
  }
  return range;
}

std::size_t descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<std::size_t>(std::min<rlim_t>(limit.rlim_cur, 1U << 20));
}

std::string kernel_name() {
  utsname name{};
  uname(&name);
  return std::string(name.sysname) + " " + name.release;
}

int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * int64_t{1'000'000'000} + now.tv_nsec;
}

}  // namespace wakepath::mirror::evidence
