#pragma once

#include <utility>

#include "src/server/service.hh"
#include "src/server/socket_server.hh"

namespace wakepath::server {

/// Sends back what it receives (RFC 862). A client that does not read what it gets is not read from either while more
/// than the warning size waits for it, so that a flood is held up at its source.
class EchoService final : public Service {
 public:
  EchoService(SocketServer& server, ServiceId id) : server_(server), id_(id) {}

  std::string_view name() const override { return "echo"; }
  void on_open(const Message&) override {}
  void on_accept(const Message& message) override { server_.start(id_, message.accepted); }
  void on_data(Message& message) override;
  void on_udp(Message& message) override { server_.udp_send(message.id, message.peer, std::move(message.data)); }
  void on_close(const Message& message) override { server_.close(message.id); }
  void on_error(const Message& message) override;
  void on_warning(const Message& message) override;

 private:
  SocketServer& server_;
  ServiceId id_;
};

}  // namespace wakepath::server
