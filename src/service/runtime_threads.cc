// The bodies of the threads, and how they begin and end.

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

#include "src/service/runtime.hh"

namespace wakepath::service {

namespace {

/// How much of a queue a worker takes at a time: one message, or all, a half, a quarter, … Workers of different weight
/// keep both a busy service and many small ones going. As skynet has it.
constexpr int kWeights[] = {-1, -1, -1, -1, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1,
                            2,  2,  2,  2,  2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3};

constexpr size_t kLargeBytes = 16 * 1024;  // of a message that is better handled before the next one is read

int weight_of(int worker) { return worker < static_cast<int>(std::size(kWeights)) ? kWeights[worker] : 0; }

}  // namespace

int Runtime::start() {
  auto begin = [&](const std::string& name, std::function<void()> body) {
    const int thread = os_.thread_start(name, std::move(body));
    if (thread >= 0) threads_.push_back(thread);
    return thread;
  };
  Watch& socket_watch = monitor_.add();
  std::vector<Watch*> watches;
  for (int i = 0; i < options_.workers; ++i) watches.push_back(&monitor_.add());
  int error = 0;
  for (int i = 0; i < options_.workers && error >= 0; ++i)
    error = begin("worker-" + std::to_string(i + 1),
                  [this, i, watch = watches[static_cast<size_t>(i)]] { worker_thread(i, *watch); });
  if (error >= 0) error = begin("timer", [this] { timer_thread(); });
  if (error >= 0)
    error = begin("monitor", [this] {
      probe_.thread_begins("monitor", "monitor of the services");
      monitor_.run([this](Handle service) { log(service, "may be stuck: it has been in one callback for a while"); });
    });
  if (error >= 0) {
    error = os_.thread_start("socket-server", [this, &socket_watch] { socket_thread(socket_watch); });
    if (error >= 0) socket_thread_ = error;
  }
  if (error >= 0) return 0;
  stop();
  return error;
}

void Runtime::stop() {
  if (stopping_.exchange(true)) return;
  timers_.stop();
  if (socket_thread_ > 0) {
    sockets_.exit();
    os_.thread_join(std::exchange(socket_thread_, 0));
  }
  run_queue_.stop();  // workers go when nothing is left in it
  monitor_.stop();
  for (const int thread : std::exchange(threads_, {})) os_.thread_join(thread);
  for (size_t i = 0; i < contexts_.made(); ++i)
    if (Context& context = contexts_.at(i); context.handle.load() != 0) context.service.reset();
}

void Runtime::socket_thread(Watch& watch) {
  probe_.thread_begins("socket-server", "poll thread");
  socket_thread_mark_.store(os::this_thread_mark());
  for (bool running = true; running;) {
    server::Message message = sockets_.poll();
    int64_t left_ns = kInPlaceNs;
    do {
      running = message.type != server::MessageType::exit;
      const bool large = message.data.size() >= kLargeBytes;
      if (running) route(message);
      if (large) run_in_place(watch, left_ns);  // its bytes are in the processor's cache now
    } while (running && sockets_.more() && sockets_.try_poll(message));
    run_in_place(watch, left_ns);
  }
  socket_thread_mark_.store(nullptr);
}

void Runtime::route(server::Message& message) {
  Message routed{.kind = MessageKind::socket, .socket = std::move(message)};
  const server::SocketId id = routed.socket.id;
  const server::SocketId accepted = routed.socket.accepted;
  const bool reads = !routed.socket.data.view().empty() && !sockets_.held(id);
  if (push(routed.socket.owner, routed, reads ? id : 0) == 0) return;
  // Its service is gone: nobody would ever close it.
  if (accepted != 0) sockets_.shutdown(accepted);
  sockets_.shutdown(id);
}

/// What has come up for quick services, until it is done or `left_ns` have passed: the workers get the rest.
void Runtime::run_in_place(Watch& watch, int64_t& left_ns) {
  for (size_t i = 0; i < in_place_.size(); ++i) {  // may grow meanwhile
    Context& context = *in_place_[i];
    if (left_ns <= 0) {
      run_queue_.push(context);
      continue;
    }
    left_ns -= run(context, watch, kMostInPlace);
  }
  in_place_.clear();
}

void Runtime::worker_thread(int number, Watch& watch) {
  probe_.thread_begins("worker-" + std::to_string(number + 1), "runs services");
  const int weight = weight_of(number);
  while (Context* context = run_queue_.pop()) {
    size_t most = 1;
    if (weight >= 0) {
      os::WordLock hold(os_, context->lock);
      most = std::max<size_t>(context->mailbox.size() >> weight, 1);
    }
    run(*context, watch, most);
  }
}

void Runtime::timer_thread() {
  probe_.thread_begins("timer", "timeouts of services");
  std::vector<Timers::Due> due;
  while (timers_.wait(due))
    for (const Timers::Due& timer : due) {
      Message message{.kind = MessageKind::timeout, .session = timer.session};
      push(timer.service, message);
    }
}

}  // namespace wakepath::service
