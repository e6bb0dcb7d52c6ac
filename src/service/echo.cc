#include "src/service/echo.hh"

#include <utility>

#include "src/service/runtime.hh"

namespace wakepath::service {

int EchoService::start(std::string&) {
  const server::Opened listening = runtime().listen(self(), where_.host, where_.port, where_.options);
  if (listening.error < 0) return listening.error;
  listener_ = listening.id;
  sockets().start(self(), listener_);
  return 0;
}

void EchoService::on_accept(server::Message& message) {
  if (!where_.options.starts_accepted) sockets().start(self(), message.accepted);
}

void EchoService::on_data(server::Message& message) { sockets().send(message.id, std::move(message.data)); }

void EchoService::on_udp(server::Message& message) {
  sockets().udp_send(message.id, message.peer, std::move(message.data));
}

void EchoService::on_close(server::Message& message) { sockets().close(message.id); }

void EchoService::on_error(server::Message& message) {
  if (message.id != listener_) sockets().shutdown(message.id);
}

void EchoService::on_warning(server::Message& message) {
  if (message.kilobytes > 0) {
    sockets().pause(message.id);
  } else {
    sockets().start(self(), message.id);
  }
}

}  // namespace wakepath::service
