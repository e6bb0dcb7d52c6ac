#include "src/service/gate.hh"

#include <cerrno>
#include <utility>

#include "src/service/runtime.hh"

namespace wakepath::service {

Gate::Gate(Options options, GateHandler handler) : options_(std::move(options)), handler_(std::move(handler)) {
  options_.where.options.starts_accepted = false;  // whoever is one too many is never read from
}

int Gate::start(std::string&) {
  const ListenAt& where = options_.where;
  const server::Opened listening = runtime().listen(self(), where.host, where.port, where.options);
  if (listening.error < 0) return listening.error;
  listener_ = listening.id;
  sockets().start(self(), listener_);
  return 0;
}

void Gate::on_accept(server::Message& message) {
  const server::SocketId client = message.accepted;
  if (clients_.size() >= options_.max_clients) return sockets().shutdown(client);
  clients_[client].address = message.text;
  sockets().start(self(), client);
}

void Gate::on_open(server::Message& message) {
  const auto client = clients_.find(message.id);
  if (client == clients_.end()) return;  // the listener
  client->second.known = !handler_.connect || handler_.connect(*this, message.id, client->second.address);
  if (client->second.known) return;
  clients_.erase(client);
  sockets().shutdown(message.id);
}

void Gate::on_data(server::Message& message) {
  auto client = clients_.find(message.id);
  if (client == clients_.end()) return;
  client->second.frames.add(message.data.view());
  while (const auto whole = client->second.frames.next()) {
    if (handler_.message) handler_.message(*this, message.id, *whole);
    client = clients_.find(message.id);
    if (client == clients_.end()) return;  // kicked
  }
}

void Gate::on_close(server::Message& message) { drop(message.id, "closed", false); }

void Gate::on_error(server::Message& message) {
  if (message.id == listener_) return log(message.text);
  drop(message.id, message.text, true);
}

void Gate::drop(server::SocketId client, std::string_view reason, bool now) {
  if (now) {
    sockets().shutdown(client);
  } else {
    sockets().close(client);
  }
  const auto gone = clients_.extract(client);
  if (!gone.empty() && gone.mapped().known && handler_.disconnect) handler_.disconnect(*this, client, reason);
}

int Gate::send(server::SocketId client, std::string_view message) {
  if (message.size() > FrameReader::kMost) return -EMSGSIZE;
  return sockets().send(client, framed(message));
}

void Gate::kick(server::SocketId client, std::string_view reason) { drop(client, reason, false); }

Gate::Options gate_at(ListenAt where) { return {.where = std::move(where)}; }

GateHandler echoing_handler() {
  return {.message = [](Gate& gate, server::SocketId client, std::string_view message) { gate.send(client, message); }};
}

}  // namespace wakepath::service
