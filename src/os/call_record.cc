#include "src/os/call_record.hh"

#include <algorithm>
#include <cstring>

namespace wakepath::os {

Address Address::copy(const sockaddr* from, socklen_t size) {
  Address result;
  if (from == nullptr) return result;
  result.size = std::min<socklen_t>(size, sizeof result.storage);
  std::memcpy(&result.storage, from, result.size);
  return result;
}

std::optional<Endpoint> Address::ipv4() const {
  if (size < sizeof(sockaddr_in) || storage.ss_family != AF_INET) return std::nullopt;
  sockaddr_in in{};
  std::memcpy(&in, &storage, sizeof in);
  return Endpoint::from_sockaddr(in);
}

std::string_view name_of(Call call) {
  static constexpr std::string_view names[] = {
      "socket",     "bind",       "listen",     "accept4", "connect", "getsockname",   "getpeername",
      "setsockopt", "getsockopt", "shutdown",   "close",   "read",    "write",         "send",
      "recv",       "sendto",     "recvfrom",   "fcntl",   "pipe2",   "epoll_create1", "epoll_ctl",
      "epoll_wait", "eventfd2",   "socketpair", "poll"};
  static_assert(std::size(names) == std::variant_size_v<CallArguments>);
  static_assert(static_cast<size_t>(Call::poll) + 1 == std::variant_size_v<CallArguments>);
  return names[static_cast<size_t>(call)];
}

}  // namespace wakepath::os
