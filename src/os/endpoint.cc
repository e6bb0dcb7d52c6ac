#include "src/os/endpoint.hh"

#include <arpa/inet.h>

namespace wakepath::os {

sockaddr_in Endpoint::to_sockaddr() const {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_port = htons(port);
  result.sin_addr.s_addr = htonl(address);
  return result;
}

Endpoint Endpoint::from_sockaddr(const sockaddr_in& address) {
  return {.address = ntohl(address.sin_addr.s_addr), .port = ntohs(address.sin_port)};
}

std::optional<Endpoint> Endpoint::parse(std::string_view address, uint16_t port) {
  in_addr parsed{};
  if (inet_pton(AF_INET, std::string(address).c_str(), &parsed) != 1) return std::nullopt;
  return Endpoint{.address = ntohl(parsed.s_addr), .port = port};
}

std::string Endpoint::to_string() const {
  char text[INET_ADDRSTRLEN] = {};
  const sockaddr_in in = to_sockaddr();
  inet_ntop(AF_INET, &in.sin_addr, text, sizeof text);
  return std::string(text) + ":" + std::to_string(port);
}

}  // namespace wakepath::os
