#include "sim/syscalls/words.hh"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/memfd.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <utility>

namespace wakepath::kernel::words {

namespace {

using Named = std::pair<u32, std::string_view>;

template <std::size_t N>
Words flags(u32 mask, const std::array<Named, N>& names) {
  Words out;
  for (const auto& [bit, name] : names) {
    if ((mask & bit) == 0) continue;
    if (!out.empty()) out += '|';
    out += name;
    mask &= ~bit;
  }
  if (mask != 0) out += fmt::format("{}{:#x}", out.empty() ? "" : "|", mask);
  if (out.empty()) out += "0";
  return out;
}

/// The name of a number; "" when it has none.
template <std::size_t N>
std::string_view name_of(int number, const std::array<Named, N>& names) {
  for (const auto& [value, name] : names)
    if (static_cast<int>(value) == number) return name;
  return "";
}

}  // namespace

Words family(int family) {
  switch (family) {
    case AF_INET:
      return "AF_INET";
    case AF_INET6:
      return "AF_INET6";
    case AF_UNIX:
      return "AF_UNIX";
    case AF_UNSPEC:
      return "AF_UNSPEC";
    default:
      return text(family);
  }
}

Words socket_type(int type) {
  Words out;
  switch (type & 0xf) {
    case SOCK_STREAM:
      out += "SOCK_STREAM";
      break;
    case SOCK_DGRAM:
      out += "SOCK_DGRAM";
      break;
    case SOCK_SEQPACKET:
      out += "SOCK_SEQPACKET";
      break;
    case SOCK_RAW:
      out += "SOCK_RAW";
      break;
    default:
      out += type & 0xf;
  }
  if ((type & SOCK_NONBLOCK) != 0) out += "|SOCK_NONBLOCK";
  if ((type & SOCK_CLOEXEC) != 0) out += "|SOCK_CLOEXEC";
  u32 unknown = static_cast<u32>(type) & ~static_cast<u32>(0xf | SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (unknown != 0) (out += '|') += flags(unknown, std::array<Named, 0>());
  return out;
}

Words socket_flags(int mask) {
  static constexpr std::array<Named, 2> kNames = {{{SOCK_NONBLOCK, "SOCK_NONBLOCK"}, {SOCK_CLOEXEC, "SOCK_CLOEXEC"}}};
  return flags(static_cast<u32>(mask), kNames);
}

Words protocol(int number) {
  static constexpr std::array<Named, 3> kNames = {
      {{IPPROTO_TCP, "IPPROTO_TCP"}, {IPPROTO_UDP, "IPPROTO_UDP"}, {IPPROTO_ICMP, "IPPROTO_ICMP"}}};
  std::string_view name = name_of(number, kNames);
  return name.empty() ? text(number) : Words(name);
}

Words shutdown_how(int how) {
  static constexpr std::array<Named, 3> kNames = {
      {{SHUT_RD, "SHUT_RD"}, {SHUT_WR, "SHUT_WR"}, {SHUT_RDWR, "SHUT_RDWR"}}};
  std::string_view name = name_of(how, kNames);
  return name.empty() ? text(how) : Words(name);
}

Words clock(int id) {
  static constexpr std::array<Named, 5> kNames = {{{CLOCK_REALTIME, "CLOCK_REALTIME"},
                                                   {CLOCK_MONOTONIC, "CLOCK_MONOTONIC"},
                                                   {CLOCK_BOOTTIME, "CLOCK_BOOTTIME"},
                                                   {CLOCK_REALTIME_ALARM, "CLOCK_REALTIME_ALARM"},
                                                   {CLOCK_BOOTTIME_ALARM, "CLOCK_BOOTTIME_ALARM"}}};
  std::string_view name = name_of(id, kNames);
  return name.empty() ? text(id) : Words(name);
}

Words timerfd_flags(int mask) {
  static constexpr std::array<Named, 2> kNames = {{{O_NONBLOCK, "TFD_NONBLOCK"}, {O_CLOEXEC, "TFD_CLOEXEC"}}};
  return flags(static_cast<u32>(mask), kNames);
}

Words signalfd_flags(int mask) {
  static constexpr std::array<Named, 2> kNames = {{{O_NONBLOCK, "SFD_NONBLOCK"}, {O_CLOEXEC, "SFD_CLOEXEC"}}};
  return flags(static_cast<u32>(mask), kNames);
}

Words epoll_flags(int mask) {
  static constexpr std::array<Named, 1> kNames = {{{EPOLL_CLOEXEC, "EPOLL_CLOEXEC"}}};
  return flags(static_cast<u32>(mask), kNames);
}

Words address(const Address& a) {
  if (a.family == AF_UNIX) return a.path.empty() ? Words("unix:") : text("unix:@", std::string_view(a.path).substr(1));
  if (a.family == AF_INET6) {
    char text[INET6_ADDRSTRLEN] = "";
    inet_ntop(AF_INET6, a.ip6.data(), text, sizeof text);
    return fmt::format("[{}]:{}", text, a.port);
  }
  return text(a.ip >> 24, ".", (a.ip >> 16) & 255, ".", (a.ip >> 8) & 255, ".", a.ip & 255, ":", a.port);
}

Words pointer(UserPointer at) { return at == UserPointer::kOutside ? "OUTSIDE" : "NULL"; }

Words data(std::string_view bytes) {
  if (!access_ok(bytes.data())) return "OUTSIDE";
  if (bytes.data() == nullptr && !bytes.empty()) return "NULL";
  std::string_view shown = bytes.substr(0, 24);
  auto plain = [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; };
  Words out;
  out += '"';
  if (std::all_of(shown.begin(), shown.end(), plain))
    out += shown;
  else
    for (char c : shown) {
      if (plain(c))
        out += c;
      else if (c == '"' || c == '\\')
        out += fmt::format("\\{}", c);
      else if (c == '\n')
        out += "\\n";
      else if (c == '\r')
        out += "\\r";
      else
        out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  out += '"';
  if (bytes.size() > 24) out += "...";
  return out;
}

Words pieces(const std::vector<std::string>& pieces, const std::vector<UserPointer>& at, UserPointer list) {
  if (list != UserPointer::kGood) return pointer(list);
  Words out = "[";
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    bool there = at.empty() || at[i] == UserPointer::kGood;
    (out += i == 0 ? "" : ", ") += there ? data(pieces[i]) : text(pointer(at[i]), " * ", pieces[i].size());
  }
  out += ']';
  return out;
}

Words room(const std::vector<UserPiece>& pieces, UserPointer list) {
  if (list != UserPointer::kGood) return pointer(list);
  Words out = "[";
  for (const UserPiece& piece : pieces) {
    if (&piece != &pieces.front()) out += ", ";
    if (piece.at != UserPointer::kGood) (out += pointer(piece.at)) += " * ";
    out += piece.size;
  }
  out += ']';
  return out;
}

std::string_view bad_buffer(const void* buffer) {
  if (buffer == nullptr) return ", buffer=NULL";
  return access_ok(buffer) ? "" : ", buffer=OUTSIDE";
}

Words bad_address(UserPointer address, UserPointer length) {
  Words out;
  if (address != UserPointer::kGood) (out += ", addr=") += pointer(address);
  if (length != UserPointer::kGood) (out += ", len=") += pointer(length);
  return out;
}

Words events(u32 mask) {
  static const auto kWords = record::EnumWords<poll_t>::values();  // the words that the trace's fields have, too
  static const auto kNames = [] {
    std::array<Named, 14> names;
    for (std::size_t i = 0; i < names.size(); ++i) names[i] = {static_cast<u32>(kWords.at(i).value), kWords[i].name};
    return names;
  }();
  return flags(mask, kNames);
}

Words epoll_events(const user_epoll_event* list, long count) {
  Words out = " [";
  for (long i = 0; i < count; ++i) {
    ((out += i == 0 ? "{" : ", {") += events(list[i].events)) += ", ";
    (out += static_cast<u32>(list[i].data)) += '}';
  }
  out += ']';
  return out;
}

Words poll_events(int mask) {
  static constexpr std::array<Named, 9> kNames = {{{POLLIN, "POLLIN"},
                                                   {POLLPRI, "POLLPRI"},
                                                   {POLLOUT, "POLLOUT"},
                                                   {POLLERR, "POLLERR"},
                                                   {POLLHUP, "POLLHUP"},
                                                   {POLLNVAL, "POLLNVAL"},
                                                   {EPOLLRDNORM, "POLLRDNORM"},
                                                   {EPOLLWRNORM, "POLLWRNORM"},
                                                   {EPOLLRDHUP, "POLLRDHUP"}}};
  return flags(static_cast<u32>(mask), kNames);
}

Words signals(signal_set set) {
  Words out;
  for (const auto& [bit, name] : record::EnumWords<signal_set>::values())
    if ((set & bit) != 0) (out += out.empty() ? "[" : ", ") += name;
  if (out.empty()) out += '[';
  out += ']';
  return out;
}

Words epoll_op(int op) {
  switch (op) {
    case EPOLL_CTL_ADD:
      return "EPOLL_CTL_ADD";
    case EPOLL_CTL_MOD:
      return "EPOLL_CTL_MOD";
    case EPOLL_CTL_DEL:
      return "EPOLL_CTL_DEL";
    default:
      return text(op);
  }
}

Words message_flags(int mask) {
  static constexpr std::array<Named, 15> kNames = {{{MSG_OOB, "MSG_OOB"},
                                                    {MSG_PEEK, "MSG_PEEK"},
                                                    {MSG_DONTROUTE, "MSG_DONTROUTE"},
                                                    {MSG_CTRUNC, "MSG_CTRUNC"},
                                                    {MSG_TRUNC, "MSG_TRUNC"},
                                                    {MSG_DONTWAIT, "MSG_DONTWAIT"},
                                                    {MSG_EOR, "MSG_EOR"},
                                                    {MSG_WAITALL, "MSG_WAITALL"},
                                                    {MSG_CONFIRM, "MSG_CONFIRM"},
                                                    {MSG_ERRQUEUE, "MSG_ERRQUEUE"},
                                                    {MSG_NOSIGNAL, "MSG_NOSIGNAL"},
                                                    {MSG_MORE, "MSG_MORE"},
                                                    {MSG_ZEROCOPY, "MSG_ZEROCOPY"},
                                                    {MSG_FASTOPEN, "MSG_FASTOPEN"},
                                                    {MSG_CMSG_CLOEXEC, "MSG_CMSG_CLOEXEC"}}};
  return flags(static_cast<u32>(mask), kNames);
}

Words more_flags(int mask) { return mask != 0 ? text(", ", message_flags(mask)) : Words(); }

Words open_flags(int mask) {
  static constexpr std::array<Named, 6> kNames = {{{O_WRONLY, "O_WRONLY"},
                                                   {O_RDWR, "O_RDWR"},
                                                   {O_NONBLOCK, "O_NONBLOCK"},
                                                   {O_APPEND, "O_APPEND"},
                                                   {O_DIRECT, "O_DIRECT"},
                                                   {O_CLOEXEC, "O_CLOEXEC"}}};
  return flags(static_cast<u32>(mask), kNames);
}

Words memfd_flags(unsigned mask) {
  static constexpr std::array<Named, 2> kNames = {
      {{MFD_CLOEXEC, "MFD_CLOEXEC"}, {MFD_ALLOW_SEALING, "MFD_ALLOW_SEALING"}}};
  return flags(mask, kNames);
}

Words seek_from(int whence) {
  static constexpr std::array<const char*, 5> kNames = {"SEEK_SET", "SEEK_CUR", "SEEK_END", "SEEK_DATA", "SEEK_HOLE"};
  bool known = whence >= 0 && static_cast<std::size_t>(whence) < kNames.size();
  return known ? Words(kNames[static_cast<std::size_t>(whence)]) : text(whence);
}

namespace {

std::string_view level_name(int level) {
  static constexpr std::array<Named, 5> kNames = {{{SOL_SOCKET, "SOL_SOCKET"},
                                                   {IPPROTO_IP, "IPPROTO_IP"},
                                                   {IPPROTO_TCP, "IPPROTO_TCP"},
                                                   {IPPROTO_UDP, "IPPROTO_UDP"},
                                                   {IPPROTO_IPV6, "IPPROTO_IPV6"}}};
  return name_of(level, kNames);
}

std::string_view socket_option(int option) {
  static constexpr std::array<Named, 20> kNames = {
      {{SO_DEBUG, "SO_DEBUG"},         {SO_REUSEADDR, "SO_REUSEADDR"}, {SO_REUSEPORT, "SO_REUSEPORT"},
       {SO_DONTROUTE, "SO_DONTROUTE"}, {SO_BROADCAST, "SO_BROADCAST"}, {SO_KEEPALIVE, "SO_KEEPALIVE"},
       {SO_OOBINLINE, "SO_OOBINLINE"}, {SO_PRIORITY, "SO_PRIORITY"},   {SO_RCVLOWAT, "SO_RCVLOWAT"},
       {SO_SNDLOWAT, "SO_SNDLOWAT"},   {SO_RCVBUF, "SO_RCVBUF"},       {SO_SNDBUF, "SO_SNDBUF"},
       {SO_RCVTIMEO, "SO_RCVTIMEO"},   {SO_SNDTIMEO, "SO_SNDTIMEO"},   {SO_LINGER, "SO_LINGER"},
       {SO_ERROR, "SO_ERROR"},         {SO_TYPE, "SO_TYPE"},           {SO_ACCEPTCONN, "SO_ACCEPTCONN"},
       {SO_DOMAIN, "SO_DOMAIN"},       {SO_PROTOCOL, "SO_PROTOCOL"}}};
  return name_of(option, kNames);
}

std::string_view tcp_option(int option) {
  static constexpr std::array<Named, 17> kNames = {{{TCP_NODELAY, "TCP_NODELAY"},
                                                    {TCP_MAXSEG, "TCP_MAXSEG"},
                                                    {TCP_CORK, "TCP_CORK"},
                                                    {TCP_KEEPIDLE, "TCP_KEEPIDLE"},
                                                    {TCP_KEEPINTVL, "TCP_KEEPINTVL"},
                                                    {TCP_KEEPCNT, "TCP_KEEPCNT"},
                                                    {TCP_SYNCNT, "TCP_SYNCNT"},
                                                    {TCP_LINGER2, "TCP_LINGER2"},
                                                    {TCP_DEFER_ACCEPT, "TCP_DEFER_ACCEPT"},
                                                    {TCP_WINDOW_CLAMP, "TCP_WINDOW_CLAMP"},
                                                    {TCP_INFO, "TCP_INFO"},
                                                    {TCP_QUICKACK, "TCP_QUICKACK"},
                                                    {TCP_CONGESTION, "TCP_CONGESTION"},
                                                    {TCP_USER_TIMEOUT, "TCP_USER_TIMEOUT"},
                                                    {TCP_FASTOPEN, "TCP_FASTOPEN"},
                                                    {TCP_NOTSENT_LOWAT, "TCP_NOTSENT_LOWAT"},
                                                    {TCP_REPAIR, "TCP_REPAIR"}}};
  return name_of(option, kNames);
}

std::string_view option_name(int level, int option) {
  switch (level) {
    case SOL_SOCKET:
      return socket_option(option);
    case IPPROTO_TCP:
      return tcp_option(option);
    case IPPROTO_UDP:
      return option == UDP_CORK ? "UDP_CORK" : "";
    case IPPROTO_IPV6:
      return option == IPV6_V6ONLY ? "IPV6_V6ONLY" : "";
    default:
      return "";
  }
}

}  // namespace

Words option(int level, int option) {
  Words out;
  if (std::string_view name = level_name(level); !name.empty())
    out += name;
  else
    out += level;
  out += ", ";
  if (std::string_view name = option_name(level, option); !name.empty())
    out += name;
  else
    out += option;
  return out;
}

Words option_value(const std::vector<int>& value) {
  if (value.size() == 1) return text(value[0]);
  Words out = "{";
  for (std::size_t i = 0; i < value.size(); ++i) (out += i > 0 ? ", " : "") += value[i];
  out += '}';
  return out;
}

}  // namespace wakepath::kernel::words
