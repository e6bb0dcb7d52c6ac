#pragma once

#include <cstdint>
#include <string_view>

/// User-level events of the socket-server: what no system call shows. The server calls, an instrument listens.
///
/// Functions are called by the thread to which the event happens, several threads at once, sometimes under a lock of
/// the server: an implementation may take locks of its own but must not call the server. Text is valid during the
/// call only. Ids: a socket's is 0 when there is none; serial numbers start at 1.

namespace wakepath::probe {

struct SlotChange {
  uint64_t socket = 0;  ///< id of the socket in the slot
  uint32_t slot = 0;
  int fd = -1;  ///< -1 while the slot has none
  std::string_view from;
  std::string_view to;
};

struct CommandStep {
  uint64_t serial = 0;    ///< the same when sent and when executed
  std::string_view name;  ///< "listen", "start", "send", …
  char letter = 0;        ///< as it goes through the control pipe
  uint64_t socket = 0;
  bool in_place = false;  ///< the poll thread's own: executed where it is given, without the pipe
};

struct SendStep {
  uint64_t socket = 0;
  uint64_t bytes = 0;    ///< given
  uint64_t taken = 0;    ///< by the kernel, at once
  uint64_t waiting = 0;  ///< in the socket's write buffer after this step
};

struct MessageStep {
  uint64_t serial = 0;    ///< of this message in its service's queue; the same when pushed and when taken
  uint32_t service = 0;   ///< whose queue
  std::string_view type;  ///< "open", "accept", "data", "udp", "close", "error", "reset", "warning"
  uint64_t socket = 0;
  uint64_t bytes = 0;    ///< of payload
  uint64_t waiting = 0;  ///< messages in the queue after this step
};

struct CallbackStep {
  uint32_t service = 0;
  std::string_view name;  ///< of the function: "on_data"
  uint64_t socket = 0;
  uint64_t message = 0;  ///< MessageStep::serial of what it handles
};

class Probe {
 public:
  virtual ~Probe() = default;

  /// A thread of the server starts its work; `role` in two or three words. Called by that thread.
  virtual void thread_begins(std::string_view /*name*/, std::string_view /*role*/) {}
  /// A service exists from now on, with a queue of its own.
  virtual void service_begins(uint32_t /*service*/, std::string_view /*name*/) {}

  virtual void slot_changed(const SlotChange& /*change*/) {}

  /// Just before the write to the control pipe (afterwards it might already be executed).
  virtual void command_sent(const CommandStep& /*step*/) {}
  /// Read from the control pipe, about to be executed.
  virtual void command_executed(const CommandStep& /*step*/) {}

  /// send() by the calling thread, which need not be the poll thread. The system call, if any, came just before.
  virtual void sent(const SendStep& /*step*/) {}

  virtual void message_pushed(const MessageStep& /*step*/) {}
  virtual void message_taken(const MessageStep& /*step*/) {}

  virtual void callback_entered(const CallbackStep& /*step*/) {}
  virtual void callback_left(const CallbackStep& /*step*/) {}
};

}  // namespace wakepath::probe
