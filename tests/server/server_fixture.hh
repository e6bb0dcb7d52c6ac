#pragma once

#include <algorithm>
#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "src/os/forwarding_os.hh"
#include "tests/server/fixture.hh"

namespace wakepath::server {

/// The running kernel with some answers replaced: each call of a kind first takes the next entry of its script;
/// 0 lets the call through, a negative errno is returned instead.
class FaultyOs : public os::ForwardingOs {
 public:
  using ForwardingOs::ForwardingOs;
  std::deque<int> accept4_script, send_script, socket_script;
  std::map<std::string, std::vector<os::SocketAddress>> names;  ///< what resolve() knows, before it asks the machine
  size_t most_sent = ~size_t{0};                                ///< bytes that one send takes
  std::atomic<int> calls{0};                                    ///< sends, receipts and waits, all together
  bool interrupt_everything = false;  ///< every second call of those that may be interrupted returns -EINTR
  int interruptions = 0;
  std::atomic<int> waits{0};

  int socket(int domain, int type, int protocol) override {
    const int fault = next(socket_script);
    return fault != 0 ? fault : inner_.socket(domain, type, protocol);
  }
  int accept4(int fd, sockaddr* address, socklen_t* size, int flags) override {
    if (interrupted()) return -EINTR;
    const int fault = next(accept4_script);
    return fault != 0 ? fault : inner_.accept4(fd, address, size, flags);
  }
  ssize_t send(int fd, const void* data, size_t size, int flags) override {
    if (interrupted()) return -EINTR;
    ++calls;
    const int fault = next(send_script);
    return fault != 0 ? fault : inner_.send(fd, data, std::min(size, most_sent), flags);
  }
  ssize_t recv(int fd, void* data, size_t size, int flags) override {
    ++calls;
    return interrupted() ? -EINTR : inner_.recv(fd, data, size, flags);
  }
  int resolve(const std::string& host, uint16_t port, int type, bool passive,
              std::vector<os::SocketAddress>& addresses) override {
    const auto known = names.find(host);
    if (known == names.end()) return inner_.resolve(host, port, type, passive, addresses);
    addresses = known->second;
    return addresses.empty() ? -ENOENT : 0;
  }
  ssize_t read(int fd, void* data, size_t size) override {
    return interrupted() ? -EINTR : inner_.read(fd, data, size);
  }
  ssize_t write(int fd, const void* data, size_t size) override {
    return interrupted() ? -EINTR : inner_.write(fd, data, size);
  }
  int epoll_wait(int epfd, epoll_event* events, int max_events, int timeout_ms) override {
    ++waits;
    ++calls;
    return interrupted() ? -EINTR : inner_.epoll_wait(epfd, events, max_events, timeout_ms);
  }

 private:
  static int next(std::deque<int>& script) {
    if (script.empty()) return 0;
    const int fault = script.front();
    script.pop_front();
    return fault;
  }
  bool interrupted() {
    if (!interrupt_everything) return false;
    odd_ = !odd_;
    interruptions += odd_ ? 1 : 0;
    return odd_;
  }
  bool odd_ = false;
};

inline constexpr ServiceId kOwner = 1;

/// The server is polled by the test itself, one message after the other: no second thread, no race.
class ServerFixture : public DescriptorsStay {
 protected:
  SocketServer& open(SocketServerOptions options = {}) {
    options.poller = poller_;
    server_ = std::make_unique<SocketServer>(os_, probe_, options);
    EXPECT_EQ(server_->open(), 0);
    return *server_;
  }
  /// With a listener that accepts.
  SocketServer& serve(SocketServerOptions options = {}) {
    open(options);
    const Opened listening = server_->listen(kOwner, os::Endpoint{}, {.backlog = 512});
    EXPECT_EQ(listening.error, 0);
    listener_ = listening.id;
    endpoint_ = *listening.address.ipv4();
    server_->start(kOwner, listener_);
    EXPECT_EQ(poll(MessageType::open).text, "listening " + endpoint_.to_string());
    EXPECT_EQ(poll(MessageType::open).text, "start");
    return *server_;
  }
  void TearDown() override {
    server_.reset();
    DescriptorsStay::TearDown();
  }

  /// The next message, which must be of this type.
  Message poll(MessageType type) {
    Message message = server_->poll();
    EXPECT_EQ(name_of(message.type), name_of(type)) << message.text << message.data.view().substr(0, 80);
    return message;
  }
  /// The next message that is not of this type.
  Message poll_past(MessageType type) {
    for (;;) {
      Message message = server_->poll();
      if (message.type != type) return message;
    }
  }
  /// Everything that one socket sends until its close message.
  std::string data_until_close(SocketId id) {
    std::string data;
    for (;;) {
      const Message message = server_->poll();
      if (message.id == id && message.type == MessageType::data) data += message.data.view();
      if (message.id == id && message.type == MessageType::close) return data;
    }
  }
  /// Accepts and starts the next connection.
  SocketId accept() {
    const SocketId id = poll(MessageType::accept).accepted;
    server_->start(kOwner, id);
    EXPECT_EQ(poll(MessageType::open).id, id);
    return id;
  }

  PollerKind poller_ = PollerKind::epoll_level;
  os::LinuxOs machine_;
  FaultyOs os_{machine_};
  probe::Probe probe_;
  std::unique_ptr<SocketServer> server_;
  SocketId listener_ = 0;
  os::Endpoint endpoint_;
};

/// The same, level and edge triggered: INSTANTIATE_TEST_SUITE_P(Pollers, MyTest, both_pollers(), poller_name);
class BothPollers : public ServerFixture, public testing::WithParamInterface<PollerKind> {
 protected:
  BothPollers() { poller_ = GetParam(); }
};
inline auto both_pollers() { return testing::Values(PollerKind::epoll_level, PollerKind::epoll_edge); }
inline std::string poller_name(const testing::TestParamInfo<PollerKind>& kind) {
  return kind.param == PollerKind::epoll_edge ? "Edge" : "Level";
}

}  // namespace wakepath::server
