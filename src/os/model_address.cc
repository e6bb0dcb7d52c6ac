#include "src/os/model_address.hh"

#include <netinet/in.h>
#include <sys/time.h>
#include <sys/un.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace wakepath::os {
namespace {

bool is_timeout(int level, int option) {
  return level == SOL_SOCKET && (option == SO_RCVTIMEO || option == SO_SNDTIMEO);
}

template <class T>
T read_as(const sockaddr* address, socklen_t size) {
  T out{};
  std::memcpy(&out, address, std::min<size_t>(size, sizeof out));
  return out;
}

/// sun_path, whose length is what the caller says: an abstract name may hold zero bytes, another one ends at the first.
std::string path_of(const sockaddr_un& address, socklen_t size) {
  constexpr size_t before = offsetof(sockaddr_un, sun_path);
  if (size <= before) return {};
  std::string path(address.sun_path, std::min<size_t>(size - before, sizeof address.sun_path));
  return path[0] == '\0' ? path : path.substr(0, path.find('\0'));
}

struct Bytes {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

Bytes bytes_of(const kernel::Address& address) {
  Bytes out;
  if (address.family == AF_INET6) {
    sockaddr_in6 in6{};
    in6.sin6_family = AF_INET6;
    in6.sin6_port = htons(address.port);
    std::copy(address.ip6.begin(), address.ip6.end(), in6.sin6_addr.s6_addr);
    std::memcpy(&out.storage, &in6, out.size = sizeof in6);
  } else if (address.family == AF_UNIX) {
    sockaddr_un un{};
    un.sun_family = AF_UNIX;
    const size_t length = std::min(address.path.size(), sizeof un.sun_path);
    std::memcpy(un.sun_path, address.path.data(), length);
    std::memcpy(&out.storage, &un, sizeof un);
    out.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
  } else {
    sockaddr_in in{};
    in.sin_family = static_cast<sa_family_t>(address.family);
    in.sin_port = htons(address.port);
    in.sin_addr.s_addr = htonl(address.ip);
    std::memcpy(&out.storage, &in, out.size = sizeof in);
  }
  return out;
}

}  // namespace

kernel::Address model_address(const sockaddr* address, socklen_t size) {
  kernel::Address out;
  out.family = AF_MAX;
  if (address == nullptr || size < sizeof(sa_family_t)) return out;
  const int family = read_as<sockaddr>(address, size).sa_family;
  if (family == AF_INET && size >= sizeof(sockaddr_in)) {
    const auto in = read_as<sockaddr_in>(address, size);
    out.ip = ntohl(in.sin_addr.s_addr);
    out.port = ntohs(in.sin_port);
  } else if (family == AF_INET6 && size >= offsetof(sockaddr_in6, sin6_scope_id)) {
    const auto in6 = read_as<sockaddr_in6>(address, size);
    std::copy_n(in6.sin6_addr.s6_addr, out.ip6.size(), out.ip6.begin());
    out.port = ntohs(in6.sin6_port);
  } else if (family == AF_UNIX) {
    out.path = path_of(read_as<sockaddr_un>(address, size), size);
  } else if (family == AF_INET || family == AF_INET6) {
    return out;
  }
  out.family = family;
  return out;
}

void copy_address(const kernel::Address& address, sockaddr* to, socklen_t* size) {
  if (to == nullptr || size == nullptr) return;
  const Bytes bytes = bytes_of(address);
  std::memcpy(to, &bytes.storage, std::min(*size, bytes.size));
  *size = bytes.size;
}

std::vector<int> option_ints(int level, int option, const void* value, socklen_t size) {
  if (is_timeout(level, option) && size >= sizeof(timeval)) {
    timeval time{};
    std::memcpy(&time, value, sizeof time);
    return {static_cast<int>(time.tv_sec), static_cast<int>(time.tv_usec)};
  }
  std::vector<int> out(is_timeout(level, option) ? 0 : size / sizeof(int));
  if (!out.empty()) std::memcpy(out.data(), value, out.size() * sizeof(int));
  return out;
}

void copy_option(int level, int option, const std::vector<int>& ints, void* to, socklen_t* size) {
  timeval time{};
  const void* from = ints.data();
  size_t length = ints.size() * sizeof(int);
  if (is_timeout(level, option) && ints.size() == 2) {
    time = {.tv_sec = ints[0], .tv_usec = ints[1]};
    from = &time;
    length = sizeof time;
  }
  *size = static_cast<socklen_t>(std::min<size_t>(*size, length));
  if (*size > 0) std::memcpy(to, from, *size);
}

}  // namespace wakepath::os
