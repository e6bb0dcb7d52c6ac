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

/// A responder for HTTP/1.1 without files: keep-alive, pipelining, bodies with a length.
class HttpService final : public Service {
 public:
  static constexpr int64_t kLingerNs = 2'000'000'000;  ///< for a client to finish after it has been told to go

  explicit HttpService(ListenAt where = {}) : where_(std::move(where)) {}

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
  ListenAt where_;
  server::SocketId listener_ = 0;
  uint64_t served_ = 0;
  std::unordered_map<server::SocketId, HttpReader> clients_;  // never walked through
  std::unordered_map<Session, server::SocketId> finishing_;   // by the session of their timeout; likewise
};

}  // namespace wakepath::service
