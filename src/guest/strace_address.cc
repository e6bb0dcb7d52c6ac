#include "src/guest/strace_address.hh"

#include <charconv>

namespace wakepath::guest {

namespace {

/// "127.0.0.1:80"
std::optional<os::Endpoint> endpoint(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  uint16_t port = 0;
  const std::string_view digits = text.substr(colon + 1);
  const auto [behind, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || behind != digits.data() + digits.size() || port == 0) return std::nullopt;
  return os::Endpoint::parse(text.substr(0, colon), port);
}

}  // namespace

bool is_an_address(std::string_view decoration) {
  return (decoration.starts_with("TCP:[") || decoration.starts_with("UDP:[")) && decoration.ends_with(']') &&
         decoration.find('.') != std::string_view::npos;
}

std::optional<os::Endpoint> endpoint_in(std::string_view decoration, bool of_peer) {
  if (!is_an_address(decoration)) return std::nullopt;
  const std::string_view both = decoration.substr(5, decoration.size() - 6);
  const std::size_t arrow = both.find("->");
  if (!of_peer) return endpoint(both.substr(0, arrow));
  if (arrow == std::string_view::npos) return std::nullopt;
  return endpoint(both.substr(arrow + 2));
}

}  // namespace wakepath::guest
