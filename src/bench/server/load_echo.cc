// Messages of 64 bytes through connections that stay.

#include <unistd.h>

#include <stdexcept>

#include "src/bench/server/clients.hh"

namespace wakepath::bench {

namespace {

/// All connections in turn, for ever: each that has answers is told of by each(client, answers). No epoll set, no
/// sleep: clients that did as much as the server would be what limits it. Ends when enough(now) says so.
template <class Each, class Enough>
void sweep(Clients& clients, Each each, Enough enough) {
  constexpr std::size_t kLookAtClock = 64;  // connections without an answer
  int64_t progress_ns = now_ns();
  std::size_t quiet = 0;
  for (;;) {
    for (Client& client : clients.all()) {
      const uint32_t done = client.receive();
      if (done == 0 && ++quiet < kLookAtClock) continue;
      quiet = 0;
      const int64_t now = now_ns();
      if (done > 0) {
        progress_ns = now;
        each(client, done, now);
      }
      if (enough(now)) return;
      if (now > progress_ns + kPatienceMs * int64_t{1'000'000}) throw std::runtime_error("no answer comes");
    }
  }
}

}  // namespace

/// A fifth of the time passes before it counts. In the end answers that are still to come are waited for, so that
/// nothing of one task is left for the next.
Outcome run_echo(Clients& clients, const Task& task) {
  Outcome outcome;
  Latencies latencies;
  const uint64_t wrong_before = clients.wrong();
  for (Client& client : clients.all()) {
    client.sent_ns = now_ns();
    client.send(task.depth);
  }
  const int64_t from_ns = now_ns() + task.duration_ns / 5;
  const int64_t until_ns = from_ns + task.duration_ns;
  const auto answer = [&](Client& client, uint32_t done, int64_t now) {
    outcome.all += done;
    if (now >= from_ns) {
      outcome.replies += done;
      latencies.add(now - client.sent_ns);
    }
    client.sent_ns = now;
    client.send(done);
  };
  int64_t ended_ns = 0;
  sweep(clients, answer, [&](int64_t now) { return (ended_ns = now) >= until_ns; });
  outcome.elapsed_ns = ended_ns - from_ns;
  uint64_t missing = clients.all().size() * task.depth;
  sweep(
      clients, [&](Client&, uint32_t done, int64_t) { missing -= done; }, [&](int64_t) { return missing == 0; });
  outcome.all += clients.all().size() * task.depth;
  outcome.wrong = clients.wrong() - wrong_before;
  outcome.p50_ns = latencies.percentile(0.5);
  outcome.p99_ns = latencies.percentile(0.99);
  return outcome;
}

namespace {

/// Messages that are due at fixed times, each through the next connection. The n-th answer of a connection belongs to
/// the n-th message through it, which says when that was due.
class Pace {
 public:
  Pace(Clients& clients, const Task& task)
      : clients_(clients),
        interval_ns_(1e9 / task.per_second),
        count_(static_cast<uint64_t>(static_cast<double>(task.duration_ns) / interval_ns_)),
        began_ns_(now_ns()) {
    for (const Client& client : clients.all()) first_.push_back(client.answered());
  }

  [[nodiscard]] uint64_t count() const { return count_; }
  /// At least every few us, or latencies would be those of the clients.
  void send_due() {
    for (const int64_t now = now_ns(); sent_ < count_ && due_ns(sent_) <= now; ++sent_)
      clients_.all()[sent_ % clients_.all().size()].send(1);
  }
  void add_answers(std::size_t client, uint32_t done, Latencies& latencies) {
    const int64_t now = now_ns();
    const uint64_t last = clients_.all()[client].answered() - first_[client];
    for (uint64_t which = last - done; which < last; ++which)
      latencies.add(now - due_ns(which * clients_.all().size() + client));
  }

 private:
  [[nodiscard]] int64_t due_ns(uint64_t message) const {
    return began_ns_ + static_cast<int64_t>(static_cast<double>(message) * interval_ns_);
  }

  Clients& clients_;
  double interval_ns_;
  uint64_t count_;
  int64_t began_ns_;
  uint64_t sent_ = 0;
  std::deque<uint64_t> first_;  // answers before this
};

/// Whose answers are there, without a wait.
class ReadySet {
 public:
  explicit ReadySet(Clients& clients) : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    for (Client& client : clients.all()) {
      epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.ptr = &client}};
      epoll_ctl(epoll_, EPOLL_CTL_ADD, client.fd(), &event);
    }
  }
  ~ReadySet() { close(epoll_); }
  ReadySet(const ReadySet&) = delete;
  ReadySet& operator=(const ReadySet&) = delete;

  template <class Each>
  void each(Each each) {
    std::array<epoll_event, 128> events;
    const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 0);
    for (const epoll_event& event : std::span(events).first(count < 0 ? 0 : static_cast<std::size_t>(count)))
      each(*static_cast<Client*>(event.data.ptr));
  }

 private:
  int epoll_;
};

}  // namespace

Outcome run_paced(Clients& clients, const Task& task) {
  Outcome outcome;
  Latencies latencies;
  const uint64_t wrong_before = clients.wrong();
  Pace pace(clients, task);
  const int64_t began_ns = now_ns();
  const int64_t until_ns = began_ns + task.duration_ns + kPatienceMs * int64_t{1'000'000};
  ReadySet ready(clients);
  while (outcome.all < pace.count()) {
    pace.send_due();
    ready.each([&](Client& client) {
      const uint32_t done = client.receive();
      outcome.all += done;
      if (done > 0) pace.add_answers(client.number(), done, latencies);
    });
    if (now_ns() > until_ns) throw std::runtime_error("answers are missing");
  }
  outcome.replies = outcome.all;
  outcome.elapsed_ns = now_ns() - began_ns;
  outcome.wrong = clients.wrong() - wrong_before;
  outcome.p50_ns = latencies.percentile(0.5);
  outcome.p99_ns = latencies.percentile(0.99);
  return outcome;
}

}  // namespace wakepath::bench
