#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "src/cli/demo_client.hh"
#include "src/cli/serve_services.hh"
#include "src/os/endpoint.hh"
#include "src/os/os.hh"
#include "src/probe/probe.hh"
#include "src/service/runtime.hh"

namespace wakepath::cli {

/// What a session runs.
struct ServeSetup {
  std::vector<ServiceChoice> services = {{}};
  int threads = 2;  ///< workers
  server::PollerKind poller = server::PollerKind::epoll_level;
  /// Bytes of a connection's first read: so few that epoll is seen to report again what was not read. 0: plenty.
  size_t first_read = 64;
  std::vector<service::HostCommand> commands = {};  ///< of the console, besides its own
};

/// One run of the socket-server with its services, and of the demo client on a thread of its own.
/// Everything goes through the given Os, which may be a RecordedOs with an instrument behind it, and tells the given
/// Probe; both must outlive the session. Used by one thread.
class ServeSession {
 public:
  ServeSession(os::Os& os, probe::Probe& probe);
  ~ServeSession();  // as stop()
  ServeSession(const ServeSession&) = delete;
  ServeSession& operator=(const ServeSession&) = delete;

  /// Listens on 127.0.0.1 and starts the threads. 0 or a negative errno (-EADDRINUSE), and then nothing runs.
  int start(const ServeSetup& setup);
  /// An echo service.
  int start(uint16_t port) { return start({.services = {{.port = port}}}); }
  /// More about why start() has failed: a sentence, or nothing; and which of the services it was.
  const std::string& failure() const { return failure_; }
  const ServiceChoice& failed() const { return failed_; }
  /// Where the first service listens, and where all do.
  os::Endpoint endpoint() const { return endpoint_; }
  const std::vector<os::SocketAddress>& listening() const { return listening_; }

  /// What a command of the console answers (service/console.hh). While it runs; the starting thread.
  std::string console(std::string_view line);

  /// Starts the demo client's thread; once. 0 or a negative errno.
  int start_demo(int64_t pause_ns);
  /// Whether a started demo has run to its end. Any thread.
  bool demo_done() const { return demo_done_.load(); }
  /// Waits for the demo's end.
  DemoReport join_demo();

  /// Sends the exit command, waits for the server's thread, closes every descriptor. Does nothing the second time.
  void stop();

  uint64_t connections() const { return connections_; }  ///< accepted; after stop()
  uint64_t messages() const { return messages_; }        ///< handled by the services; after stop()

 private:
  os::Os& os_;
  probe::Probe& probe_;
  std::unique_ptr<service::Runtime> runtime_;
  os::Endpoint endpoint_;
  std::vector<os::SocketAddress> listening_;
  std::string failure_;
  ServiceChoice failed_;
  int demo_thread_ = 0;
  std::atomic<bool> demo_done_{false};
  DemoReport demo_report_;
  uint64_t connections_ = 0;
  uint64_t messages_ = 0;
};

}  // namespace wakepath::cli
