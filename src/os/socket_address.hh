#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "src/os/endpoint.hh"

namespace wakepath::os {

/// The address of an IPv4 or IPv6 socket, or of none (`family` AF_UNSPEC). Plain data of 24 bytes.
struct SocketAddress {
  /// As sockaddr wants it: storage, and how much of it is meant.
  struct Native {
    sockaddr_storage storage{};
    socklen_t size = 0;
    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  };

  uint16_t family = AF_UNSPEC;      ///< AF_INET, AF_INET6 or AF_UNSPEC
  uint16_t port = 0;                ///< in the order of this machine
  std::array<uint8_t, 16> bytes{};  ///< in the order of the network; IPv4 uses the first four
  uint32_t scope = 0;               ///< IPv6: sin6_scope_id

  SocketAddress() = default;
  SocketAddress(Endpoint endpoint);  // an Endpoint is one, wherever one is wanted
  bool operator==(const SocketAddress&) const = default;

  bool present() const { return family != AF_UNSPEC; }
  Native native() const;
  /// AF_UNSPEC for any other family.
  static SocketAddress from(const sockaddr_storage& storage);
  /// "127.0.0.1" or "::1" alone, without a name service; an empty text is any address of the machine (IPv4).
  static std::optional<SocketAddress> parse(std::string_view text, uint16_t port);
  /// When it is IPv4.
  std::optional<Endpoint> ipv4() const;
  /// "127.0.0.1:53", "[::1]:53", "" when there is none.
  std::string to_string() const;

  /// As 7 bytes (IPv4) or 19 (IPv6): 0 or 1, then port and address in the order of the network; "" when there is none.
  /// The scope is left out.
  std::string packed() const;
  static std::optional<SocketAddress> unpack(std::string_view packed);
};

}  // namespace wakepath::os
