#include "src/guest/strace_names.hh"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <charconv>
#include <cstring>
#include <map>

namespace wakepath::guest {

namespace {

using Names = std::map<std::string_view, long>;

#define NAME(constant) \
  { #constant, constant }

const Names& names() {
  static const Names kNames = {NAME(AF_UNSPEC),
                               NAME(AF_UNIX),
                               {"AF_LOCAL", AF_UNIX},
                               {"AF_FILE", AF_UNIX},
                               NAME(AF_INET),
                               NAME(AF_INET6),
                               NAME(AF_NETLINK),
                               NAME(AF_PACKET),
                               NAME(AF_VSOCK),
                               NAME(AF_ALG),
                               NAME(AF_BLUETOOTH),
                               NAME(PF_UNIX),
                               {"PF_LOCAL", AF_UNIX},
                               {"PF_FILE", AF_UNIX},
                               NAME(PF_INET),
                               NAME(PF_INET6),
                               NAME(PF_NETLINK),
                               NAME(PF_PACKET),
                               NAME(SOCK_STREAM),
                               NAME(SOCK_DGRAM),
                               NAME(SOCK_RAW),
                               NAME(SOCK_SEQPACKET),
                               NAME(SOCK_NONBLOCK),
                               NAME(SOCK_CLOEXEC),
                               // protocols of socket()
                               NAME(IPPROTO_IP),
                               NAME(IPPROTO_ICMP),
                               NAME(IPPROTO_TCP),
                               NAME(IPPROTO_UDP),
                               NAME(IPPROTO_IPV6),
                               NAME(IPPROTO_ICMPV6),
                               NAME(IPPROTO_RAW),
                               NAME(IPPROTO_MPTCP),
                               {"NETLINK_ROUTE", 0},
                               {"NETLINK_AUDIT", 9},
                               {"NETLINK_SOCK_DIAG", 4},
                               {"NETLINK_KOBJECT_UEVENT", 15},
                               {"NETLINK_GENERIC", 16},
                               // levels and options
                               NAME(SOL_SOCKET),
                               {"SOL_IP", IPPROTO_IP},
                               {"SOL_TCP", IPPROTO_TCP},
                               {"SOL_UDP", IPPROTO_UDP},
                               {"SOL_IPV6", IPPROTO_IPV6},
                               {"SOL_NETLINK", 270},
                               {"SOL_PACKET", 263},
                               NAME(SO_DEBUG),
                               NAME(SO_REUSEADDR),
                               NAME(SO_TYPE),
                               NAME(SO_ERROR),
                               NAME(SO_DONTROUTE),
                               NAME(SO_BROADCAST),
                               NAME(SO_SNDBUF),
                               NAME(SO_RCVBUF),
                               NAME(SO_KEEPALIVE),
                               NAME(SO_OOBINLINE),
                               NAME(SO_PRIORITY),
                               NAME(SO_LINGER),
                               NAME(SO_REUSEPORT),
                               NAME(SO_PASSCRED),
                               NAME(SO_PEERCRED),
                               NAME(SO_RCVLOWAT),
                               NAME(SO_SNDLOWAT),
                               NAME(SO_RCVTIMEO),
                               NAME(SO_SNDTIMEO),
                               {"SO_RCVTIMEO_OLD", 20},
                               {"SO_SNDTIMEO_OLD", 21},
                               NAME(SO_BINDTODEVICE),
                               NAME(SO_ATTACH_FILTER),
                               NAME(SO_TIMESTAMP),
                               {"SO_TIMESTAMP_OLD", 29},
                               NAME(SO_ACCEPTCONN),
                               NAME(SO_SNDBUFFORCE),
                               NAME(SO_RCVBUFFORCE),
                               NAME(SO_MARK),
                               NAME(SO_PROTOCOL),
                               NAME(SO_DOMAIN),
                               NAME(SO_BUSY_POLL),
                               NAME(SO_INCOMING_CPU),
                               NAME(SO_ZEROCOPY),
                               NAME(SO_COOKIE),
                               NAME(TCP_NODELAY),
                               NAME(TCP_MAXSEG),
                               NAME(TCP_CORK),
                               NAME(TCP_KEEPIDLE),
                               NAME(TCP_KEEPINTVL),
                               NAME(TCP_KEEPCNT),
                               NAME(TCP_SYNCNT),
                               NAME(TCP_LINGER2),
                               NAME(TCP_DEFER_ACCEPT),
                               NAME(TCP_WINDOW_CLAMP),
                               NAME(TCP_INFO),
                               NAME(TCP_QUICKACK),
                               NAME(TCP_CONGESTION),
                               NAME(TCP_USER_TIMEOUT),
                               NAME(TCP_FASTOPEN),
                               NAME(TCP_NOTSENT_LOWAT),
                               NAME(TCP_ULP),
                               NAME(TCP_FASTOPEN_CONNECT),
                               {"TCP_INQ", 36},
                               NAME(IP_TOS),
                               NAME(IP_TTL),
                               NAME(IP_RECVERR),
                               NAME(IP_PKTINFO),
                               NAME(IP_MTU_DISCOVER),
                               NAME(IP_FREEBIND),
                               NAME(IP_TRANSPARENT),
                               NAME(IP_BIND_ADDRESS_NO_PORT),
                               NAME(IPV6_V6ONLY),
                               NAME(IPV6_RECVERR),
                               NAME(IPV6_RECVPKTINFO),
                               NAME(IPV6_TCLASS),
                               // of sending and receiving
                               NAME(MSG_OOB),
                               NAME(MSG_PEEK),
                               NAME(MSG_DONTROUTE),
                               NAME(MSG_CTRUNC),
                               NAME(MSG_TRUNC),
                               NAME(MSG_DONTWAIT),
                               NAME(MSG_EOR),
                               NAME(MSG_WAITALL),
                               NAME(MSG_CONFIRM),
                               NAME(MSG_ERRQUEUE),
                               NAME(MSG_NOSIGNAL),
                               NAME(MSG_MORE),
                               NAME(MSG_WAITFORONE),
                               NAME(MSG_ZEROCOPY),
                               NAME(MSG_FASTOPEN),
                               NAME(MSG_CMSG_CLOEXEC),
                               NAME(SHUT_RD),
                               NAME(SHUT_WR),
                               NAME(SHUT_RDWR),
                               // descriptors
                               NAME(F_DUPFD),
                               NAME(F_GETFD),
                               NAME(F_SETFD),
                               NAME(F_GETFL),
                               NAME(F_SETFL),
                               NAME(F_DUPFD_CLOEXEC),
                               NAME(FD_CLOEXEC),
                               NAME(O_RDONLY),
                               NAME(O_WRONLY),
                               NAME(O_RDWR),
                               NAME(O_CREAT),
                               NAME(O_EXCL),
                               NAME(O_NOCTTY),
                               NAME(O_TRUNC),
                               NAME(O_APPEND),
                               NAME(O_NONBLOCK),
                               NAME(O_DSYNC),
                               NAME(O_ASYNC),
                               NAME(O_DIRECT),
                               {"O_LARGEFILE", 0100000},
                               NAME(O_DIRECTORY),
                               NAME(O_NOFOLLOW),
                               NAME(O_NOATIME),
                               NAME(O_CLOEXEC),
                               NAME(O_PATH),
                               NAME(FIONBIO),
                               NAME(FIONREAD),
                               {"TIOCINQ", FIONREAD},
                               NAME(FIOCLEX),
                               NAME(FIONCLEX),
                               {"CLOSE_RANGE_UNSHARE", 2},
                               {"CLOSE_RANGE_CLOEXEC", 4},
                               // eventfd2
                               NAME(EFD_CLOEXEC),
                               NAME(EFD_NONBLOCK),
                               NAME(EFD_SEMAPHORE),
                               // epoll
                               NAME(EPOLL_CLOEXEC),
                               {"EPOLL_NONBLOCK", O_NONBLOCK},
                               NAME(EPOLL_CTL_ADD),
                               NAME(EPOLL_CTL_DEL),
                               NAME(EPOLL_CTL_MOD),
                               NAME(POLLIN),
                               NAME(POLLPRI),
                               NAME(POLLOUT),
                               NAME(POLLERR),
                               NAME(POLLHUP),
                               NAME(POLLNVAL),
                               NAME(POLLRDNORM),
                               NAME(POLLRDBAND),
                               NAME(POLLWRNORM),
                               NAME(POLLWRBAND),
                               NAME(POLLRDHUP),
                               NAME(EPOLLIN),
                               NAME(EPOLLPRI),
                               NAME(EPOLLOUT),
                               NAME(EPOLLRDNORM),
                               NAME(EPOLLRDBAND),
                               NAME(EPOLLWRNORM),
                               NAME(EPOLLWRBAND),
                               NAME(EPOLLMSG),
                               NAME(EPOLLERR),
                               NAME(EPOLLHUP),
                               NAME(EPOLLRDHUP),
                               {"EPOLLEXCLUSIVE", 1L << 28},
                               {"EPOLLWAKEUP", 1L << 29},
                               {"EPOLLONESHOT", 1L << 30},
                               {"EPOLLET", 1L << 31},
                               {"EPOLLNVAL", 0x20},
                               {"NULL", 0}};
  return kNames;
}

#undef NAME

std::optional<long> number(std::string_view word) {
  const bool hex = word.starts_with("0x");
  if (hex) word.remove_prefix(2);
  unsigned long value = 0;
  const auto [behind, error] = std::from_chars(word.data(), word.data() + word.size(), value, hex ? 16 : 10);
  if (error != std::errc() || behind != word.data() + word.size()) return std::nullopt;
  return static_cast<long>(value);
}

}  // namespace

std::optional<long> constant(std::string_view words) {
  long value = 0;
  for (;;) {
    const std::size_t bar = words.find('|');
    const std::string_view word = words.substr(0, bar);
    const auto known = names().find(word);
    const std::optional<long> one = known != names().end() ? std::optional(known->second) : number(word);
    if (!one) return std::nullopt;
    value |= *one;
    if (bar == std::string_view::npos) return value;
    words.remove_prefix(bar + 1);
  }
}

int error_number(std::string_view name) {
  static const std::map<std::string_view, int> kErrors = [] {
    constexpr int kMost = 4095;  // MAX_ERRNO, include/linux/err.h
    std::map<std::string_view, int> errors = {{"EWOULDBLOCK", EAGAIN}, {"EDEADLOCK", EDEADLK}, {"ENOTSUP", EOPNOTSUPP}};
    for (int error = 1; error < kMost; ++error)
      if (const char* known = strerrorname_np(error)) errors.emplace(known, error);
    return errors;
  }();
  const auto found = kErrors.find(name);
  return found != kErrors.end() ? found->second : 0;
}

}  // namespace wakepath::guest
