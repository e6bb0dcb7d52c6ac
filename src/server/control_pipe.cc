#include "src/server/control_pipe.hh"

#include <fcntl.h>

#include <cerrno>
#include <type_traits>

#include "src/os/retry.hh"

namespace wakepath::server {

static_assert(std::has_unique_object_representations_v<Command> && std::is_trivially_copyable_v<Command> &&
              sizeof(Command) <= 64);

std::string_view name_of(CommandKind kind) {
  switch (kind) {
    case CommandKind::listen:
      return "listen";
    case CommandKind::start:
      return "start";
    case CommandKind::pause:
      return "pause";
    case CommandKind::release:
      return "release";
    case CommandKind::connect:
      return "connect";
    case CommandKind::bind:
      return "bind";
    case CommandKind::udp:
      return "udp";
    case CommandKind::dial:
      return "dial";
    case CommandKind::write:
      return "write";
    case CommandKind::option:
      return "option";
    case CommandKind::finish:
      return "finish";
    case CommandKind::close:
      return "close";
    case CommandKind::exit:
      return "exit";
  }
  return "?";
}

namespace {
probe::CommandStep step_of(const Command& command, bool in_place = false) {
  return {.serial = command.serial,
          .name = name_of(command.kind),
          .letter = static_cast<char>(command.kind),
          .socket = command.id,
          .in_place = in_place};
}
}  // namespace

ControlPipe::~ControlPipe() {
  for (int fd : fds_)
    if (fd >= 0) os_.close(fd);
}

int ControlPipe::open() { return os_.pipe2(fds_, O_CLOEXEC | O_NONBLOCK); }

int ControlPipe::try_send(Command command) {
  if (stopped_.load()) return -EPIPE;
  command.serial = ++last_serial_;
  probe_.command_sent(step_of(command));
  const ssize_t written = os::retry_on_eintr([&] { return os_.write(fds_[1], &command, sizeof command); });
  if (written < 0) return static_cast<int>(written);
  written_.fetch_add(1);
  return 0;
}

int ControlPipe::send(Command command) {
  for (;;) {
    int result = try_send(command);
    if (result != -EAGAIN) return result;
    // Queue first, then look again: a command read between the two attempts would be missed otherwise.
    os::Lock hold(lock_);
    ++waiting_for_room_;
    if (written_.load() > read_.load() && !stopped_.load()) result = room_.wait(lock_);
    --waiting_for_room_;
    if (result == -ECANCELED) return result;
  }
}

int ControlPipe::give_to_self(Command& command) {
  if (stopped_.load()) return -EPIPE;
  command.serial = ++last_serial_;
  probe_.command_sent(step_of(command, true));
  probe_.command_executed(step_of(command, true));
  return 0;
}

void ControlPipe::stop() {
  os::Lock hold(lock_);
  stopped_.store(true);
  room_.notify_all();
}

bool ControlPipe::receive(Command& command) {
  if (next_ == buffered_) {
    next_ = buffered_ = 0;
    const ssize_t got = os::retry_on_eintr([&] { return os_.read(fds_[0], commands_.data(), sizeof commands_); });
    if (got <= 0) return false;
    buffered_ = static_cast<size_t>(got) / sizeof(Command);  // written whole, so read whole
    read_.fetch_add(buffered_);
    if (waiting_for_room_.load() > 0) {
      os::Lock hold(lock_);
      room_.notify_all();
    }
  }
  command = commands_[next_++];
  probe_.command_executed(step_of(command));
  return true;
}

}  // namespace wakepath::server
