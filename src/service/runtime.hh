#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "src/os/mutex.hh"
#include "src/os/os.hh"
#include "src/probe/probe.hh"
#include "src/server/socket_server.hh"
#include "src/service/context.hh"
#include "src/service/monitor.hh"
#include "src/service/run_queue.hh"
#include "src/service/timers.hh"

namespace wakepath::service {

/// A command that the console has besides its own: of whoever runs the runtime.
struct HostCommand {
  std::string word;
  std::string help;                                           ///< lines as the console's own
  std::function<std::string(std::string_view argument)> run;  ///< lines; any thread
};

struct RuntimeOptions {
  int workers = 2;
  /// Whether the socket thread runs quick services itself, as long as that takes it no more than kInPlaceNs a round:
  /// the message is answered before another thread would have been awake.
  bool in_place = true;
  /// Bytes in the queue of a service at which its sockets are read no more, until half of that is handled. At most one
  /// message of each socket comes on top.
  size_t mailbox_limit = size_t{1} << 20;
  int64_t monitor_period_ns = Monitor::kPeriodNs;
  server::SocketServerOptions sockets;
  /// Told what is worth a line, one at a time: of the service with this handle, or of the runtime itself (0).
  std::function<void(Handle, std::string_view)> log;
  std::vector<HostCommand> commands;
};

struct Launched {
  int error = 0;  ///< 0 or a negative errno
  Handle handle = 0;
  std::string why;  ///< more about the error, when there is more
};

/// One service, as list() found it.
struct ServiceInfo {
  Handle handle = 0;
  std::string name;
  uint64_t messages = 0;
  uint64_t errors = 0;
  int64_t busy_ns = 0;
  size_t waiting = 0;
  bool quick = false;
};

/// Services and the threads that run them: the socket thread polls the socket-server and puts each message into the
/// queue of the socket's owner; workers take services that have messages; the timer thread puts timeouts there; the
/// monitor says who is stuck. Nobody wakes up without a reason.
///
/// The functions under "any thread" may be called from callbacks too.
class Runtime {
 public:
  static constexpr int64_t kInPlaceNs = 200'000;  ///< in a row, for services in the socket thread
  static constexpr size_t kMostInPlace = 256;     ///< messages of one service, likewise

  Runtime(os::Os& os, probe::Probe& probe, RuntimeOptions options = {});
  ~Runtime();  ///< as stop()
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  /// Opens the socket-server; once, first. 0 or a negative errno.
  int open();
  /// Starts the threads; once. 0 or a negative errno.
  int start();
  /// Ends the threads when all that has arrived is handled, then the services, then closes the sockets. Requests and
  /// timeouts are no longer taken. Must not be called from a callback. Does nothing the second time.
  void stop();

  // ---- any thread
  /// Brings a service to life, by `name` if that is not empty: nobody else has it then (-EEXIST).
  Launched launch(std::unique_ptr<Service> service, std::string name = {});
  /// Ends a service after the callback that it is in; its sockets are closed, whoever waits for its answers hears of
  /// it. 0, or -ESRCH.
  int kill(Handle handle);
  /// Puts a message into the queue of `to`: 0; -ESRCH: there is no such service; -ESHUTDOWN: everything is coming to
  /// its end.
  int send(Handle to, Message message);
  /// A timeout message for `service` in `delay_ns`.
  void timeout(Handle service, Session session, int64_t delay_ns);
  /// The service of that name; 0 when there is none.
  Handle find(std::string_view name);
  std::vector<ServiceInfo> list();
  void log(Handle service, std::string_view text);
  server::SocketServer& sockets() { return sockets_; }
  const std::vector<HostCommand>& host_commands() const { return options_.commands; }
  os::Os& os() { return os_; }
  /// Listens, and keeps in mind where.
  server::Opened listen(Handle owner, const std::string& host, uint16_t port, const server::ListenOptions& options);
  /// Where services listen, in the order in which they began to.
  std::vector<os::SocketAddress> listening();
  /// Messages handled so far, by all services.
  uint64_t handled() const { return handled_.load(std::memory_order_relaxed); }

 private:
  // runtime.cc
  int push(Handle to, Message& message, server::SocketId from = 0);
  void release(const std::vector<server::SocketId>& held);
  void schedule(Context& context);

  // runtime_threads.cc
  void socket_thread(Watch& watch);
  void worker_thread(int number, Watch& watch);
  void timer_thread();
  void route(server::Message& message);
  void run_in_place(Watch& watch, int64_t& left_ns);

  // runtime_dispatch.cc
  int64_t run(Context& context, Watch& watch, size_t most);
  void call(Context& context, Message& message, uint64_t serial);
  void measure(Context& context, size_t messages, int64_t took_ns);
  void retire(Context& context);
  void refuse(const Message& message, Handle refusing);

  os::Os& os_;
  probe::Probe& probe_;
  RuntimeOptions options_;
  server::SocketServer sockets_;
  Contexts contexts_;
  RunQueue run_queue_;
  Timers timers_;
  Monitor monitor_;

  std::vector<int> threads_;  // workers, timer, monitor
  int socket_thread_ = 0;
  std::atomic<const void*> socket_thread_mark_{nullptr};
  std::vector<Context*> in_place_;  // the socket thread's: to be run by itself
  std::atomic<bool> stopping_{false};
  bool opened_ = false;
  std::atomic<uint64_t> handled_{0};

  os::Mutex log_lock_;
  os::Mutex names_lock_;
  std::map<std::string, Handle, std::less<>> names_;
  std::vector<os::SocketAddress> listening_;  // under names_lock_
};

}  // namespace wakepath::service
