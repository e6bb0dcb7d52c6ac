#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "src/scenario/kernel_calls.hh"

namespace wakepath::scenario {

socklen_t to_sockaddr(const Address& address, sockaddr_storage& out) {
  switch (address.family) {
    case Address::Family::ipv4: {
      sockaddr_in in{};
      in.sin_family = AF_INET;
      in.sin_port = htons(static_cast<uint16_t>(address.port));
      std::memcpy(&in.sin_addr, address.ip.data(), 4);
      std::memcpy(&out, &in, sizeof in);
      return sizeof in;
    }
    case Address::Family::ipv6: {
      sockaddr_in6 in{};
      in.sin6_family = AF_INET6;
      in.sin6_port = htons(static_cast<uint16_t>(address.port));
      std::memcpy(&in.sin6_addr, address.ip.data(), 16);
      std::memcpy(&out, &in, sizeof in);
      return sizeof in;
    }
    case Address::Family::unix_abstract: {
      sockaddr_un un{};
      un.sun_family = AF_UNIX;
      std::memcpy(un.sun_path + 1, address.name.data(), std::min(address.name.size(), sizeof un.sun_path - 1));
      std::memcpy(&out, &un, sizeof un);
      return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + address.name.size());
    }
    case Address::Family::unspecified: {
      const sockaddr_in nobody{};
      std::memcpy(&out, &nobody, sizeof nobody);
      return sizeof nobody;
    }
    case Address::Family::none:
      break;
  }
  return 0;
}

Address from_sockaddr(const sockaddr_storage& in, socklen_t size) {
  Address out;
  if (size < sizeof(sa_family_t)) {
    return out;
  }
  if (in.ss_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &in, sizeof v4);
    out.family = Address::Family::ipv4;
    out.port = ntohs(v4.sin_port);
    std::memcpy(out.ip.data(), &v4.sin_addr, 4);
  } else if (in.ss_family == AF_INET6) {
    sockaddr_in6 v6;
    std::memcpy(&v6, &in, sizeof v6);
    out.family = Address::Family::ipv6;
    out.port = ntohs(v6.sin6_port);
    std::memcpy(out.ip.data(), &v6.sin6_addr, 16);
  } else if (in.ss_family == AF_UNIX) {
    sockaddr_un un;
    std::memcpy(&un, &in, sizeof un);
    out.family = Address::Family::unix_abstract;
    const size_t start = offsetof(sockaddr_un, sun_path) + 1;
    if (size > start) {
      out.name.assign(un.sun_path + 1, size - start);
    }
  }
  return out;
}

}  // namespace wakepath::scenario
