#pragma once

#include "src/service/listening.hh"
#include "src/service/service.hh"

namespace wakepath::service {

/// Sends back what it receives (RFC 862). A client that does not read what it gets is not read from either while more
/// than the warning size waits for it, so that a flood is held up at its source.
class EchoService final : public Service {
 public:
  explicit EchoService(ListenAt where = {}) : where_(std::move(where)) {}

  std::string_view name() const override { return "echo"; }
  bool always_quick() const override { return true; }
  int start(std::string& why) override;
  void on_accept(server::Message& message) override;
  void on_data(server::Message& message) override;
  void on_udp(server::Message& message) override;
  void on_close(server::Message& message) override;
  void on_error(server::Message& message) override;
  void on_warning(server::Message& message) override;

 private:
  ListenAt where_;
  server::SocketId listener_ = 0;
};

}  // namespace wakepath::service
