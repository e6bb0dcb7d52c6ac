#include "src/server/socket_server.hh"

#include <cerrno>
#include <system_error>
#include <utility>

namespace wakepath::server {

namespace {
constexpr uint64_t kControlKey = 0;  // no socket has id 0
}

SocketServer::SocketServer(os::Os& os, probe::Probe& probe, SocketServerOptions options)
    : os_(os), options_(options), slots_(options.capacity, probe), control_(os, probe), poller_(os) {}

SocketServer::~SocketServer() {
  Command left;
  std::string payload;
  while (control_.waiting() && control_.receive(left, payload))  // sent after the exit
    if (left.kind == CommandKind::listen) os_.close(left.fd);
  for (Slot& slot : slots_.all()) {
    if (slot.fd < 0) continue;
    os_.close(slot.fd);
    slots_.release(slot);
  }
  if (spare_fd_ >= 0) os_.close(spare_fd_);
}

int SocketServer::open() {
  if (int error = poller_.open(); error < 0) return error;
  if (int error = control_.open(); error < 0) return error;
  if (int error = poller_.add(control_.read_fd(), kControlKey, true, false); error < 0) return error;
  open_spare();
  return spare_fd_ < 0 ? spare_fd_ : 0;
}

Opened SocketServer::listen(ServiceId owner, os::Endpoint endpoint, int backlog) {
  const int fd = os_.socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return {.error = fd};
  // Or connections of an earlier run in TIME_WAIT would keep the port. Both runs must ask for it: this one too, when it
  // takes any port that the next may name.
  const int on = 1;
  int error = os_.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address = endpoint.to_sockaddr();
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (error == 0) error = os_.bind(fd, generic, size);
  if (error == 0) error = os_.listen(fd, backlog);
  if (error == 0) error = os_.getsockname(fd, generic, &size);
  Slot* slot = error == 0 ? slots_.reserve() : nullptr;
  if (slot == nullptr) {
    os_.close(fd);
    return {.error = error == 0 ? -ENOSPC : error};
  }
  const os::Endpoint bound = os::Endpoint::from_sockaddr(address);
  const SocketId id = slot->id.load();
  error = submit({.kind = CommandKind::listen,
                  .port = bound.port,
                  .service = owner,
                  .id = id,
                  .address = bound.address,
                  .fd = fd});
  if (error < 0) {
    os_.close(fd);
    slots_.release(*slot);
    return {.error = error};
  }
  return {.id = id, .endpoint = bound};
}

Opened SocketServer::connect(ServiceId owner, os::Endpoint endpoint) {
  Slot* slot = slots_.reserve();
  if (slot == nullptr) return {.error = -ENOSPC};
  const SocketId id = slot->id.load();
  const int error = submit(
      {.kind = CommandKind::connect, .port = endpoint.port, .service = owner, .id = id, .address = endpoint.address});
  if (error < 0) {
    slots_.release(*slot);
    return {.error = error};
  }
  return {.id = id, .endpoint = endpoint};
}

void SocketServer::start(ServiceId owner, SocketId id) {
  submit({.kind = CommandKind::start, .service = owner, .id = id});
}
void SocketServer::pause(SocketId id) { submit({.kind = CommandKind::pause, .id = id}); }
void SocketServer::send(SocketId id, std::string data) {
  submit({.kind = CommandKind::send, .id = id}, std::move(data));
}
void SocketServer::close(SocketId id) { submit({.kind = CommandKind::close, .id = id}); }
void SocketServer::shutdown(SocketId id) { submit({.kind = CommandKind::close, .now = true, .id = id}); }
void SocketServer::exit() { submit({.kind = CommandKind::exit}); }

int SocketServer::submit(Command command, std::string payload) {
  if (os_.thread_self().id != poll_thread_.load()) return control_.send(command, std::move(payload));
  // The poll thread alone empties the pipe: it must not wait for room, but makes it.
  for (;;) {
    const int result = control_.try_send(command, payload);
    if (result != -EAGAIN) return result;
    Command earlier;
    std::string data;
    if (control_.receive(earlier, data)) execute(earlier, std::move(data));
  }
}

Message SocketServer::poll() {
  poll_thread_.store(os_.thread_self().id);
  for (;;) {
    if (!messages_.empty()) {
      Message message = std::move(messages_.front());
      messages_.pop_front();
      if (message.type == MessageType::exit) control_.stop();
      return message;
    }
    Command command;
    std::string payload;
    if (control_.waiting() && control_.receive(command, payload)) {  // commands go before events
      execute(command, std::move(payload));
      continue;
    }
    if (ready_index_ == ready_count_) {
      ready_index_ = 0;
      ready_count_ = poller_.wait(ready_);
      if (ready_count_ < 0) {  // the machine is being taken down
        messages_.push_back({.type = MessageType::exit, .error = -std::exchange(ready_count_, 0)});
        continue;
      }
      // A command may be in the pipe and not be counted yet: its event says so. Drained first, wherever it stands.
      for (int i = 0; i < ready_count_; ++i)
        if (ready_[static_cast<size_t>(i)].key == kControlKey)
          while (control_.receive(command, payload)) execute(command, std::move(payload));
      continue;
    }
    const Ready& ready = ready_[static_cast<size_t>(ready_index_++)];
    if (ready.key != kControlKey) handle(ready);
  }
}

void SocketServer::take_over(Slot& slot, int fd, ServiceId owner) {
  slot.fd = fd;
  slot.owner = owner;
  slot.read_size = 64;
  slot.warn_at = options_.first_warning;
}

int SocketServer::want(Slot& slot, bool reading, bool writing) {
  if (slot.reading == reading && slot.writing == writing) return 0;
  slot.reading = reading;
  slot.writing = writing;
  return poller_.modify(slot.fd, slot.id.load(), reading, writing);
}

void SocketServer::force_close(Slot& slot) {
  // Closing takes it out of the interest list as well: no descriptor here is ever duplicated (epoll(7)).
  if (slot.fd >= 0) os_.close(slot.fd);
  slots_.release(slot);
  if (any_starved_) feed_starved_listeners();
}

void SocketServer::raise(const Slot& slot, MessageType type, std::string text, int error) {
  messages_.push_back(
      {.type = type, .id = slot.id.load(), .owner = slot.owner, .error = error, .text = std::move(text)});
}

void SocketServer::raise_close(Slot& slot) {
  if (std::exchange(slot.close_reported, true)) return;
  raise(slot, MessageType::close);
}

void SocketServer::fail(Slot& slot, int error, const char* what) {
  // An owner who has had his close message hears no more of this socket.
  if (!slot.close_reported)
    raise(slot, MessageType::error, std::string(what) + ": " + std::generic_category().message(error), error);
  force_close(slot);
}

}  // namespace wakepath::server
