#include "src/server/echo_service.hh"

#include <cerrno>
#include <utility>

namespace wakepath::server {

void EchoService::on_data(Message& message) { server_.send(message.id, std::move(message.data)); }

void EchoService::on_error(const Message& message) {
  // Most errors have ended the socket. One that takes no more data is of no use to an echo, so it ends too; a
  // connection turned away by the listener ends nothing.
  if (message.error == EPIPE || message.error == ECONNRESET) server_.close(message.id);
}

void EchoService::on_warning(const Message& message) {
  if (message.kilobytes > 0) {
    server_.pause(message.id);
  } else {
    server_.start(id_, message.id);
  }
}

}  // namespace wakepath::server
