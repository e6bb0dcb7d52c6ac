// What the poll thread does for each command.

#include <cerrno>
#include <utility>

#include "src/server/socket_server.hh"

namespace wakepath::server {

void SocketServer::execute(const Command& command) {
  if (command.kind == CommandKind::exit) {
    messages_.push_back({.type = MessageType::exit});
    return;
  }
  if (command.kind == CommandKind::start) return execute_start(command);
  Slot* slot = slots_.find(command.id);
  if (slot == nullptr) return;  // gone in the meantime: whoever sent this will hear or has heard of it
  switch (command.kind) {
    case CommandKind::listen:
      slot->owner = command.service;
      return execute_listen(*slot);
    case CommandKind::connect:
      slot->owner = command.service;
      return execute_connect(*slot);
    case CommandKind::bind:
      slot->owner = command.service;
      return execute_bind(*slot);
    case CommandKind::udp:
    case CommandKind::dial:
      slot->owner = command.service;
      return execute_udp(*slot);
    case CommandKind::pause:
      slot->wanted = false;
      if (slot->watched) want(*slot, false, slot->writing);
      return;
    case CommandKind::release:
      return execute_release(*slot);
    case CommandKind::write:
      return attend(*slot);
    case CommandKind::option:
      if (slot->fd >= 0) os_.setsockopt(slot->fd, command.level, command.option, &command.value, sizeof command.value);
      return;
    case CommandKind::finish:
      return execute_finish(*slot);
    case CommandKind::close:
      return execute_close(*slot, command.now);
    case CommandKind::start:
    case CommandKind::exit:
      return;
  }
}

void SocketServer::execute_listen(Slot& slot) {
  if (int error = watch(slot, false, false); error < 0) return fail(slot, -error, "listen");
  slots_.change(slot, SlotState::plisten);
  raise(slot, MessageType::open, "listening " + slot.peer.to_string()).peer = slot.peer;
}

void SocketServer::execute_connect(Slot& slot) {
  if (!try_next_target(slot, ENOENT)) return;
  raise(slot, MessageType::open, "connected " + slot.peer.to_string());
  attend(slot);  // what was sent before
}

void SocketServer::execute_bind(Slot& slot) {
  const int was_set = poller_->nonblocking(slot.fd);
  if (was_set < 0) return fail(slot, -was_set, "bind");
  slot.was_blocking = was_set == 0;
  if (int error = watch(slot, true, false); error < 0) return fail(slot, -error, "bind");
  slots_.change(slot, SlotState::bind);
  raise(slot, MessageType::open, "binding");
  attend(slot);
}

void SocketServer::execute_udp(Slot& slot) {
  if (int error = watch(slot, true, false); error < 0) return fail(slot, -error, "udp");
  slots_.change(slot, SlotState::connected);
  attend(slot);
}

void SocketServer::execute_start(const Command& command) {
  Slot* slot = slots_.find(command.id);
  const SlotState state = slot == nullptr ? SlotState::invalid : slot->state.load();
  const bool startable = state == SlotState::plisten || state == SlotState::listen || state == SlotState::paccept ||
                         state == SlotState::connected || state == SlotState::halfclose_write ||
                         state == SlotState::bind;
  if (!startable || slot->closing) {
    messages_.push_back({.type = MessageType::error,
                         .error = EBADF,
                         .owner = command.service,
                         .id = command.id,
                         .text = "start: the socket is closed"});
    return;
  }
  slot->owner = command.service;
  slot->starved = false;
  if (state == SlotState::plisten) slot->read_size = 1;
  slot->wanted = true;
  if (int error = slot->held ? 0 : want(*slot, true, slot->writing); error < 0) return fail(*slot, -error, "start");
  if (state == SlotState::plisten) slots_.change(*slot, SlotState::listen);
  if (state == SlotState::paccept) slots_.change(*slot, SlotState::connected);
  if (state == SlotState::plisten || state == SlotState::paccept) raise(*slot, MessageType::open, "start");
}

void SocketServer::hold(SocketId id) {
  Slot* slot = slots_.find(id);
  if (slot == nullptr || slot->held || !slot->reading) return;
  slot->held = true;
  slot->wanted = true;
  want(*slot, false, slot->writing);
}

bool SocketServer::held(SocketId id) const {
  const Slot* slot = slots_.find(id);
  return slot != nullptr && slot->held;
}

void SocketServer::execute_release(Slot& slot) {
  if (!slot.held) return;
  slot.held = false;
  const SlotState state = slot.state.load();
  const bool readable =
      state == SlotState::connected || state == SlotState::halfclose_write || state == SlotState::bind;
  if (!slot.wanted || !readable || slot.closing) return;
  if (int error = want(slot, true, slot.writing); error < 0) fail(slot, -error, "release");
}

void SocketServer::execute_finish(Slot& slot) {
  const SlotState state = slot.state.load();
  if (slot.kind == Sink::Kind::datagram) return;
  if (state == SlotState::halfclose_read) return execute_close(slot, false);  // then both directions are over
  if (state != SlotState::connected && state != SlotState::connecting && state != SlotState::bind) return;
  bool drained = false;
  {
    os::WordLock hold(os_, slot.lock);
    slot.finishing = true;
    drained = slot.out.empty();
  }
  if (drained && state != SlotState::connecting) on_drained(slot, false);
}

void SocketServer::execute_close(Slot& slot, bool now) {
  const SlotState state = slot.state.load();
  bool drains = !now && (state == SlotState::connected || state == SlotState::halfclose_read ||
                         state == SlotState::bind || state == SlotState::connecting);
  {
    os::WordLock hold(os_, slot.lock);
    drains = drains && !slot.out.empty() && slot.send_error == 0;
    slot.closing = drains;
  }
  if (!drains) {
    raise_close(slot);
    return force_close(slot);
  }
  if (state == SlotState::connecting) return;  // goes on when it is connected
  if (state != SlotState::halfclose_read) slots_.change(slot, SlotState::halfclose_read);
  want(slot, false, true);  // what the peer still sends is not read any more
}

}  // namespace wakepath::server
