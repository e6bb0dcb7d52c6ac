#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "src/os/os.hh"
#include "src/os/socket_address.hh"
#include "src/os/this_thread.hh"
#include "src/probe/probe.hh"
#include "src/server/buffer.hh"
#include "src/server/control_pipe.hh"
#include "src/server/message.hh"
#include "src/server/options.hh"
#include "src/server/payload.hh"
#include "src/server/poller.hh"
#include "src/server/slots.hh"

namespace wakepath::server {

/// The socket-server: one poll thread owns the sockets, everybody else asks it through the control pipe and hears of
/// what happened by messages. In the manner of skynet's socket_server: ids that outlive their sockets, two-step accept
/// (accepted, then started), close that drains, one message returned by poll() at a time.
///
/// The functions under "any thread" may be called from anywhere, callbacks on the poll thread included. What is asked
/// of an id that is gone is ignored (start answers with an error message), as is everything after the exit.
/// The poll thread's own commands are executed where they are given, everybody else's by the poll thread, soon.
class SocketServer {
 public:
  SocketServer(os::Os& os, probe::Probe& probe, SocketServerOptions options = {});
  ~SocketServer();
  SocketServer(const SocketServer&) = delete;
  SocketServer& operator=(const SocketServer&) = delete;

  /// Opens poller, control pipe and spare descriptor; once, before anything else. 0 or a negative errno; -ENOSYS when
  /// the machine has no such poller.
  int open();

  // ---- any thread: opening (socket_server_open.cc)
  /// Binds and listens here and now; accepting waits for start(). -EADDRINUSE when the port is taken.
  Opened listen(ServiceId owner, os::SocketAddress address, const ListenOptions& options = {});
  /// `host`: a name or an address; "" is any address of this machine. Looks names up in the calling thread.
  Opened listen(ServiceId owner, const std::string& host, uint16_t port, const ListenOptions& options = {});
  /// Starts to connect: an open message follows, or an error message. Can be sent to at once.
  Opened connect(ServiceId owner, os::SocketAddress address);
  /// Every address of that name is tried before there is an error message.
  Opened connect(ServiceId owner, const std::string& host, uint16_t port);
  /// Reads and writes somebody else's descriptor, of any kind that can be waited for, and never closes it. It is
  /// non-blocking meanwhile. Who gives a pipe must ignore SIGPIPE. An open message follows.
  Opened bind(ServiceId owner, int fd);
  /// A UDP socket, bound to `address` (port 0: any). Receives at once; no open message.
  Opened udp(ServiceId owner, os::SocketAddress address);
  /// A UDP socket with a peer: only the peer is heard, and send() goes to it.
  Opened udp_dial(ServiceId owner, os::SocketAddress peer);
  /// Gives a UDP socket a peer, or another one. 0, -EAFNOSUPPORT when it is of the other family, …
  int udp_connect(SocketId id, os::SocketAddress peer);

  // ---- any thread: sending (socket_server_send.cc)
  /// Sends at once when nothing waits to be sent, and keeps the rest. 0 when all is with the kernel or kept; -EBADF: no
  /// such socket; -EPIPE: its sending is over; -ENOTCONN: it does not send (yet); -ENOBUFS: its limit is passed, and it
  /// will be closed.
  int send(SocketId id, Payload payload, Priority priority = Priority::high);
  /// A datagram to `to`, or to the socket's peer when there is no `to`. -EAFNOSUPPORT as above; -EMSGSIZE, …
  int udp_send(SocketId id, os::SocketAddress to, Payload payload);

  // ---- any thread: steering (socket_server.cc)
  /// Begins or resumes to accept or to read; `owner` gets the messages from now on.
  void start(ServiceId owner, SocketId id);
  /// No more data messages until start(): what the peer sends stays in the kernel, which slows the peer down.
  void pause(SocketId id);
  /// Reads no more from the socket until release(): start() and pause() only say what is to be then. For whoever
  /// delivers the messages and has too many of them. The poll thread.
  void hold(SocketId id);
  /// Any thread.
  bool held(SocketId id) const;
  /// Any thread. Nothing happens when it is not held.
  void release(SocketId id);
  /// Half-close: FIN when everything sent is with the kernel; reading goes on.
  void finish(SocketId id);
  /// Closes when everything sent is with the kernel.
  void close(SocketId id);
  /// Closes now; what was not sent yet is dropped.
  void shutdown(SocketId id);
  /// setsockopt(2). At once, with its result; or, when the socket is still to be made by connect(), as soon as it is.
  int set_option(SocketId id, int level, int option, int value);
  int nodelay(SocketId id);
  /// The memory that may wait to be sent through this socket. When it is passed, the socket is closed with an error
  /// message ENOBUFS: a peer that never reads costs so much and no more.
  int limit(SocketId id, size_t bytes);
  /// Makes poll() return an exit message.
  void exit();

