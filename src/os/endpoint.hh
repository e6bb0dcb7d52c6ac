#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wakepath::os {

/// An IPv4 address and a port, both in the order of this machine.
struct Endpoint {
  uint32_t address = INADDR_LOOPBACK;
  uint16_t port = 0;

  bool operator==(const Endpoint&) const = default;

  sockaddr_in to_sockaddr() const;
  static Endpoint from_sockaddr(const sockaddr_in& address);
  /// "127.0.0.1" alone, without a name service: nothing when it is not four numbers.
  static std::optional<Endpoint> parse(std::string_view address, uint16_t port);
  /// "127.0.0.1:8080"
  std::string to_string() const;
};

}  // namespace wakepath::os
