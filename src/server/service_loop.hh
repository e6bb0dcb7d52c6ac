#pragma once

#include <cstdint>

#include "src/probe/probe.hh"
#include "src/server/service.hh"
#include "src/server/socket_server.hh"

namespace wakepath::server {

/// Carries messages from the socket-server to one service: poll and callback, on the thread that runs it. Nothing ever
/// waits in between; the probe is told of a queue that holds one message for a moment.
class ServiceLoop {
 public:
  ServiceLoop(os::Os& os, probe::Probe& probe, SocketServer& server, Service& service, ServiceId id);

  /// Until the server's exit message. Messages before it have all been handled on return.
  void run();
  /// Messages that the service has handled. Any thread.
  uint64_t handled() const { return handled_; }

 private:
  void dispatch(Message& message, uint64_t serial);

  os::Os& os_;
  probe::Probe& probe_;
  SocketServer& server_;
  Service& service_;
  ServiceId id_;
  uint64_t last_serial_ = 0;
  Relaxed<uint64_t> handled_;
};

}  // namespace wakepath::server
