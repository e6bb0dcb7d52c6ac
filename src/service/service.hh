#pragma once

#include <string>
#include <string_view>

#include "src/server/socket_server.hh"
#include "src/service/message.hh"

namespace wakepath::service {

class Runtime;

/// Something that handles messages, one after the other: its functions never overlap, though the thread may be another
/// one each time. What it throws is logged, and ends the handling of that message alone.
class Service {
 public:
  virtual ~Service() = default;
  virtual std::string_view name() const = 0;

  /// Called once by launch(), in the launching thread, before any message: 0, or a negative errno and there is no such
  /// service. `why` may say more.
  virtual int start(std::string& why) = 0;

  /// Whether every message is handled in microseconds and without waiting for anything, from the first one on. Of a
  /// service that does not say so, it is found out by measuring.
  virtual bool always_quick() const { return false; }

  virtual void on_open(server::Message&) {}
  virtual void on_accept(server::Message&) {}
  virtual void on_data(server::Message&) {}  ///< may take message.data
  virtual void on_udp(server::Message&) {}   ///< the same
  virtual void on_close(server::Message&) {}
  virtual void on_error(server::Message&) {}  ///< resets as well
  virtual void on_warning(server::Message&) {}
  virtual void on_timeout(Session) {}
  /// The answer goes out by respond(), now or later.
  virtual void on_request(Message& request);
  virtual void on_response(Message&) {}  ///< failures as well

 protected:
  Runtime& runtime() const { return *runtime_; }
  server::SocketServer& sockets() const;
  Handle self() const { return self_; }
  /// A new session of this service.
  Session next_session() { return ++last_session_; }
  /// Answers a request. When nobody waits for an answer, nothing happens.
  void respond(const Message& request, std::string text, bool failed = false);
  void log(std::string_view text) const;

 private:
  friend class Runtime;
  Runtime* runtime_ = nullptr;
  Handle self_ = 0;
  Session last_session_ = 0;
};

/// Calls the function of `service` that `message` is for.
void handle(Service& service, Message& message);

}  // namespace wakepath::service
