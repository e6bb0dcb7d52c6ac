#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

#include "src/os/mutex.hh"
#include "src/os/os.hh"
#include "src/probe/probe.hh"
#include "src/server/slots.hh"

namespace wakepath::server {

/// What another thread, or a callback, asks of the poll thread. The letters are skynet's, where it has the same.
enum class CommandKind : char {
  listen = 'L',   ///< take over a listening descriptor
  start = 'R',    ///< begin or resume to read or accept
  pause = 'S',    ///< stop reading for a while
  release = 'G',  ///< read on, after hold()
  connect = 'O',  ///< open a connection
  bind = 'B',     ///< read and write somebody else's descriptor
  udp = 'U',      ///< take over a UDP socket
  dial = 'N',     ///< take over a connected UDP socket
  write = 'W',    ///< look at the write buffer: it has something in it, or sending has failed
  option = 'T',   ///< set a socket option
  finish = 'F',   ///< send FIN when all is sent, and go on reading
  close = 'K',    ///< close; `now` drops what is not sent
  exit = 'X',     ///< leave the poll loop
};

std::string_view name_of(CommandKind kind);

/// A command as it lies in the pipe. Small enough to be written atomically (pipe(7), PIPE_BUF); what is larger (the
/// addresses to connect to, the bytes to send) lies in the slot.
struct Command {
  CommandKind kind = CommandKind::exit;
  bool now = false;
  uint16_t unused = 0;  // no gaps: what lies in the pipe is the same in each run
  ServiceId service = 0;
  SocketId id = 0;
  uint64_t serial = 0;  ///< from 1
  int32_t level = 0, option = 0, value = 0;
  int32_t unused_too = 0;
};

/// The way to the poll thread: a pipe of commands, both ends non-blocking, whose read end is watched by the poller.
/// The order of commands is the order of the writes. Any number of senders, one receiver.
class ControlPipe {
 public:
  ControlPipe(os::Os& os, probe::Probe& probe) : os_(os), probe_(probe), lock_(os), room_(os) {}
  ~ControlPipe();
  ControlPipe(const ControlPipe&) = delete;
  ControlPipe& operator=(const ControlPipe&) = delete;

  int open();
  int read_fd() const { return fds_[0]; }

  /// Any thread but the receiver's. Waits while the pipe is full. Returns 0, or -EPIPE after stop().
  int send(Command command);
  /// As send(), but -EAGAIN when the pipe is full; another attempt counts as another command.
  int try_send(Command command);
  /// The receiver's thread. The next command; false when the pipe is empty.
  bool receive(Command& command);
  /// The receiver's thread gives a command to itself, which goes through no pipe: it is to be executed at once. Every
  /// command that was sent before this is called must have been received before, or the order would not hold.
  int give_to_self(Command& command);
  /// The receiver's thread: nobody will read any more. Senders that wait are sent away with -EPIPE.
  void stop();
  /// Whether receive() would surely find a command: known without a call.
  bool waiting() const { return next_ < buffered_ || written_.load() > read_.load(); }

 private:
  static constexpr size_t kAtOnce = 32;  ///< commands taken out by one read(2)

  os::Os& os_;
  probe::Probe& probe_;
  int fds_[2] = {-1, -1};
  std::atomic<uint64_t> last_serial_{0};
  /// Commands written and read. `read_` may be ahead for the moment between a write and its being counted.
  std::atomic<uint64_t> written_{0};
  std::atomic<uint64_t> read_{0};
  std::array<Command, kAtOnce> commands_;  // the receiver's: read, and from next_ on not yet received
  size_t next_ = 0, buffered_ = 0;
  os::Mutex lock_;
  os::Condition room_;
  std::atomic<int> waiting_for_room_{0};
  std::atomic<bool> stopped_{false};
};

}  // namespace wakepath::server
