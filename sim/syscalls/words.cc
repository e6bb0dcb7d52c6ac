#include "sim/syscalls/words.hh"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/memfd.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <array>
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

}  // namespace

Words family(int family) {
  switch (family) {
    case AF_INET:
      return "AF_INET";
    case AF_INET6:
      return "AF_INET6";
    case AF_UNIX:
      return "AF_UNIX";
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
    default:
      out += type & 0xf;
  }
  if ((type & SOCK_NONBLOCK) != 0) out += "|SOCK_NONBLOCK";
  if ((type & SOCK_CLOEXEC) != 0) out += "|SOCK_CLOEXEC";
  return out;
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

Words data(std::string_view bytes) {
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

Words pieces(const std::vector<std::string>& pieces) {
  Words out = "[";
  for (std::size_t i = 0; i < pieces.size(); ++i) (out += i == 0 ? "" : ", ") += data(pieces[i]);
  out += ']';
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
    (out += list[i].data) += '}';
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
  static constexpr std::array<Named, 6> kNames = {{{MSG_OOB, "MSG_OOB"},
                                                   {MSG_PEEK, "MSG_PEEK"},
                                                   {MSG_TRUNC, "MSG_TRUNC"},
                                                   {MSG_DONTWAIT, "MSG_DONTWAIT"},
                                                   {MSG_WAITALL, "MSG_WAITALL"},
                                                   {MSG_NOSIGNAL, "MSG_NOSIGNAL"}}};
  return flags(static_cast<u32>(mask), kNames);
}

Words more_flags(int mask) { return mask != 0 ? text(", ", message_flags(mask)) : Words(); }

Words open_flags(int mask) {
  static constexpr std::array<Named, 5> kNames = {{{O_WRONLY, "O_WRONLY"},
                                                   {O_RDWR, "O_RDWR"},
                                                   {O_NONBLOCK, "O_NONBLOCK"},
                                                   {O_APPEND, "O_APPEND"},
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

Words option(int level, int option) {
  if (level == IPPROTO_TCP)
    return option == TCP_NODELAY ? Words("IPPROTO_TCP, TCP_NODELAY") : text("IPPROTO_TCP, ", option);
  if (level != SOL_SOCKET) return text(level, ", ", option);
  static constexpr std::array<Named, 15> kNames = {{{SO_REUSEADDR, "SO_REUSEADDR"},
                                                    {SO_REUSEPORT, "SO_REUSEPORT"},
                                                    {SO_BROADCAST, "SO_BROADCAST"},
                                                    {SO_KEEPALIVE, "SO_KEEPALIVE"},
                                                    {SO_RCVLOWAT, "SO_RCVLOWAT"},
                                                    {SO_RCVBUF, "SO_RCVBUF"},
                                                    {SO_SNDBUF, "SO_SNDBUF"},
                                                    {SO_RCVTIMEO, "SO_RCVTIMEO"},
                                                    {SO_SNDTIMEO, "SO_SNDTIMEO"},
                                                    {SO_LINGER, "SO_LINGER"},
                                                    {SO_ERROR, "SO_ERROR"},
                                                    {SO_TYPE, "SO_TYPE"},
                                                    {SO_ACCEPTCONN, "SO_ACCEPTCONN"},
                                                    {SO_DOMAIN, "SO_DOMAIN"},
                                                    {SO_PROTOCOL, "SO_PROTOCOL"}}};
  for (const auto& [value, name] : kNames)
    if (static_cast<int>(value) == option) return text("SOL_SOCKET, ", name);
  return text("SOL_SOCKET, ", option);
}

Words option_value(const std::vector<int>& value) {
  if (value.size() == 1) return text(value[0]);
  Words out = "{";
  for (std::size_t i = 0; i < value.size(); ++i) (out += i > 0 ? ", " : "") += value[i];
  out += '}';
  return out;
}

}  // namespace wakepath::kernel::words
