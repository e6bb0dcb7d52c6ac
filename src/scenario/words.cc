#include "src/scenario/words.hh"

#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <map>

namespace wakepath::scenario {
namespace {

#define WORD(name) \
  { #name, static_cast < long>(name) }

struct Set {
  std::string_view description;
  std::vector<Word> words;
};

const std::vector<Word> kSocketOptions = {
    WORD(SO_REUSEADDR), WORD(SO_REUSEPORT),  WORD(SO_KEEPALIVE),    WORD(SO_LINGER),    WORD(SO_ERROR),
    WORD(SO_TYPE),      WORD(SO_ACCEPTCONN), WORD(SO_RCVBUF),       WORD(SO_SNDBUF),    WORD(SO_RCVLOWAT),
    WORD(SO_SNDLOWAT),  WORD(SO_RCVTIMEO),   WORD(SO_SNDTIMEO),     WORD(SO_OOBINLINE), WORD(SO_BROADCAST),
    WORD(SO_DOMAIN),    WORD(SO_PROTOCOL),   WORD(SO_INCOMING_CPU), WORD(SO_BUSY_POLL)};
const std::vector<Word> kTcpOptions = {
    WORD(TCP_NODELAY),      WORD(TCP_CORK),         WORD(TCP_DEFER_ACCEPT), WORD(TCP_QUICKACK),     WORD(TCP_MAXSEG),
    WORD(TCP_KEEPIDLE),     WORD(TCP_KEEPINTVL),    WORD(TCP_KEEPCNT),      WORD(TCP_LINGER2),      WORD(TCP_SYNCNT),
    WORD(TCP_USER_TIMEOUT), WORD(TCP_WINDOW_CLAMP), WORD(TCP_FASTOPEN),     WORD(TCP_NOTSENT_LOWAT)};
const std::vector<Word> kUdpOptions = {WORD(UDP_CORK)};
const std::vector<Word> kIpv6Options = {WORD(IPV6_V6ONLY)};

const std::vector<Word>& options_of(long level) {
  return level == SOL_SOCKET    ? kSocketOptions
         : level == IPPROTO_TCP ? kTcpOptions
         : level == IPPROTO_UDP ? kUdpOptions
                                : kIpv6Options;
}

std::vector<Word> all_options() {
  std::vector<Word> all = kSocketOptions;
  all.insert(all.end(), kTcpOptions.begin(), kTcpOptions.end());
  all.insert(all.end(), kUdpOptions.begin(), kUdpOptions.end());
  all.insert(all.end(), kIpv6Options.begin(), kIpv6Options.end());
  return all;
}

const std::map<Words, Set> kSets = {
    {Words::domain, {"an address family", {WORD(AF_UNIX), WORD(AF_INET), WORD(AF_INET6), WORD(AF_LOCAL)}}},
    {Words::socket_type,
     {"a socket type",
      {WORD(SOCK_STREAM), WORD(SOCK_DGRAM), WORD(SOCK_SEQPACKET), WORD(SOCK_RAW), WORD(SOCK_NONBLOCK),
       WORD(SOCK_CLOEXEC)}}},
    {Words::protocol, {"a protocol", {WORD(IPPROTO_TCP), WORD(IPPROTO_UDP), WORD(IPPROTO_IP)}}},
    {Words::shutdown_how, {"SHUT_RD, SHUT_WR or SHUT_RDWR", {WORD(SHUT_RD), WORD(SHUT_WR), WORD(SHUT_RDWR)}}},
    {Words::message_flags,
     {"a MSG_ flag",
      {WORD(MSG_OOB), WORD(MSG_PEEK), WORD(MSG_DONTROUTE), WORD(MSG_TRUNC), WORD(MSG_DONTWAIT), WORD(MSG_EOR),
       WORD(MSG_WAITALL), WORD(MSG_NOSIGNAL), WORD(MSG_MORE), WORD(MSG_CMSG_CLOEXEC)}}},
    {Words::open_flags,
     {"a file status flag",
      {WORD(O_RDONLY), WORD(O_WRONLY), WORD(O_RDWR), WORD(O_APPEND), WORD(O_NONBLOCK), WORD(O_ASYNC), WORD(O_DIRECT)}}},
    {Words::accept_flags, {"SOCK_NONBLOCK or SOCK_CLOEXEC", {WORD(SOCK_NONBLOCK), WORD(SOCK_CLOEXEC)}}},
    {Words::pipe_flags, {"a pipe2 flag", {WORD(O_NONBLOCK), WORD(O_CLOEXEC), WORD(O_DIRECT)}}},
    {Words::eventfd_flags, {"an eventfd flag", {WORD(EFD_SEMAPHORE), WORD(EFD_NONBLOCK), WORD(EFD_CLOEXEC)}}},
    {Words::memfd_flags, {"a memfd_create flag", {WORD(MFD_CLOEXEC), WORD(MFD_ALLOW_SEALING)}}},
    {Words::seek_from,
     {"SEEK_SET, SEEK_CUR, SEEK_END, SEEK_DATA or SEEK_HOLE",
      {WORD(SEEK_SET), WORD(SEEK_CUR), WORD(SEEK_END), WORD(SEEK_DATA), WORD(SEEK_HOLE)}}},
    {Words::dup_flags, {"a flag of dup3()", {WORD(O_CLOEXEC)}}},
    {Words::resource, {"a resource", {WORD(RLIMIT_NOFILE)}}},
    {Words::epoll_flags, {"EPOLL_CLOEXEC", {WORD(EPOLL_CLOEXEC)}}},
    {Words::epoll_op, {"an EPOLL_CTL_ operation", {WORD(EPOLL_CTL_ADD), WORD(EPOLL_CTL_DEL), WORD(EPOLL_CTL_MOD)}}},
    {Words::epoll_events,
     {"an epoll event",
      {WORD(EPOLLIN),
       WORD(EPOLLPRI),
       WORD(EPOLLOUT),
       WORD(EPOLLERR),
       WORD(EPOLLHUP),
       WORD(EPOLLRDNORM),
       WORD(EPOLLRDBAND),
       WORD(EPOLLWRNORM),
       WORD(EPOLLWRBAND),
       WORD(EPOLLMSG),
       WORD(EPOLLRDHUP),
       WORD(EPOLLEXCLUSIVE),
       WORD(EPOLLWAKEUP),
       WORD(EPOLLONESHOT),
       {"EPOLLET", 1L << 31}}}},
    {Words::poll_events,
     {"a poll event",
      {WORD(POLLIN),
       WORD(POLLPRI),
       WORD(POLLOUT),
       WORD(POLLERR),
       WORD(POLLHUP),
       WORD(POLLNVAL),
       {"POLLRDHUP", 0x2000},
       {"POLLRDNORM", 0x40},
       {"POLLWRNORM", 0x100}}}},
    {Words::fcntl_command,
     {"F_GETFL, F_SETFL, F_GETFD, F_SETFD, F_DUPFD or F_DUPFD_CLOEXEC",
      {WORD(F_GETFL), WORD(F_SETFL), WORD(F_GETFD), WORD(F_SETFD), WORD(F_DUPFD), WORD(F_DUPFD_CLOEXEC)}}},
    {Words::fd_flags, {"FD_CLOEXEC", {WORD(FD_CLOEXEC)}}},
    {Words::fcntl_result,
     {"a file status flag or FD_CLOEXEC",
      {WORD(O_RDONLY),
       WORD(O_WRONLY),
       WORD(O_RDWR),
       WORD(O_APPEND),
       WORD(O_NONBLOCK),
       WORD(O_ASYNC),
       WORD(O_DIRECT),
       {"O_LARGEFILE", 0100000},
       WORD(FD_CLOEXEC)}}},
    {Words::ioctl_command,
     {"FIONREAD, SIOCOUTQ, SIOCATMARK or FIONBIO", {WORD(FIONREAD), WORD(SIOCOUTQ), WORD(SIOCATMARK), WORD(FIONBIO)}}},
    {Words::socket_level,
     {"a socket option level",
      {WORD(SOL_SOCKET), WORD(IPPROTO_TCP), WORD(IPPROTO_UDP), WORD(IPPROTO_IPV6), {"SOL_TCP", IPPROTO_TCP}}}},
    {Words::socket_option, {"a socket option", all_options()}},
    {Words::clock, {"a clock", {WORD(CLOCK_REALTIME), WORD(CLOCK_MONOTONIC), WORD(CLOCK_BOOTTIME)}}},
    {Words::timerfd_flags, {"a timerfd flag", {WORD(TFD_NONBLOCK), WORD(TFD_CLOEXEC)}}},
    {Words::signalfd_flags, {"a signalfd flag", {WORD(SFD_NONBLOCK), WORD(SFD_CLOEXEC)}}},
    {Words::signal,
     {"a signal",
      {WORD(SIGUSR1), WORD(SIGUSR2), WORD(SIGALRM), WORD(SIGTERM), WORD(SIGINT), WORD(SIGHUP), WORD(SIGPIPE),
       WORD(SIGCHLD), WORD(SIGIO), WORD(SIGURG)}}},
    {Words::mask_how,
     {"SIG_BLOCK, SIG_UNBLOCK or SIG_SETMASK", {WORD(SIG_BLOCK), WORD(SIG_UNBLOCK), WORD(SIG_SETMASK)}}},
};

const Set& set_of(Words set) { return kSets.at(set); }

/// The first name of a number is the canonical one.
const std::vector<Word> kErrnos = {WORD(EPERM),
                                   WORD(ENOENT),
                                   WORD(ESRCH),
                                   WORD(EINTR),
                                   WORD(EIO),
                                   WORD(ENXIO),
                                   WORD(E2BIG),
                                   WORD(EBADF),
                                   WORD(ECHILD),
                                   WORD(EAGAIN),
                                   WORD(ENOMEM),
                                   WORD(EACCES),
                                   WORD(EFAULT),
                                   WORD(EBUSY),
                                   WORD(EEXIST),
                                   WORD(ENODEV),
                                   WORD(ENOTDIR),
                                   WORD(EISDIR),
                                   WORD(EINVAL),
                                   WORD(ENFILE),
                                   WORD(EMFILE),
                                   WORD(ENOTTY),
                                   WORD(EFBIG),
                                   WORD(ENOSPC),
                                   WORD(ESPIPE),
                                   WORD(EROFS),
                                   WORD(EPIPE),
                                   WORD(EDOM),
                                   WORD(ERANGE),
                                   WORD(EDEADLK),
                                   WORD(ENAMETOOLONG),
                                   WORD(ENOSYS),
                                   WORD(ELOOP),
                                   WORD(ENOTSOCK),
                                   WORD(EDESTADDRREQ),
                                   WORD(EMSGSIZE),
                                   WORD(EPROTOTYPE),
                                   WORD(ENOPROTOOPT),
                                   WORD(EPROTONOSUPPORT),
                                   WORD(ESOCKTNOSUPPORT),
                                   WORD(EOPNOTSUPP),
                                   WORD(EPFNOSUPPORT),
                                   WORD(EAFNOSUPPORT),
                                   WORD(EADDRINUSE),
                                   WORD(EADDRNOTAVAIL),
                                   WORD(ENETDOWN),
                                   WORD(ENETUNREACH),
                                   WORD(ENETRESET),
                                   WORD(ECONNABORTED),
                                   WORD(ECONNRESET),
                                   WORD(ENOBUFS),
                                   WORD(EISCONN),
                                   WORD(ENOTCONN),
                                   WORD(ESHUTDOWN),
                                   WORD(ETOOMANYREFS),
                                   WORD(ETIMEDOUT),
                                   WORD(ECONNREFUSED),
                                   WORD(EHOSTDOWN),
                                   WORD(EHOSTUNREACH),
                                   WORD(EALREADY),
                                   WORD(EINPROGRESS),
                                   WORD(ECANCELED),
                                   WORD(EOVERFLOW),
                                   WORD(EBADFD),
                                   WORD(EPROTO),
                                   WORD(ETIME),
                                   {"EWOULDBLOCK", EWOULDBLOCK},
                                   {"ENOTSUP", ENOTSUP}};

#undef WORD

}  // namespace

const std::vector<Word>& words_of(Words set) { return set_of(set).words; }

std::optional<long> value_of(Words set, std::string_view name) {
  for (const Word& word : words_of(set)) {
    if (word.name == name) {
      return word.value;
    }
  }
  return std::nullopt;
}

std::string_view describe(Words set) { return set_of(set).description; }

std::vector<std::string_view> names_of(Words set) {
  std::vector<std::string_view> names;
  for (const Word& word : words_of(set)) {
    names.push_back(word.name);
  }
  return names;
}

std::string flags_text(Words set, long value) {
  std::string text;
  const auto add = [&text](std::string_view name) { text += (text.empty() ? "" : "|") + std::string(name); };
  if (set == Words::open_flags && (value & O_ACCMODE) != O_WRONLY) {
    add((value & O_ACCMODE) == O_RDWR ? "O_RDWR" : "O_RDONLY");
    value &= ~static_cast<long>(O_ACCMODE);
  }
  std::vector<Word> words = words_of(set);
  std::stable_sort(words.begin(), words.end(), [](const Word& a, const Word& b) { return a.value < b.value; });
  for (const Word& word : words) {
    if (word.value != 0 && (value & word.value) == word.value) {
      add(word.name);
      value &= ~word.value;
    }
  }
  if (value != 0) {
    add(fmt::format("0x{:x}", value));
  }
  return text.empty() ? "0" : text;
}

std::optional<long> option_value(long level, std::string_view name) {
  for (const Word& word : options_of(level)) {
    if (word.name == name) {
      return word.value;
    }
  }
  return std::nullopt;
}

std::vector<std::string_view> option_names(long level) {
  std::vector<std::string_view> names;
  for (const Word& word : options_of(level)) {
    names.push_back(word.name);
  }
  return names;
}

std::optional<int> errno_of(std::string_view name) {
  for (const Word& word : kErrnos) {
    if (word.name == name) {
      return static_cast<int>(word.value);
    }
  }
  return std::nullopt;
}

std::string errno_name(int number) {
  for (const Word& word : kErrnos) {
    if (word.value == number) {
      return std::string(word.name);
    }
  }
  return fmt::format("errno {}", number);
}

std::vector<std::string_view> errno_names() {
  std::vector<std::string_view> names;
  for (const Word& word : kErrnos) {
    names.push_back(word.name);
  }
  return names;
}

const std::vector<Word>& tcp_states() {
  static const std::vector<Word> states = {{"ESTABLISHED", 1}, {"SYN_SENT", 2},  {"SYN_RECV", 3}, {"FIN_WAIT1", 4},
                                           {"FIN_WAIT2", 5},   {"TIME_WAIT", 6}, {"CLOSE", 7},    {"CLOSE_WAIT", 8},
                                           {"LAST_ACK", 9},    {"LISTEN", 10},   {"CLOSING", 11}, {"NEW_SYN_RECV", 12}};
  return states;
}

std::string tcp_state_name(int state) {
  for (const Word& word : tcp_states()) {
    if (word.value == state) {
      return std::string(word.name);
    }
  }
  return fmt::format("state {}", state);
}

}  // namespace wakepath::scenario
