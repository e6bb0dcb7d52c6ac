#include "src/service/runtime.hh"

#include <cerrno>
#include <exception>
#include <utility>

namespace wakepath::service {

Runtime::Runtime(os::Os& os, probe::Probe& probe, RuntimeOptions options)
    : os_(os),
      probe_(probe),
      options_(std::move(options)),
      sockets_(os, probe, options_.sockets),
      contexts_(os),
      run_queue_(os),
      timers_(os),
      monitor_(os, options_.monitor_period_ns),
      log_lock_(os),
      names_lock_(os) {}

Runtime::~Runtime() { stop(); }

int Runtime::open() {
  const int error = sockets_.open();
  opened_ = error == 0;
  return error;
}

Launched Runtime::launch(std::unique_ptr<Service> service, std::string name) {
  if (stopping_.load()) return {.error = -ESHUTDOWN};
  Handle handle = 0;
  Context* context = contexts_.reserve(handle);
  if (context == nullptr) return {.error = -ENOSPC, .why = "there are too many services"};
  {
    os::Lock hold(names_lock_);
    if (!name.empty() && !names_.emplace(name, handle).second) {
      contexts_.release(*context);
      return {.error = -EEXIST, .why = "a service of that name exists: " + name};
    }
  }
  service->runtime_ = this;
  service->self_ = handle;
  context->name = std::string(service->name());
  context->quick.store(service->always_quick());
  context->scheduled = true;  // nobody runs it before start() is through
  context->dying.store(false);
  context->message_ns = 0;
  context->runs = 0;
  context->figures.messages = 0;
  context->figures.errors = 0;
  context->figures.busy_ns = 0;
  context->service = std::move(service);
  probe_.service_begins(handle, context->name);
  contexts_.publish(*context, handle);
  Launched launched{.handle = handle};
  try {
    launched.error = context->service->start(launched.why);
  } catch (const std::exception& thrown) {
    launched = {.error = -EFAULT, .why = thrown.what()};
  }
  if (launched.error < 0) {
    launched.handle = 0;
    retire(*context);
    return launched;
  }
  bool waiting = false;
  {
    os::WordLock hold(os_, context->lock);
    waiting = context->mailbox.size() > 0 || context->dying.load();
    context->scheduled = waiting;
  }
  if (waiting) schedule(*context);
  return launched;
}

int Runtime::kill(Handle handle) {
  Context* context = contexts_.find(handle);
  if (context == nullptr) return -ESRCH;
  bool run = false;
  {
    os::WordLock hold(os_, context->lock);
    if (context->handle.load() != handle) return -ESRCH;
    context->dying.store(true);
    run = !std::exchange(context->scheduled, true);
  }
  if (run) schedule(*context);
  return 0;
}

int Runtime::send(Handle to, Message message) {
  if (stopping_.load() && message.kind == MessageKind::request) return -ESHUTDOWN;
  return push(to, message);
}

/// `message` is untouched when it cannot be delivered. `from`: a socket that is to be held when too much waits; then
/// the calling thread is the socket thread.
int Runtime::push(Handle to, Message& message, server::SocketId from) {
  Context* context = contexts_.find(to);
  if (context == nullptr) return -ESRCH;
  probe::MessageStep step{.service = to,
                          .type = type_of(message),
                          .socket = message.socket.id,
                          .bytes = message.text.size() + message.socket.data.size()};
  bool run = false;
  bool full = false;
  size_t overload = 0;
  {
    os::WordLock hold(os_, context->lock);
    if (context->handle.load() != to || context->dying.load()) return -ESRCH;
    step.serial = context->mailbox.push(std::move(message));
    step.waiting = context->mailbox.size();
    overload = context->mailbox.overload();
    full = from != 0 && context->mailbox.bytes() > options_.mailbox_limit;
    if (full) context->held.push_back(from);
    run = !std::exchange(context->scheduled, true);
    probe_.message_pushed(step);  // under the lock: nobody can take it before it is told
  }
  if (full) sockets_.hold(from);  // whoever has made room meanwhile asks through the control pipe: that comes later
  if (overload > 0) log(to, "may be overloaded: " + std::to_string(overload) + " messages wait");
  if (run) schedule(*context);
  return 0;
}

void Runtime::release(const std::vector<server::SocketId>& held) {
  for (const server::SocketId id : held) sockets_.release(id);
}

/// Gives a context that was just marked as scheduled to a thread.
void Runtime::schedule(Context& context) {
  const bool here = options_.in_place && context.quick.load(std::memory_order_relaxed) &&
                    os::this_thread_mark() == socket_thread_mark_.load(std::memory_order_relaxed);
  if (here) {
    in_place_.push_back(&context);
  } else {
    run_queue_.push(context);
  }
}

void Runtime::timeout(Handle service, Session session, int64_t delay_ns) {
  if (stopping_.load()) return;
  Message message{.kind = MessageKind::timeout, .session = session};
  if (delay_ns <= 0) {
    push(service, message);
  } else {
    timers_.add(os_.monotonic_ns() + delay_ns, {.service = service, .session = session});
  }
}

Handle Runtime::find(std::string_view name) {
  os::Lock hold(names_lock_);
  const auto found = names_.find(name);
  return found == names_.end() ? 0 : found->second;
}

std::vector<ServiceInfo> Runtime::list() {
  std::vector<ServiceInfo> services;
  for (size_t i = 0; i < contexts_.made(); ++i) {
    Context& context = contexts_.at(i);
    os::WordLock hold(os_, context.lock);
    if (context.handle.load() == 0) continue;
    services.push_back({.handle = context.handle.load(),
                        .name = context.name,
                        .messages = context.figures.messages,
                        .errors = context.figures.errors,
                        .busy_ns = context.figures.busy_ns,
                        .waiting = context.mailbox.size(),
                        .quick = context.quick.load()});
  }
  return services;
}

void Runtime::log(Handle service, std::string_view text) {
  if (!options_.log) return;
  os::Lock hold(log_lock_);
  options_.log(service, text);
}

server::Opened Runtime::listen(Handle owner, const std::string& host, uint16_t port,
                               const server::ListenOptions& options) {
  const server::Opened opened = sockets_.listen(owner, host, port, options);
  if (opened.error < 0) return opened;
  os::Lock hold(names_lock_);
  listening_.push_back(opened.address);
  return opened;
}

std::vector<os::SocketAddress> Runtime::listening() {
  os::Lock hold(names_lock_);
  return listening_;
}

}  // namespace wakepath::service
