#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "src/os/linux_os.hh"
#include "src/probe/probe.hh"
#include "src/server/socket_server.hh"

namespace wakepath::server {

/// Every test of this fixture must leave as many descriptors open as it found.
class DescriptorsStay : public testing::Test {
 protected:
  void SetUp() override { before_ = open_descriptors(); }
  void TearDown() override { EXPECT_EQ(open_descriptors(), before_) << "descriptors leaked or closed twice"; }

  static size_t open_descriptors() {
    size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
    return count;
  }

 private:
  size_t before_ = 0;
};

/// A client that talks to the kernel directly. Blocking, but no call waits for more than ten seconds.
class Client {
 public:
  Client() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval limit{.tv_sec = 10, .tv_usec = 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  }
  explicit Client(os::Endpoint server) : Client() { EXPECT_EQ(connect(server), 0) << std::strerror(errno); }
  ~Client() { close(); }
  Client(Client&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Client(const Client&) = delete;
  Client& operator=(Client&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }

  int fd() const { return fd_; }
  void bind(os::Endpoint own) {
    const sockaddr_in address = own.to_sockaddr();
    EXPECT_EQ(::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  os::Endpoint bound_to() const {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    return os::Endpoint::from_sockaddr(address);
  }
  int connect(os::Endpoint server) {
    const sockaddr_in address = server.to_sockaddr();
    return ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
  /// A small receive window: the kernel buffers little for a client that does not read.
  void little_room() {
    const int size = 4096;
    setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  }
  void send(const std::string& data) {
    EXPECT_EQ(::send(fd_, data.data(), data.size(), MSG_NOSIGNAL), static_cast<ssize_t>(data.size()));
  }
  /// Exactly `size` bytes, fewer when the stream ends before.
  std::string receive(size_t size) {
    std::string data(size, '\0');
    size_t got = 0;
    while (got < size) {
      const ssize_t more = ::recv(fd_, data.data() + got, size - got, 0);
      if (more <= 0) break;
      got += static_cast<size_t>(more);
    }
    data.resize(got);
    return data;
  }
  /// The result of one recv: 0 at the end of the stream, -errno.
  ssize_t receive_end() {
    char byte = 0;
    const ssize_t got = ::recv(fd_, &byte, 1, 0);
    return got < 0 ? -errno : got;
  }
  void finish() { ::shutdown(fd_, SHUT_WR); }
  void reset() {
    const linger now{.l_onoff = 1, .l_linger = 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
  }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_;
};

/// Bytes that show where they come from: no two neighbouring stretches are alike.
inline std::string pattern(size_t size) {
  std::string data(size, '\0');
  uint32_t state = 12345;
  for (char& byte : data) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<char>('a' + (state >> 24) % 26);
  }
  return data;
}

}  // namespace wakepath::server
