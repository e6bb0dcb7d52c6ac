#include "src/scenario/model_address.hh"

#include <sys/socket.h>

namespace wakepath::scenario {

kernel::Address to_model(const Address& address) {
  kernel::Address out;
  out.port = static_cast<kernel::u16>(address.port);
  switch (address.family) {
    case Address::Family::ipv6:
      out.family = AF_INET6;
      std::copy_n(address.ip.begin(), out.ip6.size(), out.ip6.begin());
      break;
    case Address::Family::unix_abstract:
      out.family = AF_UNIX;
      out.path = std::string(1, '\0') + address.name;
      break;
    case Address::Family::unspecified:
      out.family = AF_UNSPEC;
      break;
    default:
      for (size_t i = 0; i < 4; ++i) {
        out.ip = out.ip << 8 | address.ip[i];
      }
      break;
  }
  return out;
}

Address from_model(const kernel::Address& address) {
  Address out;
  if (address.family == AF_UNIX) {
    out.family = Address::Family::unix_abstract;
    out.name = address.path.empty() ? "" : address.path.substr(1);
    return out;
  }
  if (address.family == AF_INET6) {
    out.family = Address::Family::ipv6;
    out.ip = address.ip6;
    out.port = address.port;
    return out;
  }
  out.family = Address::Family::ipv4;
  for (size_t i = 0; i < 4; ++i) {
    out.ip[i] = static_cast<uint8_t>(address.ip >> (24 - 8 * i));
  }
  out.port = address.port;
  return out;
}

}  // namespace wakepath::scenario
