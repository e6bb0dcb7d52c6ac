#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "src/service/framing.hh"
#include "src/service/listening.hh"
#include "src/service/service.hh"

namespace wakepath::service {

class Gate;

/// What a gate tells of its clients. Called by the gate's own thread of the moment, one at a time.
struct GateHandler {
  /// A client has come, and may be sent to. False turns it away. It must not kick: it can say false.
  std::function<bool(Gate&, server::SocketId client, const std::string& address)> connect;
  /// A whole message; its bytes are good during the call.
  std::function<void(Gate&, server::SocketId client, std::string_view message)> message;
  /// It is gone, for whatever reason; called once for each client for which connect() said true.
  std::function<void(Gate&, server::SocketId client, std::string_view reason)> disconnect;
};

/// Listens for clients that speak in messages with their length before them, and hands whole messages to a handler.
/// In the manner of skynet's gateserver.
class Gate final : public Service {
 public:
  struct Options {
    ListenAt where;
    size_t max_clients = 1024;  ///< more are turned away at once
    std::string name = "gate";
  };

  Gate(Options options, GateHandler handler);

  std::string_view name() const override { return options_.name; }
  int start(std::string& why) override;
  void on_open(server::Message& message) override;
  void on_accept(server::Message& message) override;
  void on_data(server::Message& message) override;
  void on_close(server::Message& message) override;
  void on_error(server::Message& message) override;

  // ---- for the handler
  /// 0, or what SocketServer::send says; -EMSGSIZE when it is too long for its two bytes of length.
  int send(server::SocketId client, std::string_view message);
  /// When everything sent to it has gone.
  void kick(server::SocketId client, std::string_view reason = "kicked");
  size_t clients() const { return clients_.size(); }
  /// Calls `see(id)` for every client, in the order of their ids.
  template <class See>
  void each(See see) const {
    for (const auto& [id, unused] : clients_) see(id);
  }

 private:
  struct Client {
    std::string address;
    bool known = false;  // connect() has said true
    FrameReader frames;
  };
  void drop(server::SocketId client, std::string_view reason, bool now);

  Options options_;
  GateHandler handler_;
  server::SocketId listener_ = 0;
  std::map<server::SocketId, Client> clients_;
};

/// What `serve --service gate` runs: a gate that sends every message back to its client.
Gate::Options gate_at(ListenAt where);
GateHandler echoing_handler();

}  // namespace wakepath::service
