// Connections that live for one message: connect, 64 bytes there and back, close.

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <stdexcept>

#include "src/bench/server/clients.hh"

namespace wakepath::bench {

namespace {

void fill(Outcome& outcome, const Latencies& latencies) {
  outcome.all = outcome.replies;
  outcome.p50_ns = latencies.percentile(0.5);
  outcome.p99_ns = latencies.percentile(0.99);
}

}  // namespace

Outcome run_sequential(uint16_t port, const Task& task) {
  Outcome outcome;
  Latencies latencies;
  const int64_t began_ns = now_ns();
  int64_t now = began_ns;
  while (now < began_ns + task.duration_ns) {
    const int64_t begin_ns = now;
    {
      const int fd = client_socket(0);
      Client client(static_cast<uint32_t>(outcome.replies), fd);
      connect_to(fd, port);
      client.send(1);
      while (client.answered() == 0) {
        pollfd wanted{.fd = fd, .events = POLLIN, .revents = 0};
        if (poll(&wanted, 1, kPatienceMs) != 1) throw std::runtime_error("no answer comes");
        client.receive();
      }
      outcome.wrong += client.wrong();
    }
    now = now_ns();
    latencies.add(now - begin_ns);
    ++outcome.replies;
  }
  outcome.elapsed_ns = now - began_ns;
  fill(outcome, latencies);
  return outcome;
}

namespace {

/// Short connections, many at a time. What is not connected at once (the listener's queue was full) sends later.
class Crowd {
 public:
  explicit Crowd(uint16_t port) : port_(port), epoll_(epoll_create1(EPOLL_CLOEXEC)) {}
  ~Crowd() { close(epoll_); }
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  void begin() {
    const int64_t begin_ns = now_ns();
    auto client = std::make_unique<Client>(begun_++, client_socket(SOCK_NONBLOCK));
    client->sent_ns = begin_ns;
    const bool connected = connect_to(client->fd(), port_);
    if (connected) client->send(1);
    epoll_event event{.events = EPOLLIN | EPOLLET | (connected ? 0u : EPOLLOUT), .data = {.ptr = client.get()}};
    epoll_ctl(epoll_, EPOLL_CTL_ADD, client->fd(), &event);
    client.release();  // epoll has it until its answer is there
    ++open_;
  }

  /// Calls ended(latency_ns, wrong) for each that has its answer and is closed by now.
  template <class Ended>
  void step(Ended ended) {
    std::array<epoll_event, 256> events;
    const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), kPatienceMs);
    if (count <= 0) throw std::runtime_error("no answer comes");
    for (const epoll_event& event : std::span(events).first(static_cast<std::size_t>(count))) {
      std::unique_ptr<Client> client(static_cast<Client*>(event.data.ptr));
      if (client->sent() == 0) client->send(1);
      client->receive();
      if (client->answered() == 0) {
        client.release();
        continue;
      }
      const int64_t begin_ns = client->sent_ns;
      const uint64_t wrong = client->wrong();
      client.reset();
      --open_;
      ended(now_ns() - begin_ns, wrong);
    }
  }
  [[nodiscard]] std::size_t open() const { return open_; }

 private:
  uint16_t port_;
  int epoll_;
  uint32_t begun_ = 0;
  std::size_t open_ = 0;
};

}  // namespace

Outcome run_concurrent(uint16_t port, const Task& task) {
  Outcome outcome;
  Latencies latencies;
  Crowd crowd(port);
  const int64_t began_ns = now_ns();
  while (crowd.open() < task.depth) crowd.begin();
  while (crowd.open() > 0) {
    crowd.step([&](int64_t latency_ns, uint64_t wrong) {
      latencies.add(latency_ns);
      outcome.wrong += wrong;
      ++outcome.replies;
    });
    while (crowd.open() < task.depth && now_ns() < began_ns + task.duration_ns) crowd.begin();
  }
  outcome.elapsed_ns = now_ns() - began_ns;
  fill(outcome, latencies);
  return outcome;
}

}  // namespace wakepath::bench
