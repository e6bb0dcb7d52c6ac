#include "src/service/message.hh"

namespace wakepath::service {

using server::MessageType;

std::string_view type_of(const Message& message) {
  switch (message.kind) {
    case MessageKind::socket:
      return server::name_of(message.socket.type);
    case MessageKind::timeout:
      return "timeout";
    case MessageKind::request:
      return "request";
    case MessageKind::response:
      return "response";
    case MessageKind::failure:
      return "failure";
  }
  return "?";
}

std::string_view callback_of(const Message& message) {
  switch (message.kind) {
    case MessageKind::timeout:
      return "on_timeout";
    case MessageKind::request:
      return "on_request";
    case MessageKind::response:
    case MessageKind::failure:
      return "on_response";
    case MessageKind::socket:
      break;
  }
  switch (message.socket.type) {
    case MessageType::open:
      return "on_open";
    case MessageType::accept:
      return "on_accept";
    case MessageType::data:
      return "on_data";
    case MessageType::udp:
      return "on_udp";
    case MessageType::close:
      return "on_close";
    case MessageType::error:
    case MessageType::reset:
      return "on_error";
    case MessageType::warning:
      return "on_warning";
    case MessageType::exit:
      break;
  }
  return "?";
}

}  // namespace wakepath::service
