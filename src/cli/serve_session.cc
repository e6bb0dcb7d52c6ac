#include "src/cli/serve_session.hh"

#include <fmt/core.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "src/service/console.hh"

namespace wakepath::cli {

namespace {
/// The server should sleep in epoll_wait when the first connection comes: its wake-up is what there is to see.
constexpr int64_t kSettleNs = 20'000'000;

void print_log(service::Handle service, std::string_view text) {
  fmt::print(stderr, "serve: service {}: {}\n", service, text);
}
}  // namespace

ServeSession::ServeSession(os::Os& os, probe::Probe& probe) : os_(os), probe_(probe) {}

ServeSession::~ServeSession() { stop(); }

int ServeSession::start(const ServeSetup& setup) {
  server::SocketServerOptions sockets;
  if (setup.first_read > 0) sockets.min_read = setup.first_read;
  sockets.poller = setup.poller;
  runtime_ = std::make_unique<service::Runtime>(
      os_, probe_,
      service::RuntimeOptions{
          .workers = setup.threads, .sockets = sockets, .log = &print_log, .commands = setup.commands});
  int error = runtime_->open();
  for (const ServiceChoice& choice : setup.services) {
    if (error < 0) break;
    failed_ = choice;
    std::unique_ptr<service::Service> service = make_service(choice, failure_);
    if (service == nullptr) {
      error = -ENOENT;
      break;
    }
    const service::Launched launched = runtime_->launch(std::move(service), choice.name);
    error = launched.error;
    failure_ = launched.why;
  }
  listening_ = runtime_->listening();
  if (!listening_.empty()) endpoint_ = listening_.front().ipv4().value_or(os::Endpoint{});
  if (error >= 0) error = runtime_->start();
  if (error < 0) runtime_.reset();
  return error;
}

std::string ServeSession::console(std::string_view line) { return service::console_answer(*runtime_, line); }

int ServeSession::start_demo(int64_t pause_ns) {
  const int thread = os_.thread_start("demo-client", [this, pause_ns] {
    os_.sleep_ns(kSettleNs);
    demo_report_ = run_demo_client(os_, endpoint_, pause_ns);
    demo_done_.store(true);
  });
  if (thread < 0) return thread;
  demo_thread_ = thread;
  return 0;
}

DemoReport ServeSession::join_demo() {
  if (demo_thread_ > 0) os_.thread_join(demo_thread_);
  demo_thread_ = 0;
  return demo_report_;
}

void ServeSession::stop() {
  if (runtime_ != nullptr) {
    runtime_->stop();
    connections_ = runtime_->sockets().accepted();
    messages_ = runtime_->handled();
  }
  runtime_.reset();  // its descriptors are closed here, so a demo that still waits for an answer sees the end
  join_demo();
}

}  // namespace wakepath::cli
