#pragma once

#include <string_view>

#include "src/server/message.hh"

namespace wakepath::server {

/// What the messages of a socket are for. A service belongs to one thread at a time: its callbacks never overlap, and
/// everything it needs of the server is asked for by SocketServer's functions for any thread.
class Service {
 public:
  virtual ~Service() = default;
  virtual std::string_view name() const = 0;

  virtual void on_open(const Message& message) = 0;
  virtual void on_accept(const Message& message) = 0;
  virtual void on_data(Message& message) = 0;  ///< may take message.data
  virtual void on_udp(Message& message) = 0;   ///< the same
  virtual void on_close(const Message& message) = 0;
  virtual void on_error(const Message& message) = 0;  ///< resets as well
  virtual void on_warning(const Message& message) = 0;
};

}  // namespace wakepath::server
