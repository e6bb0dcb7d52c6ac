#include "src/cli/serve_session.hh"

namespace wakepath::cli {

namespace {
constexpr server::ServiceId kEcho = 1;
constexpr int kBacklog = 128;
constexpr size_t kFirstRead = 64;  // so small that epoll is seen to report again what was not read
/// The server should sleep in epoll_wait when the first connection comes: its wake-up is what there is to see.
constexpr int64_t kSettleNs = 20'000'000;
}  // namespace

ServeSession::ServeSession(os::Os& os, probe::Probe& probe) : os_(os), probe_(probe) {}

ServeSession::~ServeSession() { stop(); }

int ServeSession::start(uint16_t port) {
  server_ = std::make_unique<server::SocketServer>(os_, probe_, server::SocketServerOptions{.min_read = kFirstRead});
  if (int error = server_->open(); error < 0) return error;
  const server::Opened listening = server_->listen(kEcho, os::Endpoint{.port = port}, {.backlog = kBacklog});
  if (listening.error < 0) return listening.error;
  endpoint_ = *listening.address.ipv4();
  service_ = std::make_unique<server::EchoService>(*server_, kEcho);
  loop_ = std::make_unique<server::ServiceLoop>(os_, probe_, *server_, *service_, kEcho);
  server_->start(kEcho, listening.id);
  const int thread = os_.thread_start("socket-server", [this] { loop_->run(); });
  if (thread < 0) return thread;
  server_thread_ = thread;
  return 0;
}

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
  if (server_thread_ > 0) {
    server_->exit();
    os_.thread_join(server_thread_);
    server_thread_ = 0;
    connections_ = server_->accepted();
    messages_ = loop_->handled();
  }
  loop_.reset();
  service_.reset();
  server_.reset();  // its descriptors are closed here, so a demo that still waits for an answer sees the end
  join_demo();
}

}  // namespace wakepath::cli
