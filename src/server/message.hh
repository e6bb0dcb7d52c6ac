#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "src/os/socket_address.hh"
#include "src/server/buffer.hh"
#include "src/server/slots.hh"

namespace wakepath::server {

enum class MessageType : uint8_t {
  open,    ///< `id` listens (after listen), may be used (after start and bind), or is connected. `text` says which
  accept,  ///< listener `id` has the new connection `accepted` from `peer`; unless the listener starts what it accepts,
           ///< it does nothing until start(accepted)
  data,    ///< `data` was received
  udp,     ///< the datagram `data` was received from `peer`
  close,   ///< raised once: the peer has finished (sending still works; close() is still due), or our close is done
  error,   ///< `error` happened; `text` says to what. `id` is gone unless it is a listener or a UDP socket, or sending
           ///< alone failed
  reset,   ///< the peer has reset the connection: `id` is gone, and what was not sent yet with it
  warning,  ///< `kilobytes` wait to be sent; 0: they have all gone
  exit,     ///< the last one: exit() was called
};

constexpr std::string_view name_of(MessageType type) {
  switch (type) {
    case MessageType::open:
      return "open";
    case MessageType::accept:
      return "accept";
    case MessageType::data:
      return "data";
    case MessageType::udp:
      return "udp";
    case MessageType::close:
      return "close";
    case MessageType::error:
      return "error";
    case MessageType::reset:
      return "reset";
    case MessageType::warning:
      return "warning";
    case MessageType::exit:
      return "exit";
  }
  return "?";
}

/// What SocketServer::poll returns, one at a time.
struct Message {
  MessageType type = MessageType::exit;
  int error = 0;  ///< a positive errno
  ServiceId owner = 0;
  SocketId id = 0;
  SocketId accepted = 0;
  size_t kilobytes = 0;
  os::SocketAddress peer;  ///< accept, udp; open of a listener: what it is bound to
  std::string text;        ///< for people
  Buffer data;
};

}  // namespace wakepath::server
