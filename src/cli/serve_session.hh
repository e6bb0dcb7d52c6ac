#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "src/cli/demo_client.hh"
#include "src/os/endpoint.hh"
#include "src/os/os.hh"
#include "src/probe/probe.hh"
#include "src/server/echo_service.hh"
#include "src/server/service_loop.hh"
#include "src/server/socket_server.hh"

namespace wakepath::cli {

/// One run of the socket-server with its echo service on a thread of its own, and of the demo client on another one.
/// Everything goes through the given Os, which may be a RecordedOs with an instrument behind it, and tells the given
/// Probe; both must outlive the session. Used by one thread.
class ServeSession {
 public:
  ServeSession(os::Os& os, probe::Probe& probe);
  ~ServeSession();  // as stop()
  ServeSession(const ServeSession&) = delete;
  ServeSession& operator=(const ServeSession&) = delete;

  /// Listens on 127.0.0.1 and starts the server's thread. 0 or a negative errno (-EADDRINUSE), and then nothing runs.
  int start(uint16_t port);
  os::Endpoint endpoint() const { return endpoint_; }

  /// Starts the demo client's thread; once. 0 or a negative errno.
  int start_demo(int64_t pause_ns);
  /// Whether a started demo has run to its end. Any thread.
  bool demo_done() const { return demo_done_.load(); }
  /// Waits for the demo's end.
  DemoReport join_demo();

  /// Sends the exit command, waits for the server's thread, closes every descriptor. Does nothing the second time.
  void stop();

  uint64_t connections() const { return connections_; }  ///< accepted; after stop()
  uint64_t messages() const { return messages_; }        ///< handled by the service; after stop()

 private:
  os::Os& os_;
  probe::Probe& probe_;
  std::unique_ptr<server::SocketServer> server_;
  std::unique_ptr<server::EchoService> service_;
  std::unique_ptr<server::ServiceLoop> loop_;
  os::Endpoint endpoint_;
  int server_thread_ = 0;  // 0: not running
  int demo_thread_ = 0;
  std::atomic<bool> demo_done_{false};
  DemoReport demo_report_;
  uint64_t connections_ = 0;
  uint64_t messages_ = 0;
};

}  // namespace wakepath::cli