  // ---- any thread: looking (socket_info.cc)
  std::vector<SocketInfo> info() const;
  /// id 0 when there is no such socket.
  SocketInfo info(SocketId id) const;
  /// Connections accepted so far.
  uint64_t accepted() const { return accepted_.load(); }

  // ---- the poll thread
  /// Waits for the next message. After an exit message it must not be called again.
  Message poll();
  /// The next message, if there is one without waiting.
  bool try_poll(Message& message);
  /// Whether the next message will probably come without a wait: events of the same batch are left.
  bool more() const { return next_message_ < messages_.size() || ready_index_ < ready_count_; }

 private:
  // socket_server.cc
  int submit(Command command);
  bool next(Message& message, bool may_wait);
  bool fetch(bool may_wait);
  bool is_poll_thread() const { return os::this_thread_mark() == poll_thread_.load(std::memory_order_relaxed); }
  void take_over(Slot& slot, int fd, Sink::Kind kind, os::SocketAddress peer);
  int watch(Slot& slot, bool reading, bool writing);
  void unwatch(Slot& slot);
  int want(Slot& slot, bool reading, bool writing);
  void force_close(Slot& slot);
  Message& raise(const Slot& slot, MessageType type, std::string text = {}, int error = 0);
  void raise_close(Slot& slot);
  void fail(Slot& slot, int error, const std::string& what);
  void replace_poller();

  // socket_server_open.cc
  int bound_socket(int type, os::SocketAddress& address, const ListenOptions* listens);
  Opened hand_over(ServiceId owner, int fd, Sink::Kind kind, os::SocketAddress address, CommandKind command,
                   bool starts_accepted = false);
  Opened connect_to(ServiceId owner, std::vector<os::SocketAddress> addresses);

  // socket_server_commands.cc
  void execute(const Command& command);
  void execute_listen(Slot& slot);
  void execute_connect(Slot& slot);
  void execute_bind(Slot& slot);
  void execute_udp(Slot& slot);
  void execute_start(const Command& command);
  void execute_release(Slot& slot);
  void execute_finish(Slot& slot);
  void execute_close(Slot& slot, bool now);

  // socket_server_send.cc
  struct Attempt;
  int send_to(SocketId id, Payload payload, Priority priority, const os::SocketAddress& to);
  int admits(const Slot& slot, SocketId id, const os::SocketAddress& to) const;
  int put(Slot& slot, Payload payload, Priority priority, const os::SocketAddress& to, Attempt& attempt);
  int64_t now_ns() { return is_poll_thread() ? batch_ns_ : os_.monotonic_ns(); }
  void attend(Slot& slot);
  void on_writable(Slot& slot);
  void on_drained(Slot& slot, bool warned);
  void on_send_failed(Slot& slot, int error);

  // socket_server_events.cc
  void handle(const Ready& ready);
  bool first_time(uint32_t& last_batch) const;
  void on_over(Slot& slot, const Ready& ready);
  bool try_next_target(Slot& slot, int error);
  void on_connect_done(Slot& slot);
  void on_readable(Slot& slot);
  void on_end(Slot& slot);
  void stop_reading_ended();
  void on_datagrams(Slot& slot);
  void again(const Slot& slot, bool readable, bool writable);

  // socket_server_accept.cc
  void on_acceptable(Slot& listener);
  void adopt(Slot& listener, int fd, os::SocketAddress peer);
  void on_descriptors_exhausted(Slot& listener, int error);
  void open_spare();
  void feed_starved_listeners();

  os::Os& os_;
  probe::Probe& probe_;
  SocketServerOptions options_;
  Slots slots_;
  ControlPipe control_;
  std::unique_ptr<Poller> poller_;
  BufferPool* pool_;

  std::array<Ready, Poller::kBatch> batch_;
  std::vector<Ready> ready_;  // what is to be handled: a batch, then what an edge triggered poller would not repeat
  std::vector<Ready> again_;  // of the latter, for the next batch
  size_t ready_index_ = 0, ready_count_ = 0;
  uint32_t batch_number_ = 0;
  int64_t batch_ns_ = 0;         // when the batch was fetched
  int ghost_batches_ = 0;        // in a row, that held an event of no socket
  std::vector<SocketId> ended_;  // by their peers, in this batch, and still watched

  std::vector<Message>
      messages_;  // what one command or event has brought about, from next_message_ on not yet returned
  size_t next_message_ = 0;
  std::vector<char> scratch_;                      // for what is received and copied, because it is short
  int spare_fd_ = -1;                              // given up for a moment when accept finds no free descriptor
  bool any_starved_ = false;                       // some listener waits for a descriptor
  std::atomic<const void*> poll_thread_{nullptr};  // its mark; until the exit message
  std::atomic<uint64_t> accepted_{0};
};

}  // namespace wakepath::server
