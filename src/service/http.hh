#pragma once

#include <string>
#include <unordered_map>

#include "src/service/http_request.hh"
#include "src/service/listening.hh"
#include "src/service/service.hh"

namespace wakepath::service {

/// What is there to be had, without a connection: `GET /` greets, `GET /stat` tells how many requests there were,
/// `POST /echo` returns the body; HEAD where GET is. 404 and 405 otherwise.
struct HttpAnswer {
  int status = 200;
  std::string body;
  std::string allow;  ///< of 405: the methods that would do
};
HttpAnswer answer(const HttpRequest& request, uint64_t served);

/// The answer as it goes out. `head_only`: the length of the body, without the body.
std::string render(const HttpAnswer& answer, bool keep_alive, bool head_only);

/// A responder for HTTP/1.1 without files: keep-alive, pipelining, bodies with a length. A client that has not
/// completed a request for a while is let go, be it idle or one that sends a byte now and then: after once to twice the
/// patience.
class HttpService final : public Service {
 public:
  static constexpr int64_t kLingerNs = 2'000'000'000;  ///< for a client to finish after it has been told to go

  static constexpr int64_t kPatienceNs = 30'000'000'000;

  explicit HttpService(ListenAt where = {}, int64_t patience_ns = kPatienceNs)
      : where_(std::move(where)), patience_ns_(patience_ns) {}

  std::string_view name() const override { return "http"; }
  bool always_quick() const override { return true; }
  int start(std::string& why) override;
  void on_accept(server::Message& message) override;
  void on_data(server::Message& message) override;
  void on_close(server::Message& message) override;
  void on_error(server::Message& message) override;
  void on_warning(server::Message& message) override;
  void on_timeout(Session session) override;

 private:
  struct Client {
    HttpReader reader;
    bool heard = true;  ///< it has come, or completed a request, since its patience was looked at last
  };

  void begin_patience(server::SocketId id);
  void lose_patience(server::SocketId id);
  /// No more requests: the answer goes out, and what the client still sends is thrown away.
  void let_go(server::SocketId id);

  ListenAt where_;
  int64_t patience_ns_;
  server::SocketId listener_ = 0;
  uint64_t served_ = 0;
  std::unordered_map<server::SocketId, Client> clients_;     // never walked through
  std::unordered_map<Session, server::SocketId> patience_;   // by the session of their timeout; likewise
  std::unordered_map<Session, server::SocketId> finishing_;  // the same of those that are let go
};

}  // namespace wakepath::service
