#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "src/os/mutex.hh"
#include "src/os/os.hh"
#include "src/probe/probe.hh"
#include "src/server/slots.hh"

namespace wakepath::server {

/// What another thread, or a callback, asks of the poll thread. The letters are skynet's.
enum class CommandKind : char {
  listen = 'L',   ///< take over a listening descriptor
  start = 'R',    ///< begin or resume to read or accept
  pause = 'S',    ///< stop reading for a while
  connect = 'O',  ///< open a connection
  send = 'D',     ///< send the payload
  close = 'K',    ///< close; `now` drops what is not sent
  exit = 'X',     ///< leave the poll loop
};

std::string_view name_of(CommandKind kind);

/// A command as it lies in the pipe, and nothing else does. Small enough to be written atomically (pipe(7), PIPE_BUF).
struct Command {
  CommandKind kind = CommandKind::exit;
  bool now = false;
  uint16_t port = 0;
  ServiceId service = 0;
  SocketId id = 0;
  uint32_t address = 0;
  int32_t fd = -1;
  uint64_t serial = 0;   ///< from 1; also the key of the payload, which stays in memory
  uint64_t payload = 0;  ///< its bytes
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

  /// Any thread. Returns 0, or -EAGAIN when the pipe is full (and nothing was sent; `payload` is as it was; another
  /// attempt counts as another command), or -EPIPE after stop().
  int try_send(Command command, std::string& payload);
  /// Any thread but the receiver's. As try_send, but waits while the pipe is full.
  int send(Command command, std::string payload);
  /// The receiver's thread. The next command and its payload; false when the pipe is empty.
  bool receive(Command& command, std::string& payload);
  /// The receiver's thread: nobody will read any more. Senders that wait are sent away with -EPIPE.
  void stop();
  /// Whether receive() would surely find a command: known without a call.
  bool waiting() const { return written_.load() > read_.load(); }

 private:
  os::Os& os_;
  probe::Probe& probe_;
  int fds_[2] = {-1, -1};
  std::atomic<uint64_t> last_serial_{0};
  /// Commands written and read. `read_` may be ahead for the moment between a write and its being counted.
  std::atomic<uint64_t> written_{0};
  std::atomic<uint64_t> read_{0};
  os::Mutex lock_;
  os::Condition room_;
  std::map<uint64_t, std::string> payloads_;  // by serial, under lock_
  std::atomic<int> waiting_for_room_{0};
  std::atomic<bool> stopped_{false};
};

}  // namespace wakepath::server
