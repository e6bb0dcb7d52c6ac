#include "src/os/socket_address.hh"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

namespace wakepath::os {

namespace {
/// Bytes of an address of this family.
size_t width(uint16_t family) { return family == AF_INET ? 4 : 16; }
}  // namespace

SocketAddress::SocketAddress(Endpoint endpoint) : family(AF_INET), port(endpoint.port) {
  const uint32_t address = htonl(endpoint.address);
  std::memcpy(bytes.data(), &address, sizeof address);
}

SocketAddress::Native SocketAddress::native() const {
  Native result;
  if (family == AF_INET) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(port);
    std::memcpy(&in.sin_addr, bytes.data(), sizeof in.sin_addr);
    std::memcpy(&result.storage, &in, sizeof in);
    result.size = sizeof in;
  } else if (family == AF_INET6) {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(port);
    in.sin6_scope_id = scope;
    std::memcpy(&in.sin6_addr, bytes.data(), sizeof in.sin6_addr);
    std::memcpy(&result.storage, &in, sizeof in);
    result.size = sizeof in;
  }
  return result;
}

SocketAddress SocketAddress::from(const sockaddr_storage& storage) {
  SocketAddress result;
  if (storage.ss_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &storage, sizeof in);
    return Endpoint::from_sockaddr(in);
  }
  if (storage.ss_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, &storage, sizeof in);
    result.family = AF_INET6;
    result.port = ntohs(in.sin6_port);
    result.scope = in.sin6_scope_id;
    std::memcpy(result.bytes.data(), &in.sin6_addr, sizeof in.sin6_addr);
  }
  return result;
}

std::optional<SocketAddress> SocketAddress::parse(std::string_view text, uint16_t port) {
  if (text.empty()) return SocketAddress(Endpoint{.address = INADDR_ANY, .port = port});
  if (auto endpoint = Endpoint::parse(text, port)) return SocketAddress(*endpoint);
  in6_addr parsed{};
  if (inet_pton(AF_INET6, std::string(text).c_str(), &parsed) != 1) return std::nullopt;
  SocketAddress result;
  result.family = AF_INET6;
  result.port = port;
  std::memcpy(result.bytes.data(), &parsed, sizeof parsed);
  return result;
}

std::optional<Endpoint> SocketAddress::ipv4() const {
  if (family != AF_INET) return std::nullopt;
  uint32_t address = 0;
  std::memcpy(&address, bytes.data(), sizeof address);
  return Endpoint{.address = ntohl(address), .port = port};
}

std::string SocketAddress::to_string() const {
  if (!present()) return "";
  char text[INET6_ADDRSTRLEN] = {};
  inet_ntop(family, bytes.data(), text, sizeof text);
  const std::string address = family == AF_INET6 ? "[" + std::string(text) + "]" : text;
  return address + ":" + std::to_string(port);
}

std::string SocketAddress::packed() const {
  if (!present()) return "";
  std::string result{static_cast<char>(family == AF_INET ? 0 : 1), static_cast<char>(port >> 8),
                     static_cast<char>(port & 0xff)};
  result.append(reinterpret_cast<const char*>(bytes.data()), width(family));
  return result;
}

std::optional<SocketAddress> SocketAddress::unpack(std::string_view packed) {
  SocketAddress result;
  if (packed.empty() || packed[0] < 0 || packed[0] > 1) return std::nullopt;
  result.family = packed[0] == 0 ? AF_INET : AF_INET6;
  if (packed.size() != 3 + width(result.family)) return std::nullopt;
  result.port = static_cast<uint16_t>(static_cast<uint8_t>(packed[1]) << 8 | static_cast<uint8_t>(packed[2]));
  std::copy(packed.begin() + 3, packed.end(), reinterpret_cast<char*>(result.bytes.data()));
  return result;
}

}  // namespace wakepath::os
