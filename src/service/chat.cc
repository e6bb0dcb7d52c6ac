#include "src/service/chat.hh"

#include <memory>
#include <utility>

#include "src/service/runtime.hh"

namespace wakepath::service {

int ChatService::start(std::string&) {
  where_.options.starts_accepted = true;  // so that a guest can be greeted at once
  const server::Opened listening = runtime().listen(self(), where_.host, where_.port, where_.options);
  if (listening.error < 0) return listening.error;
  listener_ = listening.id;
  sockets().start(self(), listener_);
  return 0;
}

void ChatService::on_accept(server::Message& message) {
  const server::SocketId id = message.accepted;
  const uint64_t number = guests_[id].number = ++last_number_;
  sockets().send(
      id, "you are " + std::to_string(number) + ", " + std::to_string(guests_.size() - 1) + " others are here\n");
  tell_others(id, std::to_string(number) + " has come\n");
}

void ChatService::on_data(server::Message& message) {
  const auto guest = guests_.find(message.id);
  if (guest == guests_.end()) return;
  for (const char letter : message.data.view()) {
    guest->second.line.push_back(letter);
    if (letter == '\n')
      tell_others(message.id, std::to_string(guest->second.number) + ": " + std::exchange(guest->second.line, {}));
  }
  if (guest->second.line.size() > kLongestLine) leave(message.id, false);
}

void ChatService::on_close(server::Message& message) { leave(message.id, false); }

void ChatService::on_error(server::Message& message) {
  if (message.id != listener_) leave(message.id, true);
}

void ChatService::on_warning(server::Message& message) {
  if (message.kilobytes > 0) leave(message.id, true);
}

/// One copy for all of them.
void ChatService::tell_others(server::SocketId sender, const std::string& text) {
  const auto shared = std::make_shared<const std::string>(text);
  for (const auto& [id, guest] : guests_)
    if (id != sender) sockets().send(id, shared);
}

void ChatService::leave(server::SocketId id, bool now) {
  if (now) {
    sockets().shutdown(id);
  } else {
    sockets().close(id);
  }
  const auto guest = guests_.extract(id);
  if (!guest.empty()) tell_others(id, std::to_string(guest.mapped().number) + " has gone\n");
}

}  // namespace wakepath::service
