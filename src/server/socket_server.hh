#pragma once

#include <array>
#include <atomic>
#include <deque>
#include <string>

#include "src/os/endpoint.hh"
#include "src/os/os.hh"
#include "src/probe/probe.hh"
#include "src/server/control_pipe.hh"
#include "src/server/message.hh"
#include "src/server/poller.hh"
#include "src/server/slots.hh"

namespace wakepath::server {

struct SocketServerOptions {
  size_t capacity = 4096;              ///< sockets at the same time
  size_t first_warning = 1024 * 1024;  ///< bytes waiting in a write buffer that raise the first warning; then doubling
  size_t max_read = 64 * 1024;         ///< bytes asked for by one recv, at most
};

/// What listen() and connect() return: `error` is 0 or a negative errno, and then `id` is 0.
struct Opened {
  int error = 0;
  SocketId id = 0;
  os::Endpoint endpoint;  ///< listen: what it is bound to
};

/// The socket-server: one poll thread owns the sockets, everybody else asks it through the control pipe and hears of
/// what happened by messages. In the manner of skynet's socket_server: ids that outlive their sockets, two-step accept
/// (accepted, then started), close that drains, one message returned by poll() at a time.
///
/// The functions under "any thread" may be called from anywhere, callbacks on the poll thread included; they return
/// before anything is done, and commands for an id that is gone are ignored (start answers with an error message), as
/// are all commands after the exit.
class SocketServer {
 public:
  SocketServer(os::Os& os, probe::Probe& probe, SocketServerOptions options = {});
  ~SocketServer();
  SocketServer(const SocketServer&) = delete;
  SocketServer& operator=(const SocketServer&) = delete;

  /// Opens epoll instance, control pipe and spare descriptor; once, before anything else. 0 or a negative errno.
  int open();

  // ---- any thread
  /// Binds and listens here and now; accepting waits for start(). -EADDRINUSE when the port is taken.
  Opened listen(ServiceId owner, os::Endpoint endpoint, int backlog);
  /// Starts to connect: an open message follows, or an error message.
  Opened connect(ServiceId owner, os::Endpoint endpoint);
  /// Begins or resumes to accept or to read; `owner` gets the messages from now on.
  void start(ServiceId owner, SocketId id);
  /// No more data messages until start(): what the peer sends stays in the kernel, which slows the peer down.
  void pause(SocketId id);
  void send(SocketId id, std::string data);
  /// Closes when everything sent is with the kernel.
  void close(SocketId id);
  /// Closes now; what was not sent yet is dropped.
  void shutdown(SocketId id);
  /// Makes poll() return an exit message.
  void exit();

  // ---- the poll thread
  /// Waits for the next message. After an exit message it must not be called again.
  Message poll();

  /// Connections accepted so far. Any thread.
  uint64_t accepted() const { return accepted_.load(); }

 private:
  // socket_server.cc
  int submit(Command command, std::string payload = {});
  void take_over(Slot& slot, int fd, ServiceId owner);
  int want(Slot& slot, bool reading, bool writing);
  void force_close(Slot& slot);
  void raise(const Slot& slot, MessageType type, std::string text = {}, int error = 0);
  void raise_close(Slot& slot);
  void fail(Slot& slot, int error, const char* what);

  // socket_server_commands.cc
  void execute(const Command& command, std::string payload);
  void execute_listen(const Command& command);
  void execute_connect(const Command& command);
  void execute_start(const Command& command);
  void execute_send(Slot& slot, std::string data);
  void execute_close(Slot& slot, bool now);

  // socket_server_events.cc
  void handle(const Ready& ready);
  void on_acceptable(Slot& listener);
  void adopt(Slot& listener, int fd, os::Endpoint peer);
  void on_descriptors_exhausted(Slot& listener, int error);
  void on_connect_done(Slot& slot);
  void on_readable(Slot& slot);
  void on_writable(Slot& slot);
  void on_send_failed(Slot& slot, int error);
  void open_spare();
  void feed_starved_listeners();

  os::Os& os_;
  SocketServerOptions options_;
  Slots slots_;
  ControlPipe control_;
  Poller poller_;
  std::array<Ready, Poller::kBatch> ready_;
  int ready_count_ = 0;
  int ready_index_ = 0;
  std::deque<Message> messages_;  // what one command or event has brought about, not yet returned
  std::string read_buffer_;
  int spare_fd_ = -1;         // given up for a moment when accept finds no free descriptor
  bool any_starved_ = false;  // some listener waits for a descriptor
  std::atomic<int> poll_thread_{0};
  std::atomic<uint64_t> accepted_{0};
};

}  // namespace wakepath::server
