#include "src/bench/server/clients.hh"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace wakepath::bench {

namespace {

constexpr uint32_t kAddresses = 64;    // 127.0.0.1 and so on
constexpr uint32_t kOfOne = 10'000;    // connections of one address: it has fewer than 30,000 ports
constexpr std::size_t kAtOnce = 64;    // connections under way, fewer than the shortest backlog
constexpr uint32_t kMostAtOnce = 256;  // messages in one call

/// What is in every message behind its two numbers.
constexpr std::array<char, kMessageBytes> kFilling = [] {
  std::array<char, kMessageBytes> filling{};
  for (std::size_t i = 0; i < filling.size(); ++i) filling[i] = static_cast<char>('a' + i % 26);
  return filling;
}();

void write_numbers(char* message, uint32_t client, uint64_t which) {
  const auto low = static_cast<uint32_t>(which);
  std::memcpy(message, &client, sizeof client);
  std::memcpy(message + sizeof client, &low, sizeof low);
}

sockaddr_in address_of(uint32_t host, uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + host);
  return address;
}

}  // namespace

int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * int64_t{1'000'000'000} + now.tv_nsec;
}

int client_socket(int flags) {
  static uint32_t made = 0;
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
  const int on = 1;
  const sockaddr_in from = address_of(made++ / kOfOne % kAddresses, 0);
  if (fd < 0 || setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) < 0 ||
      bind(fd, reinterpret_cast<const sockaddr*>(&from), sizeof from) < 0)
    throw std::runtime_error("no socket for a client");
  return fd;
}

bool connect_to(int fd, uint16_t port) {
  const sockaddr_in to = address_of(0, port);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0) return true;
  if (errno != EINPROGRESS) throw std::runtime_error("a client cannot connect");
  return false;
}

int connected_socket(uint16_t port, int flags) {
  const int fd = client_socket(0);
  const int on = 1;
  connect_to(fd, port);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if ((flags & SOCK_NONBLOCK) != 0) {
    int nonblocking = 1;
    ioctl(fd, FIONBIO, &nonblocking);
  }
  return fd;
}

Client::~Client() { close(fd_); }

void Client::send(uint32_t count) {
  static std::array<char, kMessageBytes* kMostAtOnce> bytes = [] {
    std::array<char, kMessageBytes * kMostAtOnce> filled;
    for (std::size_t at = 0; at < filled.size(); at += kMessageBytes)
      std::copy(kFilling.begin(), kFilling.end(), filled.begin() + static_cast<std::ptrdiff_t>(at));
    return filled;
  }();
  for (uint32_t i = 0; i < count; ++i) write_numbers(bytes.data() + i * kMessageBytes, number_, sent_ + i);
  sent_ += count;
  const std::size_t size = count * kMessageBytes;
  if (::send(fd_, bytes.data(), size, MSG_NOSIGNAL) != static_cast<ssize_t>(size))
    throw std::runtime_error("a connection takes no message");
}

uint32_t Client::receive() {
  static std::array<char, kMessageBytes * kMostAtOnce> bytes;
  const uint64_t before = answered();
  const ssize_t got = recv(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (got < 0 && errno == EAGAIN) return 0;
  if (got <= 0) throw std::runtime_error("a connection was lost");
  check({bytes.data(), static_cast<std::size_t>(got)});
  return static_cast<uint32_t>(answered() - before);
}

void Client::check(std::string_view bytes) {
  std::array<char, kMessageBytes> wanted = kFilling;
  while (!bytes.empty()) {
    const std::size_t within = received_ % kMessageBytes;
    const std::size_t size = std::min(kMessageBytes - within, bytes.size());
    write_numbers(wanted.data(), number_, received_ / kMessageBytes);
    if (std::memcmp(wanted.data() + within, bytes.data(), size) != 0) ++wrong_;
    received_ += size;
    bytes.remove_prefix(size);
  }
}

Clients::Clients(uint16_t port, std::size_t count) {
  while (clients_.size() < count) {
    const std::size_t first = clients_.size();
    const std::size_t last = std::min(count, first + kAtOnce);
    while (clients_.size() < last) {
      Client& client = clients_.emplace_back(static_cast<uint32_t>(clients_.size()), connected_socket(port, 0));
      client.send(1);
    }
    // with the answer, it has been accepted for certain
    for (std::size_t i = first; i < last; ++i) {
      pollfd wanted{.fd = clients_[i].fd(), .events = POLLIN, .revents = 0};
      if (poll(&wanted, 1, kPatienceMs) != 1) throw std::runtime_error("a connection has no answer");
      clients_[i].receive();
    }
  }
}

uint64_t Clients::wrong() const {
  uint64_t sum = 0;
  for (const Client& client : clients_) sum += client.wrong();
  return sum;
}

}  // namespace wakepath::bench
