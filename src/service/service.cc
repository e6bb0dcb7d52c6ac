#include "src/service/service.hh"

#include <utility>

#include "src/service/runtime.hh"

namespace wakepath::service {

using server::MessageType;

void Service::on_request(Message& request) { respond(request, std::string(name()) + " answers no requests", true); }

server::SocketServer& Service::sockets() const { return runtime_->sockets(); }

void Service::respond(const Message& request, std::string text, bool failed) {
  if (request.session == 0) return;
  runtime_->send(request.source, {.kind = failed ? MessageKind::failure : MessageKind::response,
                                  .source = self_,
                                  .session = request.session,
                                  .text = std::move(text)});
}

void Service::log(std::string_view text) const { runtime_->log(self_, text); }

namespace {

void handle_socket(Service& service, server::Message& message) {
  switch (message.type) {
    case MessageType::open:
      return service.on_open(message);
    case MessageType::accept:
      return service.on_accept(message);
    case MessageType::data:
      return service.on_data(message);
    case MessageType::udp:
      return service.on_udp(message);
    case MessageType::close:
      return service.on_close(message);
    case MessageType::error:
    case MessageType::reset:
      return service.on_error(message);
    case MessageType::warning:
      return service.on_warning(message);
    case MessageType::exit:
      return;
  }
}

}  // namespace

void handle(Service& service, Message& message) {
  switch (message.kind) {
    case MessageKind::socket:
      return handle_socket(service, message.socket);
    case MessageKind::timeout:
      return service.on_timeout(message.session);
    case MessageKind::request:
      return service.on_request(message);
    case MessageKind::response:
    case MessageKind::failure:
      return service.on_response(message);
  }
}

}  // namespace wakepath::service
