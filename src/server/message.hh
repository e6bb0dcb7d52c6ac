#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "src/server/slots.hh"

namespace wakepath::server {

enum class MessageType {
  open,  ///< `id` listens (after listen), may be used (after start), or is connected (after connect). `text` says which
  accept,   ///< listener `id` has the new connection `accepted` from `text`; it does nothing until start(accepted)
  data,     ///< `data` was received
  close,    ///< raised once: the peer has finished (sending still works; close() is still due), or our close is done
  error,    ///< `error` happened; `text` says to what. `id` is gone unless it is a listener or sending alone failed
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
    case MessageType::close:
      return "close";
    case MessageType::error:
      return "error";
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
  SocketId id = 0;
  ServiceId owner = 0;
  SocketId accepted = 0;
  int error = 0;  ///< a positive errno
  size_t kilobytes = 0;
  std::string text;  ///< for people
  std::string data;
};

}  // namespace wakepath::server
