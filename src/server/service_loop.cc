#include "src/server/service_loop.hh"

namespace wakepath::server {

ServiceLoop::ServiceLoop(os::Os& os, probe::Probe& probe, SocketServer& server, Service& service, ServiceId id)
    : os_(os), probe_(probe), server_(server), service_(service), id_(id) {
  probe_.service_begins(id_, service_.name());
}

void ServiceLoop::run() {
  probe_.thread_begins(os_.thread_self().name, "poll loop");
  for (;;) {
    Message message = server_.poll();
    if (message.type == MessageType::exit) return;
    probe::MessageStep step{.serial = ++last_serial_,
                            .service = id_,
                            .type = name_of(message.type),
                            .socket = message.id,
                            .bytes = message.data.size(),
                            .waiting = 1};
    probe_.message_pushed(step);
    step.waiting = 0;
    probe_.message_taken(step);
    dispatch(message, last_serial_);
  }
}

void ServiceLoop::dispatch(Message& message, uint64_t serial) {
  probe::CallbackStep step{.service = id_, .socket = message.id, .message = serial};
  auto call = [&](const char* name, auto callback) {
    step.name = name;
    probe_.callback_entered(step);
    (service_.*callback)(message);
    probe_.callback_left(step);
    handled_.add(1);
  };
  switch (message.type) {
    case MessageType::open:
      return call("on_open", &Service::on_open);
    case MessageType::accept:
      return call("on_accept", &Service::on_accept);
    case MessageType::data:
      return call("on_data", &Service::on_data);
    case MessageType::udp:
      return call("on_udp", &Service::on_udp);
    case MessageType::close:
      return call("on_close", &Service::on_close);
    case MessageType::error:
    case MessageType::reset:
      return call("on_error", &Service::on_error);
    case MessageType::warning:
      return call("on_warning", &Service::on_warning);
    case MessageType::exit:
      return;
  }
}

}  // namespace wakepath::server
