// Messages of 1 MiB beside a small one, and a client that never reads. To be no slower than the server, these clients
// do not copy what they send (sendfile) and look at the beginning of each piece of what they receive, the rest of which
// the kernel drops (MSG_TRUNC).

#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

#include "src/bench/server/clients.hh"

namespace wakepath::bench {

namespace {

constexpr std::size_t kPiece = 256 * 1024;
constexpr std::size_t kLookedAt = 64;

/// The bytes of every large message; each 64 of them are different ones.
class LargeMessage {
 public:
  LargeMessage() : bytes_(kLargeBytes, ' '), fd_(memfd_create("message", MFD_CLOEXEC)) {
    uint64_t value = 1;
    for (std::size_t at = 0; at < kLargeBytes; at += sizeof value) {
      value = value * 6364136223846793005u + 1442695040888963407u;
      std::memcpy(bytes_.data() + at, &value, sizeof value);
    }
    if (write(fd_, bytes_.data(), kLargeBytes) != static_cast<ssize_t>(kLargeBytes))
      throw std::runtime_error("no memory for a large message");
  }
  ~LargeMessage() { close(fd_); }
  LargeMessage(const LargeMessage&) = delete;
  LargeMessage& operator=(const LargeMessage&) = delete;

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] std::string_view from(std::size_t offset) const { return std::string_view(bytes_).substr(offset); }

 private:
  std::string bytes_;
  int fd_;
};

/// A connection with one large message after the other under way.
class Flooder {
 public:
  Flooder(uint16_t port, const LargeMessage& message) : message_(message), fd_(connected_socket(port, SOCK_NONBLOCK)) {}
  ~Flooder() { close(fd_); }
  Flooder(const Flooder&) = delete;
  Flooder& operator=(const Flooder&) = delete;

  [[nodiscard]] uint64_t wrong() const { return wrong_; }
  [[nodiscard]] bool idle() const { return received_ == 0 && sent_ == 0; }

  /// A piece each way, as far as the kernel goes. Returns whether a message has come back whole. With `more`, the next
  /// one follows it.
  bool step(bool more) {
    if (more || !idle()) send_piece();
    receive_piece();
    if (received_ < kLargeBytes) return false;
    received_ = sent_ = 0;
    return true;
  }

 private:
  void send_piece() {
    if (sent_ == kLargeBytes) return;
    auto offset = static_cast<off_t>(sent_);
    const ssize_t done = sendfile(fd_, message_.fd(), &offset, std::min(kPiece, kLargeBytes - sent_));
    if (done > 0) sent_ += static_cast<std::size_t>(done);
    if (done < 0 && errno != EAGAIN) throw std::runtime_error("a flooding connection was lost");
  }

  void receive_piece() {
    char begin[kLookedAt];
    take(recv(fd_, begin, std::min(sizeof begin, kLargeBytes - received_), MSG_DONTWAIT), begin);
    if (received_ == kLargeBytes) return;
    take(recv(fd_, nullptr, std::min(kPiece, kLargeBytes - received_), MSG_DONTWAIT | MSG_TRUNC), nullptr);
  }

  void take(ssize_t got, const char* bytes) {
    if (got == 0 || (got < 0 && errno != EAGAIN)) throw std::runtime_error("a flooding connection was lost");
    if (got < 0) return;
    const auto size = static_cast<std::size_t>(got);
    if (bytes != nullptr && message_.from(received_).substr(0, size) != std::string_view(bytes, size)) ++wrong_;
    received_ += size;
  }

  const LargeMessage& message_;
  int fd_;
  std::size_t sent_ = 0, received_ = 0;
  uint64_t wrong_ = 0;
};

}  // namespace

Outcome run_flood(uint16_t port, const Task& task) {
  const LargeMessage message;
  Clients small(port, 1);
  Client& asking = small.all().front();
  std::deque<Flooder> flooders;
  for (uint32_t i = 0; i < task.depth; ++i) flooders.emplace_back(port, message);
  Outcome outcome;
  Latencies latencies;
  const int64_t began_ns = now_ns();
  const int64_t until_ns = began_ns + task.duration_ns;
  int64_t now = began_ns;
  asking.sent_ns = now;
  asking.send(1);
  bool asked = true;
  // Everybody in turn, without a wait: the small message's answer is seen when it comes, at most a few pieces late.
  for (bool busy = true; busy;) {
    now = now_ns();
    const bool more = now < until_ns;
    busy = more || asked;
    for (Flooder& flooder : flooders) {
      if (asked && asking.receive() > 0) {
        now = now_ns();
        latencies.add(now - asking.sent_ns);
        asked = now < until_ns;
        asking.sent_ns = now;
        if (asked) asking.send(1);
      }
      if (flooder.step(more)) {
        ++outcome.all;
        if (more) ++outcome.replies;
      }
      busy = busy || !flooder.idle();
    }
    if (now > until_ns + kPatienceMs * int64_t{1'000'000}) throw std::runtime_error("answers are missing");
  }
  outcome.elapsed_ns = task.duration_ns;
  for (const Flooder& flooder : flooders) outcome.wrong += flooder.wrong();
  outcome.wrong += small.wrong();
  outcome.p50_ns = latencies.percentile(0.5);
  outcome.p99_ns = latencies.percentile(0.99);
  return outcome;
}

Outcome run_never_read(uint16_t port, const Task& task) {
  constexpr int64_t kStandstillNs = 200'000'000;
  const LargeMessage message;
  const int fd = connected_socket(port, SOCK_NONBLOCK);
  Outcome outcome;
  const int64_t began_ns = now_ns();
  int64_t progress_ns = began_ns;
  int64_t now = began_ns;
  for (; now < began_ns + task.duration_ns && now < progress_ns + kStandstillNs; now = now_ns()) {
    const ssize_t sent = send(fd, message.from(0).data(), kPiece, MSG_NOSIGNAL);
    if (sent > 0) {
      outcome.bytes += static_cast<uint64_t>(sent);
      progress_ns = now;
    } else if (errno != EAGAIN) {
      break;  // it was given up
    }
  }
  outcome.elapsed_ns = now - began_ns;
  close(fd);
  return outcome;
}

}  // namespace wakepath::bench
