#pragma once

#include <optional>
#include <string_view>

#include "src/os/endpoint.hh"

namespace wakepath::guest {

/// Whether a decoration of -yy says an address of IPv4: "TCP:[127.0.0.1:80->127.0.0.1:9]", "UDP:[127.0.0.1:53]".
bool is_an_address(std::string_view decoration);
/// The own address of it, or its peer's; nullopt when it does not say.
std::optional<os::Endpoint> endpoint_in(std::string_view decoration, bool of_peer);

}  // namespace wakepath::guest
