// One run of a service: some of its messages, one callback each.

#include <cerrno>
#include <exception>
#include <utility>

#include "src/service/runtime.hh"

namespace wakepath::service {

namespace {
constexpr uint32_t kEnoughRuns = 16;       ///< measured, before a service is trusted to be quick
constexpr int64_t kQuickNs = 20'000;       ///< a message
constexpr int64_t kTooLongNs = 1'000'000;  ///< a run: no longer quick, whatever the mean says
}  // namespace

/// Handles up to `most` messages of a context that is scheduled. Afterwards it is idle, scheduled again, or gone.
/// Returns how long it took.
int64_t Runtime::run(Context& context, Watch& watch, size_t most) {
  thread_local std::vector<Message> messages;  // one thread runs one context at a time
  messages.clear();
  const Handle handle = context.handle.load();
  uint64_t serial = 0;
  size_t left = 0;
  {
    os::WordLock hold(os_, context.lock);
    serial = context.mailbox.take(messages, most);
    left = context.mailbox.size();
  }
  const int64_t began_ns = os_.monotonic_ns();
  watch.begins(handle);
  monitor_.notice();
  size_t done = 0;
  for (Message& message : messages) {
    if (context.dying.load(std::memory_order_relaxed)) {
      refuse(message, handle);
      continue;
    }
    probe_.message_taken({.serial = serial + done,
                          .service = handle,
                          .type = type_of(message),
                          .socket = message.socket.id,
                          .bytes = message.text.size() + message.socket.data.size(),
                          .waiting = messages.size() - done - 1 + left});
    call(context, message, serial + done);
    ++done;
  }
  watch.ends();
  messages.clear();  // gives their memory back before anybody else can run the context
  const int64_t took_ns = os_.monotonic_ns() - began_ns;
  measure(context, done, took_ns);
  if (context.dying.load()) {
    retire(context);
    return took_ns;
  }
  bool again = false;
  std::vector<server::SocketId> released;
  {
    os::WordLock hold(os_, context.lock);
    again = context.mailbox.size() > 0 || context.dying.load();
    if (context.mailbox.bytes() <= options_.mailbox_limit / 2) released.swap(context.held);
    context.scheduled = again;
  }
  release(released);
  if (again) run_queue_.push(context);
  return took_ns;
}

void Runtime::call(Context& context, Message& message, uint64_t serial) {
  const probe::CallbackStep step{
      .service = context.handle.load(), .name = callback_of(message), .socket = message.socket.id, .message = serial};
  const Session asked = message.kind == MessageKind::request ? message.session : 0;
  const Handle asker = message.source;
  std::string thrown;
  probe_.callback_entered(step);
  try {
    handle(*context.service, message);
  } catch (const std::exception& error) {
    thrown = error.what();
  } catch (...) {
    thrown = "something that is no std::exception";
  }
  probe_.callback_left(step);
  handled_.fetch_add(1, std::memory_order_relaxed);
  if (thrown.empty()) return;
  context.figures.errors.add(1);
  log(step.service, std::string(step.name) + " has thrown: " + thrown);
  if (asked == 0) return;
  Message failure{.kind = MessageKind::failure, .source = step.service, .session = asked, .text = thrown};
  push(asker, failure);
}

void Runtime::measure(Context& context, size_t messages, int64_t took_ns) {
  context.figures.messages.add(messages);
  context.figures.busy_ns.add(took_ns);
  if (messages == 0 || context.service->always_quick()) return;
  const int64_t each_ns = took_ns / static_cast<int64_t>(messages);
  context.message_ns += (each_ns - context.message_ns) / 8;
  if (context.runs < kEnoughRuns) ++context.runs;
  if (took_ns > kTooLongNs) context.runs = 0;
  context.quick.store(context.runs >= kEnoughRuns && context.message_ns < kQuickNs, std::memory_order_relaxed);
}

/// Tells whoever waits for an answer that there will be none.
void Runtime::refuse(const Message& message, Handle refusing) {
  if (message.kind != MessageKind::request || message.session == 0) return;
  Message failure{
      .kind = MessageKind::failure, .source = refusing, .session = message.session, .text = "the service is gone"};
  push(message.source, failure);
}

/// Ends a service that nobody runs but the caller. From its handle's going on nothing more can reach it.
void Runtime::retire(Context& context) {
  const Handle handle = context.handle.load();
  std::vector<Message> left;
  std::vector<server::SocketId> held;
  {
    os::WordLock hold(os_, context.lock);
    context.handle.store(0);
    context.mailbox.take(left, context.mailbox.size());
    context.mailbox.clear();
    held.swap(context.held);
  }
  {
    os::Lock hold(names_lock_);
    std::erase_if(names_, [&](const auto& entry) { return entry.second == handle; });
  }
  try {
    context.service.reset();
  } catch (const std::exception& error) {
    log(handle, std::string("its end has thrown: ") + error.what());
  }
  for (const server::SocketInfo& socket : sockets_.info())
    if (socket.owner == handle) sockets_.shutdown(socket.id);
  release(held);  // others may own some by now
  for (Message& message : left) {
    refuse(message, handle);
    if (message.kind == MessageKind::socket && message.socket.accepted != 0) sockets_.shutdown(message.socket.accepted);
  }
  contexts_.release(context);
}

}  // namespace wakepath::service
