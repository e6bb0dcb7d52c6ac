// What the poll thread does for each command of the control pipe.

#include <cerrno>
#include <utility>

#include "src/server/socket_server.hh"

namespace wakepath::server {

void SocketServer::execute(const Command& command, std::string payload) {
  switch (command.kind) {
    case CommandKind::listen:
      return execute_listen(command);
    case CommandKind::connect:
      return execute_connect(command);
    case CommandKind::start:
      return execute_start(command);
    case CommandKind::exit:
      messages_.push_back({.type = MessageType::exit});
      return;
    case CommandKind::pause:
    case CommandKind::send:
    case CommandKind::close:
      break;
  }
  Slot* slot = slots_.find(command.id);
  if (slot == nullptr || slot->fd < 0) return;  // gone in the meantime: whoever sent this will hear or has heard of it
  if (command.kind == CommandKind::pause) want(*slot, false, slot->writing);
  if (command.kind == CommandKind::send) execute_send(*slot, std::move(payload));
  if (command.kind == CommandKind::close) execute_close(*slot, command.now);
}

void SocketServer::execute_listen(const Command& command) {
  Slot& slot = *slots_.find(command.id);  // reserved by the sender: it cannot be gone
  take_over(slot, command.fd, command.service);
  slot.peer = {.address = command.address, .port = command.port};
  if (int error = poller_.add(slot.fd, command.id, false, false); error < 0) return fail(slot, -error, "epoll_ctl");
  slots_.change(slot, SlotState::plisten);
  raise(slot, MessageType::open, "listening " + slot.peer.to_string());
}

void SocketServer::execute_connect(const Command& command) {
  Slot& slot = *slots_.find(command.id);  // reserved by the sender: it cannot be gone
  slot.owner = command.service;
  slot.peer = {.address = command.address, .port = command.port};
  const int fd = os_.socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return fail(slot, -fd, "socket");
  take_over(slot, fd, command.service);
  const sockaddr_in address = slot.peer.to_sockaddr();
  const int error = os_.connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const bool pending = error == -EINPROGRESS || error == -EINTR;
  if (error < 0 && !pending) return fail(slot, -error, "connect");
  slot.reading = !pending;
  slot.writing = pending;
  if (int added = poller_.add(fd, command.id, slot.reading, slot.writing); added < 0)
    return fail(slot, -added, "epoll_ctl");
  slots_.change(slot, pending ? SlotState::connecting : SlotState::connected);
  if (!pending) raise(slot, MessageType::open, "connected " + slot.peer.to_string());
}

void SocketServer::execute_start(const Command& command) {
  Slot* slot = slots_.find(command.id);
  const SlotState state = slot == nullptr ? SlotState::invalid : slot->state.load();
  const bool startable = state == SlotState::plisten || state == SlotState::listen || state == SlotState::paccept ||
                         state == SlotState::connected || state == SlotState::halfclose_write;
  if (!startable || slot->closing) {
    messages_.push_back({.type = MessageType::error,
                         .id = command.id,
                         .owner = command.service,
                         .error = EBADF,
                         .text = "start: the socket is closed"});
    return;
  }
  slot->owner = command.service;
  slot->starved = false;
  if (int error = want(*slot, true, slot->writing); error < 0) return fail(*slot, -error, "epoll_ctl");
  if (state == SlotState::plisten) slots_.change(*slot, SlotState::listen);
  if (state == SlotState::paccept) slots_.change(*slot, SlotState::connected);
  if (state == SlotState::plisten || state == SlotState::paccept) raise(*slot, MessageType::open, "start");
}

void SocketServer::execute_send(Slot& slot, std::string data) {
  const SlotState state = slot.state.load();
  const bool can_send = state == SlotState::connecting || state == SlotState::connected ||
                        (state == SlotState::halfclose_read && !slot.closing);
  if (!can_send) return;
  const bool idle = slot.out.empty() && state != SlotState::connecting;
  slot.out.append(std::move(data));
  if (idle) {  // as likely as not the kernel takes it all, and EPOLLOUT is never needed
    const int result = slot.out.flush(os_, slot.fd);
    if (result != 0 && result != -EAGAIN) return on_send_failed(slot, -result);
    if (result == -EAGAIN) want(slot, slot.reading, true);
  }
  if (slot.out.bytes() < slot.warn_at) return;
  while (slot.out.bytes() >= slot.warn_at) slot.warn_at *= 2;
  raise(slot, MessageType::warning);
  messages_.back().kilobytes = (slot.out.bytes() + 1023) / 1024;
}

void SocketServer::execute_close(Slot& slot, bool now) {
  const SlotState state = slot.state.load();
  const bool drains =
      !now && !slot.out.empty() && (state == SlotState::connected || state == SlotState::halfclose_read);
  if (!drains) {
    raise_close(slot);
    return force_close(slot);
  }
  slot.closing = true;
  if (state == SlotState::connected) slots_.change(slot, SlotState::halfclose_read);
  want(slot, false, true);  // what the peer still sends is not read any more
}

}  // namespace wakepath::server
