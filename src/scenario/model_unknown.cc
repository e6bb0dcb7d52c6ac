#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>

#include "src/scenario/model_calls.hh"
#include "src/scenario/signatures.hh"

namespace wakepath::scenario {
namespace {

/// A socket that some Linux makes and the model does not. What none makes is answered, with the kernel's error.
std::optional<std::string> unknown_socket(const CallStep& call) {
  const long family = call.args[0].number;
  const long type = call.args[1].number & 0xf;
  const long protocol = call.args[2].number;
  if ((call.args[1].number & ~(0xf | SOCK_NONBLOCK | SOCK_CLOEXEC)) != 0) {
    return std::nullopt;
  }
  if (family == AF_NETLINK || family == AF_PACKET || family == AF_VSOCK || family == AF_XDP) {
    return call.args[0].text;
  }
  if (family != AF_INET && family != AF_INET6) {
    return std::nullopt;
  }
  if (type == SOCK_RAW || (family == AF_INET && type == SOCK_PACKET)) {
    return call.args[1].text;
  }
  const long icmp = family == AF_INET ? long{IPPROTO_ICMP} : long{IPPROTO_ICMPV6};
  const bool other = (type == SOCK_STREAM && protocol == IPPROTO_MPTCP) ||
                     (type == SOCK_DGRAM && (protocol == icmp || protocol == IPPROTO_UDPLITE));
  return other ? std::optional("the protocol " + call.args[2].text) : std::nullopt;
}

/// The options of a level, by their numbers, that some socket of the model's families has on Linux 6.18: every number
/// was asked for there, and what some socket answered otherwise than a number that is none stands here.
struct Numbers {
  long level;
  bool set;  ///< for setsockopt(); else for getsockopt()
  std::vector<std::pair<long, long>> ranges;
};

const std::vector<Numbers>& numbers_of_linux() {
  static const std::vector<Numbers> kAll = {
      {IPPROTO_IP,
       false,
       {{1, 15}, {18, 26}, {32, 34}, {41, 41}, {48, 52}, {64, 67}, {80, 80}, {83, 83}, {96, 99}, {200, 212}}},
      {IPPROTO_IP, true, {{1, 2}, {4, 8}, {10, 13}, {15, 21}, {23, 26}, {32, 51}, {64, 65}, {96, 97}, {200, 212}}},
      {SOL_SOCKET, false, {{1, 21}, {25, 26}, {28, 30}, {34, 49}, {55, 57}, {59, 67}, {69, 69}, {71, 77}, {82, 84}}},
      {SOL_SOCKET,
       true,
       {{1, 2},
        {5, 16},
        {18, 18},
        {20, 21},
        {25, 27},
        {29, 29},
        {32, 37},
        {40, 47},
        {49, 53},
        {60, 70},
        {72, 76},
        {80, 80},
        {82, 84}}},
      {IPPROTO_TCP, false, {{1, 13}, {16, 21}, {23, 31}, {33, 37}, {43, 46}}},
      {IPPROTO_TCP, true, {{1, 10}, {12, 14}, {16, 25}, {27, 27}, {29, 34}, {36, 37}, {44, 46}}},
      {IPPROTO_UDP, false, {{1, 1}, {10, 11}, {100, 104}}},
      {IPPROTO_UDP, true, {{1, 1}, {101, 104}}},
      {IPPROTO_UDPLITE, false, {{1, 1}, {10, 11}, {100, 104}}},
      {IPPROTO_UDPLITE, true, {{1, 1}, {101, 104}}},
      {IPPROTO_IPV6,
       false,
       {{1, 6},
        {8, 8},
        {11, 11},
        {16, 19},
        {22, 26},
        {29, 33},
        {48, 49},
        {51, 51},
        {53, 62},
        {64, 70},
        {72, 78},
        {80, 80},
        {200, 212}}},
      {IPPROTO_IPV6,
       true,
       {{1, 6},
        {8, 8},
        {11, 11},
        {16, 21},
        {23, 35},
        {42, 51},
        {53, 60},
        {62, 62},
        {64, 67},
        {70, 70},
        {72, 78},
        {200, 212}}}};
  return kAll;
}

/// Linux answers for every socket that it has no such option, and so does the model.
bool no_such_option(bool set, long level, long option) {
  return std::none_of(numbers_of_linux().begin(), numbers_of_linux().end(), [&](const Numbers& numbers) {
    return numbers.set == set && numbers.level == level &&
           std::any_of(numbers.ranges.begin(), numbers.ranges.end(),
                       [&](const auto& range) { return range.first <= option && option <= range.second; });
  });
}

std::optional<std::string> unknown_option(const CallStep& call) {
  static const std::vector<std::pair<long, long>> kSettable = {
      {SOL_SOCKET, SO_REUSEADDR},  {SOL_SOCKET, SO_KEEPALIVE}, {SOL_SOCKET, SO_RCVLOWAT},  {SOL_SOCKET, SO_RCVBUF},
      {SOL_SOCKET, SO_SNDBUF},     {SOL_SOCKET, SO_RCVTIMEO},  {SOL_SOCKET, SO_SNDTIMEO},  {SOL_SOCKET, SO_LINGER},
      {SOL_SOCKET, SO_REUSEPORT},  {SOL_SOCKET, SO_BROADCAST}, {SOL_SOCKET, SO_OOBINLINE}, {SOL_SOCKET, SO_SNDLOWAT},
      {SOL_SOCKET, SO_ERROR},      {SOL_SOCKET, SO_TYPE},      {SOL_SOCKET, SO_DOMAIN},    {SOL_SOCKET, SO_PROTOCOL},
      {IPPROTO_IPV6, IPV6_V6ONLY}, {IPPROTO_UDP, UDP_CORK}};
  static const std::vector<std::pair<long, long>> kReadable = {
      {SOL_SOCKET, SO_ERROR},     {SOL_SOCKET, SO_REUSEADDR},  {SOL_SOCKET, SO_TYPE},      {SOL_SOCKET, SO_ACCEPTCONN},
      {SOL_SOCKET, SO_RCVLOWAT},  {SOL_SOCKET, SO_DOMAIN},     {SOL_SOCKET, SO_PROTOCOL},  {SOL_SOCKET, SO_REUSEPORT},
      {SOL_SOCKET, SO_BROADCAST}, {SOL_SOCKET, SO_SNDBUF},     {SOL_SOCKET, SO_RCVBUF},    {SOL_SOCKET, SO_LINGER},
      {SOL_SOCKET, SO_RCVTIMEO},  {SOL_SOCKET, SO_SNDTIMEO},   {SOL_SOCKET, SO_KEEPALIVE}, {SOL_SOCKET, SO_OOBINLINE},
      {SOL_SOCKET, SO_SNDLOWAT},  {IPPROTO_IPV6, IPV6_V6ONLY}, {IPPROTO_UDP, UDP_CORK}};
  static const std::vector<long> kTcp = {TCP_NODELAY, TCP_CORK,     TCP_DEFER_ACCEPT, TCP_QUICKACK,
                                         TCP_MAXSEG,  TCP_KEEPIDLE, TCP_KEEPINTVL,    TCP_KEEPCNT,
                                         TCP_LINGER2, TCP_SYNCNT,   TCP_USER_TIMEOUT, TCP_NOTSENT_LOWAT};
  const bool set = call.signature->call == Call::setsockopt;
  const auto& known = set ? kSettable : kReadable;
  const std::pair<long, long> wanted{call.args[1].number, call.args[2].number};
  const bool tcp = wanted.first == IPPROTO_TCP && std::find(kTcp.begin(), kTcp.end(), wanted.second) != kTcp.end();
  if (tcp || no_such_option(set, wanted.first, wanted.second) ||
      std::find(known.begin(), known.end(), wanted) != known.end()) {
    return std::nullopt;
  }
  return std::string(call.signature->name) + " of " + call.args[2].text;
}

/// MSG_DONTROUTE changes nothing where lo is the only device. MSG_EOR ends a segment of TCP, which is seen only when
/// more is sent before that one leaves: with MSG_MORE it is refused.
std::optional<std::string> unknown_flags(const Arg& flags) {
  constexpr long kKnown =
      MSG_PEEK | MSG_DONTWAIT | MSG_WAITALL | MSG_NOSIGNAL | MSG_TRUNC | MSG_MORE | MSG_OOB | MSG_DONTROUTE | MSG_EOR;
  const bool ends_and_waits = (flags.number & MSG_EOR) != 0 && (flags.number & MSG_MORE) != 0;
  return ends_and_waits || (flags.number & ~kKnown) != 0 ? std::optional("the flags " + flags.text) : std::nullopt;
}

}  // namespace

std::optional<std::string> unknown_to_model(const CallStep& call) {
  switch (call.signature->call) {
    case Call::socket:
      return unknown_socket(call);
    case Call::send:
    case Call::recv:
    case Call::sendto:
    case Call::recvfrom:
      return call.args.size() > 2 ? unknown_flags(call.args[2]) : std::nullopt;
    case Call::sendmsg:
    case Call::recvmsg:
      return call.args.size() > 2 ? unknown_flags(call.args[2]) : std::nullopt;
    case Call::setsockopt:
    case Call::getsockopt:
      return unknown_option(call);
    case Call::setrlimit:
      return call.args[0].number == RLIMIT_NOFILE ? std::nullopt : std::optional<std::string>("this resource");
    case Call::bind:
    case Call::connect:
    case Call::listen:
    case Call::accept:
    case Call::accept4:
    case Call::read:
    case Call::write:
    case Call::readv:
    case Call::writev:
    case Call::shutdown:
    case Call::close:
    case Call::dup:
    case Call::dup2:
    case Call::dup3:
    case Call::fcntl:
    case Call::ioctl:
    case Call::getsockname:
    case Call::getpeername:
    case Call::pipe2:
    case Call::socketpair:
    case Call::epoll_create1:
    case Call::epoll_ctl:
    case Call::epoll_wait:
    case Call::epoll_pwait:
    case Call::eventfd:
    case Call::memfd_create:
    case Call::lseek:
    case Call::poll:
    case Call::ppoll:
    case Call::select:
    case Call::sigprocmask:
    case Call::timerfd_create:
    case Call::timerfd_settime:
    case Call::signalfd4:
    case Call::fork:
    case Call::thread:
    case Call::execve:
    case Call::exit:
      return std::nullopt;
    default:
      return std::string(call.signature->name);
  }
}

}  // namespace wakepath::scenario
