#include "src/cli/demo_client.hh"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <string_view>

#include "src/os/retry.hh"

namespace wakepath::cli {
namespace {

/// One blocking connection. Functions return 0 or a negative errno.
class Connection {
 public:
  explicit Connection(os::Os& os) : os_(os) {}
  ~Connection() {
    if (fd_ >= 0) os_.close(fd_);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  int open(os::Endpoint server) {
    fd_ = os_.socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd_ < 0) return fd_;
    const sockaddr_in address = server.to_sockaddr();
    return os_.connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }

  /// Sends all of `text` and waits until as much has come back.
  int exchange(std::string_view text) {
    for (size_t sent = 0; sent < text.size();) {
      const ssize_t done =
          os::retry_on_eintr([&] { return os_.send(fd_, text.data() + sent, text.size() - sent, MSG_NOSIGNAL); });
      if (done < 0) return static_cast<int>(done);
      sent += static_cast<size_t>(done);
    }
    std::string echo;
    while (echo.size() < text.size()) {
      const ssize_t got = receive(echo);
      if (got < 0) return static_cast<int>(got);
      if (got == 0) return -ECONNRESET;
    }
    return echo == text ? 0 : -EPROTO;
  }

  /// Half-close, then the rest of the stream, which should be its end.
  int finish() {
    if (int error = os_.shutdown(fd_, SHUT_WR); error < 0) return error;
    std::string rest;
    const ssize_t got = receive(rest);
    return got > 0 ? -EPROTO : static_cast<int>(got);
  }

 private:
  ssize_t receive(std::string& to) {
    std::array<char, 256> buffer;
    const ssize_t got = os::retry_on_eintr([&] { return os_.recv(fd_, buffer.data(), buffer.size(), 0); });
    if (got > 0) to.append(buffer.data(), static_cast<size_t>(got));
    return got;
  }

  os::Os& os_;
  int fd_ = -1;
};

}  // namespace

DemoReport run_demo_client(os::Os& os, os::Endpoint server, int64_t pause_ns) {
  struct Line {
    size_t connection;
    std::string_view text;
  };
  constexpr std::array<Line, 6> lines = {{{0, "hello"},
                                          {1, "and you"},
                                          {2, "three of us"},
                                          {0, "who woke me?"},
                                          {2,
                                           "a line longer than the first read of the server, so that it is told twice "
                                           "of one message: level triggered"},
                                          {1, "good night"}}};
  DemoReport report;
  std::array<Connection, 3> connections = {Connection(os), Connection(os), Connection(os)};
  std::array<bool, 3> open{};
  auto failed = [&](int result) {
    if (result < 0) report.error = -result;
    return result < 0;
  };
  for (const auto& [index, text] : lines) {
    if (!open[index]) {
      if (failed(connections[index].open(server))) return report;
      open[index] = true;
      ++report.connections;
    }
    if (failed(connections[index].exchange(text))) return report;
    ++report.messages;
    if (pause_ns > 0) os.sleep_ns(pause_ns);
  }
  for (Connection& connection : connections) {
    if (failed(connection.finish())) return report;
    if (pause_ns > 0) os.sleep_ns(pause_ns);
  }
  return report;
}

}  // namespace wakepath::cli
