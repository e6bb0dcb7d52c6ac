#include "src/server/socket_server.hh"

#include <fcntl.h>
#include <netinet/tcp.h>

#include <cerrno>
#include <span>
#include <system_error>
#include <utility>

namespace wakepath::server {

namespace {
constexpr uint64_t kControlKey = 0;   // no socket has id 0
constexpr int kStarvedRetryMs = 100;  // somebody else in this process may have closed a descriptor
constexpr int kGhostBatches = 3;      // a child between fork and exec holds our descriptors for a moment
}  // namespace

SocketServer::SocketServer(os::Os& os, probe::Probe& probe, SocketServerOptions options)
    : os_(os),
      probe_(probe),
      options_(options),
      slots_(os, options.capacity, probe),
      control_(os, probe),
      poller_(Poller::make(options.poller, os)),
      pool_(BufferPool::create()),
      scratch_(64 * 1024) {}

SocketServer::~SocketServer() {
  for (size_t i = 0; i < slots_.made(); ++i) {
    Slot& slot = slots_.at(i);
    if (slot.state.load() == SlotState::invalid) continue;
    force_close(slot);
  }
  if (spare_fd_ >= 0) os_.close(spare_fd_);
  messages_.clear();
  pool_->let_go();
}

int SocketServer::open() {
  if (poller_ == nullptr) return -ENOSYS;
  if (int error = poller_->create(); error < 0) return error;
  if (int error = control_.open(); error < 0) return error;
  if (int error = poller_->add(control_.read_fd(), kControlKey, true, false); error < 0) return error;
  open_spare();
  return spare_fd_ < 0 ? spare_fd_ : 0;
}

void SocketServer::start(ServiceId owner, SocketId id) {
  submit({.kind = CommandKind::start, .service = owner, .id = id});
}
void SocketServer::release(SocketId id) { submit({.kind = CommandKind::release, .id = id}); }
void SocketServer::pause(SocketId id) { submit({.kind = CommandKind::pause, .id = id}); }
void SocketServer::finish(SocketId id) { submit({.kind = CommandKind::finish, .id = id}); }
void SocketServer::close(SocketId id) { submit({.kind = CommandKind::close, .id = id}); }
void SocketServer::shutdown(SocketId id) { submit({.kind = CommandKind::close, .now = true, .id = id}); }
void SocketServer::exit() { submit({.kind = CommandKind::exit}); }
int SocketServer::nodelay(SocketId id) { return set_option(id, IPPROTO_TCP, TCP_NODELAY, 1); }

int SocketServer::set_option(SocketId id, int level, int option, int value) {
  Slot* slot = slots_.find(id);
  if (slot == nullptr) return -EBADF;
  {
    os::WordLock hold(os_, slot->lock);
    if (slot->id.load() != id) return -EBADF;
    if (slot->fd >= 0) return os_.setsockopt(slot->fd, level, option, &value, sizeof value);
  }
  return submit({.kind = CommandKind::option, .id = id, .level = level, .option = option, .value = value});
}

int SocketServer::limit(SocketId id, size_t bytes) {
  Slot* slot = slots_.find(id);
  if (slot == nullptr) return -EBADF;
  os::WordLock hold(os_, slot->lock);
  if (slot->id.load() != id) return -EBADF;
  slot->write_limit = bytes;
  return 0;
}

int SocketServer::submit(Command command) {
  if (!is_poll_thread()) return control_.send(command);
  // What others have sent before this is called goes first, as through the pipe.
  Command earlier;
  while (control_.waiting() && control_.receive(earlier)) execute(earlier);
  if (int error = control_.give_to_self(command); error < 0) return error;
  execute(command);
  return 0;
}

Message SocketServer::poll() {
  Message message;
  next(message, true);
  return message;
}

bool SocketServer::try_poll(Message& message) { return next(message, false); }

bool SocketServer::next(Message& message, bool may_wait) {
  poll_thread_.store(os::this_thread_mark(), std::memory_order_relaxed);
  for (;;) {
    if (next_message_ < messages_.size()) {
      message = std::move(messages_[next_message_++]);
      if (next_message_ == messages_.size()) {
        messages_.clear();  // its memory stays
        next_message_ = 0;
      }
      if (message.type == MessageType::exit) {
        control_.stop();
        poll_thread_.store(nullptr, std::memory_order_relaxed);
      }
      return true;
    }
    Command command;
    if (control_.waiting() && control_.receive(command)) {  // commands go before events
      execute(command);
    } else if (ready_index_ < ready_count_) {
      // With a thousand sockets and more, each one's slot has left the caches since its last event.
      if (ready_index_ + 1 < ready_count_) slots_.prefetch(ready_[ready_index_ + 1].key);
      handle(ready_[ready_index_++]);
    } else if (!fetch(may_wait)) {
      return false;
    }
  }
}

/// The next batch of events. False when there is none and waiting is not allowed.
bool SocketServer::fetch(bool may_wait) {
  stop_reading_ended();
  const int timeout_ms = !may_wait || !again_.empty() ? 0 : any_starved_ ? kStarvedRetryMs : -1;
  const int count = poller_->wait(batch_, timeout_ms);
  batch_ns_ = os_.monotonic_ns();
  ++batch_number_;
  ready_index_ = ready_count_ = 0;
  if (count < 0) {  // the machine is being taken down
    messages_.push_back({.type = MessageType::exit, .error = -count});
    return true;
  }
  if (count == 0 && any_starved_) feed_starved_listeners();
  ready_.clear();
  bool ghosts = false, commands = false;
  for (const Ready& ready : std::span(batch_).first(static_cast<size_t>(count))) {
    if (ready.key == kControlKey) {
      commands = true;
      continue;
    }
    ready_.push_back(ready);
    if (slots_.find(ready.key) == nullptr) ghosts = true;
  }
  ghost_batches_ = ghosts ? ghost_batches_ + 1 : 0;
  if (ghost_batches_ == kGhostBatches) replace_poller();
  ready_.insert(ready_.end(), again_.begin(), again_.end());
  again_.clear();
  ready_count_ = ready_.size();
  // A command may be in the pipe and not be counted yet: its event says so.
  Command command;
  while (commands && control_.receive(command)) execute(command);
  return may_wait || ready_count_ > 0 || next_message_ < messages_.size();
}

/// Somebody holds a duplicate of a descriptor that was closed here: the registration lives on in the kernel, is
/// reported for ever, and cannot be named any more (epoll(7), questions 6 and 7). A new poller knows nothing of it.
void SocketServer::replace_poller() {
  ghost_batches_ = 0;
  poller_->release();
  if (poller_->create() < 0) return;  // wait() fails, which ends the loop
  poller_->add(control_.read_fd(), kControlKey, true, false);
  for (size_t i = 0; i < slots_.made(); ++i) {
    Slot& slot = slots_.at(i);
    const SlotState state = slot.state.load();
    if (state == SlotState::invalid || state == SlotState::reserve) continue;  // another thread's
    if (slot.watched && poller_->add(slot.fd, slot.id.load(), slot.reading, slot.writing) < 0) slot.watched = false;
  }
}

/// Gives the slot its descriptor. The thread that has reserved it, or the poll thread.
void SocketServer::take_over(Slot& slot, int fd, Sink::Kind kind, os::SocketAddress peer) {
  os::WordLock hold(os_, slot.lock);
  slot.fd = fd;
  slot.kind = kind;
  slot.peer = peer;
  slot.warn_at = options_.first_warning;
  slot.write_limit = options_.write_limit;
}

int SocketServer::watch(Slot& slot, bool reading, bool writing) {
  slot.reading = reading;
  slot.writing = writing;
  const int error = poller_->add(slot.fd, slot.id.load(), reading, writing);
  slot.watched = error == 0;
  return error;
}

void SocketServer::unwatch(Slot& slot) {
  if (slot.watched) poller_->del(slot.fd);
  slot.watched = false;
  slot.reading = slot.writing = false;
}

int SocketServer::want(Slot& slot, bool reading, bool writing) {
  if (!slot.watched) return watch(slot, reading, writing);
  if (slot.reading == reading && slot.writing == writing) return 0;
  const int error = poller_->enable(slot.fd, slot.id.load(), reading, writing);
  if (error < 0) return error;  // the flags say what the poller does: its next event leads here again
  slot.reading = reading;
  slot.writing = writing;
  return 0;
}

void SocketServer::force_close(Slot& slot) {
  const bool foreign = slot.foreign, blocking = slot.was_blocking;
  // Closing takes a descriptor out of the interest list as well, as long as nobody has a duplicate of it (epoll(7));
  // should somebody have one, fetch() notices.
  if (foreign) unwatch(slot);
  const int fd = slots_.release(slot);  // first: no other thread sends to a number that may be another socket's soon
  if (fd < 0) return;
  if (!foreign) {
    os_.close(fd);
  } else if (blocking) {
    if (const int flags = os_.fcntl(fd, F_GETFL, 0); flags >= 0) os_.fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
  }
  if (any_starved_) feed_starved_listeners();
}

Message& SocketServer::raise(const Slot& slot, MessageType type, std::string text, int error) {
  messages_.push_back(
      {.type = type, .error = error, .owner = slot.owner, .id = slot.id.load(), .text = std::move(text)});
  return messages_.back();
}

void SocketServer::raise_close(Slot& slot) {
  if (slot.close_reported) return;
  slot.close_reported = true;
  raise(slot, MessageType::close);
}

void SocketServer::fail(Slot& slot, int error, const std::string& what) {
  // An owner who has had his close message hears no more of this socket.
  if (!slot.close_reported)
    raise(slot, error == ECONNRESET ? MessageType::reset : MessageType::error,
          what + ": " + std::generic_category().message(error), error);
  force_close(slot);
}

}  // namespace wakepath::server
