#include "src/server/control_pipe.hh"

#include <fcntl.h>

#include <cerrno>
#include <type_traits>
#include <utility>

#include "src/os/retry.hh"

namespace wakepath::server {

static_assert(std::is_trivially_copyable_v<Command> && sizeof(Command) <= 64);

std::string_view name_of(CommandKind kind) {
  switch (kind) {
    case CommandKind::listen:
      return "listen";
    case CommandKind::start:
      return "start";
    case CommandKind::pause:
      return "pause";
    case CommandKind::connect:
      return "connect";
    case CommandKind::send:
      return "send";
    case CommandKind::close:
      return "close";
    case CommandKind::exit:
      return "exit";
  }
  return "?";
}

namespace {
probe::CommandStep step_of(const Command& command) {
  return {.serial = command.serial,
          .name = name_of(command.kind),
          .letter = static_cast<char>(command.kind),
          .socket = command.id,
          .bytes = command.payload};
}
}  // namespace

ControlPipe::~ControlPipe() {
  for (int fd : fds_)
    if (fd >= 0) os_.close(fd);
}

int ControlPipe::open() { return os_.pipe2(fds_, O_CLOEXEC | O_NONBLOCK); }

int ControlPipe::try_send(Command command, std::string& payload) {
  if (stopped_.load()) return -EPIPE;
  command.serial = ++last_serial_;
  command.payload = payload.size();
  if (!payload.empty()) {
    os::Lock hold(lock_);
    payloads_[command.serial] = std::move(payload);
  }
  probe_.command_sent(step_of(command));
  const ssize_t written = os::retry_on_eintr([&] { return os_.write(fds_[1], &command, sizeof command); });
  if (written < 0) {
    if (command.payload > 0) {
      os::Lock hold(lock_);
      payload = std::move(payloads_[command.serial]);
      payloads_.erase(command.serial);
    }
    return static_cast<int>(written);
  }
  written_.fetch_add(1);
  return 0;
}

int ControlPipe::send(Command command, std::string payload) {
  for (;;) {
    int result = try_send(command, payload);
    if (result != -EAGAIN) return result;
    // Queue first, then look again: a command read between the two attempts would be missed otherwise.
    os::Lock hold(lock_);
    ++waiting_for_room_;
    if (waiting() && !stopped_.load()) result = room_.wait(lock_);
    --waiting_for_room_;
    if (result == -ECANCELED) return result;
  }
}

void ControlPipe::stop() {
  os::Lock hold(lock_);
  stopped_.store(true);
  room_.notify_all();
}

bool ControlPipe::receive(Command& command, std::string& payload) {
  const ssize_t got = os::retry_on_eintr([&] { return os_.read(fds_[0], &command, sizeof command); });
  if (got != static_cast<ssize_t>(sizeof command)) return false;
  read_.fetch_add(1);
  payload.clear();
  if (command.payload > 0) {
    os::Lock hold(lock_);
    auto found = payloads_.extract(command.serial);
    payload = std::move(found.mapped());
  }
  if (waiting_for_room_.load() > 0) {
    os::Lock hold(lock_);
    room_.notify_all();
  }
  probe_.command_executed(step_of(command));
  return true;
}

}  // namespace wakepath::server
